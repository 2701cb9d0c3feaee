"""Late import of Keras and TensorFlow, which take seconds and memory that most processes do not need."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


def keras() -> Any:
    """Import Keras on TensorFlow at the first call; its start-up messages are suppressed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with nullcontext() if "keras" in sys.modules else _hushed():
        import keras as module

    return module


@contextmanager
def _hushed() -> Iterator[None]:
    """Discard what compiled code writes to standard error: TensorFlow lists drivers and processors before it has read its settings."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
