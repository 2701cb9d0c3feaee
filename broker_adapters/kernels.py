"""Compiled functions (numba): cached on disk, so that a machine compiles them once and not every process anew.

The cache lies beside the source file; where that folder cannot be written, in the user's cache folder; and where the environment variable
``NUMBA_CACHE_DIR`` points, if it is set. Where none of them can be written, functions are compiled by each process, with one warning.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from numba import njit
from numba.core import event

log = logging.getLogger(__name__)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function at its first call; ``options`` are those of ``numba.njit``.

    Name ``fastmath`` at every function that is called by one with ``fastmath``: where none is named numba takes that of the first caller,
    and the last digits would depend on what a process happens to call first.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # numba found no folder that it can write to
            _warn()
            return njit(nogil=True, **options)(function)

    return decorate


@cache
def _warn() -> None:
    log.warning("Compiled functions cannot be kept, so every process compiles them: set NUMBA_CACHE_DIR to a folder that can be written.")


class _Announcement(event.Listener):  # type: ignore[misc]  # numba has no types
    """Log a message when the first function is compiled."""

    def __init__(self, message: str) -> None:
        self.message, self.count = message, 0

    def on_start(self, event: Any) -> None:
        if not self.count:
            log.info(self.message)
        self.count += 1

    def on_end(self, event: Any) -> None:
        """Nothing."""


@contextmanager
def announced(message: str) -> Iterator[_Announcement]:
    """Log a message, once, if anything is compiled in this context, and the time at its end; ``count`` is the number of functions."""
    began, announcement = time.perf_counter(), _Announcement(message)
    with event.install_listener("numba:compile", announcement):
        yield announcement
    if announcement.count:
        log.info("compiled %d functions in %.0f s", announcement.count, time.perf_counter() - began)
