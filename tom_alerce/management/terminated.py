"""SIGTERM for commands that run for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tom_alerce.pipeline.stream import Stop


@contextmanager
def terminated(stop: Stop) -> Iterator[None]:
    """A context in which SIGTERM requests a stop, which a supervisor sends."""
    if threading.current_thread() is not threading.main_thread():  # no other can have a handler
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
