"""What is imported late, since it takes seconds and memory that most processes have no use for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


def keras() -> Any:
    """Keras on TensorFlow, imported late; its start-up messages are kept off the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with nullcontext() if "keras" in sys.modules else _hushed():
        import keras as module

    return module


@contextmanager
def _hushed() -> Iterator[None]:
    """Whatever compiled code writes to standard error: before it has read its settings TensorFlow tells of drivers and processors."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
