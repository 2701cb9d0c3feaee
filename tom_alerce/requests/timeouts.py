"""Time-outs for HTTP calls of the toolkit's facilities, which call `requests` without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter

_SECONDS: ContextVar[float | None] = ContextVar("_SECONDS", default=None)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Give calls of `requests` in this thread a time-out if they have none: for the connection and for each wait for bytes."""
    _install()
    token = _SECONDS.set(seconds)
    try:
        yield
    finally:
        _SECONDS.reset(token)


def _install() -> None:
    """Wrap `HTTPAdapter.send` with our default; calls outside `bounded` are unchanged."""
    send = HTTPAdapter.send
    if getattr(send, "_bounded", False):
        return

    def with_default(self: HTTPAdapter, request: Any, stream: bool = False, timeout: Any = None, **rest: Any) -> Any:
        return send(self, request, stream, _SECONDS.get() if timeout is None else timeout, **rest)

    with_default._bounded = True  # type: ignore[attr-defined]
    HTTPAdapter.send = with_default  # type: ignore[method-assign,assignment] # the default is put there on purpose
