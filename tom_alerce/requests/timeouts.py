"""A total deadline for HTTP calls of the toolkit's facilities, which call `requests` without any time-out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests import ConnectionError, ReadTimeout
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError

from broker_adapters.sources.deadline import Adapter, Deadline

#: `time.monotonic` at which the calls of this thread end; None: they may wait.
_END: ContextVar[float | None] = ContextVar("_END", default=None)


@contextmanager
def bounded(seconds: float) -> Iterator[Deadline]:
    """End all calls of `requests` in this thread after so many seconds together, whatever the server drips; it is not nested."""
    _install()
    token = _END.set(time.monotonic() + seconds)
    try:
        with Deadline(seconds) as deadline:
            yield deadline
    finally:
        _END.reset(token)


def _install() -> None:
    """Wrap `HTTPAdapter.send` with our transport; calls outside `bounded` are unchanged."""
    send = HTTPAdapter.send
    if getattr(send, "_bounded", False):
        return

    def within(self: HTTPAdapter, request: Any, stream: bool = False, timeout: Any = None, **rest: Any) -> Any:
        end = _END.get()
        if end is None or isinstance(self, Adapter):
            return send(self, request, stream, timeout, **rest)
        left = max(end - time.monotonic(), 0.001)
        try:
            return send(Adapter(max_retries=self.max_retries), request, stream, left if timeout is None else timeout, **rest)
        except ConnectionError as error:
            if time.monotonic() >= end and isinstance(next(iter(error.args), None), ProtocolError):  # we have cut it
                raise ReadTimeout("the time for all answers together is over", request=request) from error
            raise

    within._bounded = True  # type: ignore[attr-defined]
    HTTPAdapter.send = within  # type: ignore[method-assign,assignment] # our transport is put there on purpose
