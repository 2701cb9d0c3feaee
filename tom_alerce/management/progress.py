"""Progress of a command: a bar on a terminal, a line every half minute elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from tom_alerce.pipeline.items import Progress

#: Seconds between two lines without a terminal.
_EVERY = 30.0


@contextmanager
def progress(what: str, unit: str, total: int | None = None, stream: TextIO | None = None) -> Iterator[Progress]:
    """Give a function to call with the number of items done since the last call; ``stream`` is standard error by default."""
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        with tqdm(desc=what, unit=f" {unit}", total=total, file=stream, dynamic_ncols=True) as bar:
            yield bar.update
        return
    state: dict[str, Any] = {"done": 0, "reported": time.monotonic()}

    def report(n: int) -> None:
        state["done"] += n
        if time.monotonic() - state["reported"] >= _EVERY:
            state["reported"] = time.monotonic()
            stream.write(f"{what}: {state['done']}{'' if total is None else f' of {total}'} {unit}\n")
            stream.flush()

    yield report
