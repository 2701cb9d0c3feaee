"""How far a command is: a bar on a terminal, a log line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from tom_alerce.pipeline.ingest import Progress

#: Seconds between two lines where there is no terminal.
_EVERY = 30.0


@contextmanager
def progress(what: str, unit: str, total: int | None = None, stream: TextIO | None = None) -> Iterator[Progress]:
    """A function to be told how many more items are done; ``stream`` is standard error unless given."""
    stream = sys.stderr if stream is None else stream
    if stream.isatty():
        with tqdm(desc=what, unit=f" {unit}", total=total, file=stream, dynamic_ncols=True) as bar:
            yield bar.update
        return
    state: dict[str, Any] = {"done": 0, "told": time.monotonic()}

    def tell(n: int) -> None:
        state["done"] += n
        if time.monotonic() - state["told"] >= _EVERY:
            state["told"] = time.monotonic()
            stream.write(f"{what}: {state['done']}{'' if total is None else f' of {total}'} {unit}\n")
            stream.flush()

    yield tell
