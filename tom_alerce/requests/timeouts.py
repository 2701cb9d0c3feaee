"""A total deadline for HTTP calls of the TOM's facilities, which call `requests` without any time-out, or what is beneath `urllib`.

Where a person has a key of their own, it is put into these calls.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from requests import ConnectionError, ReadTimeout
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError

from broker_adapters.sources.deadline import Adapter, Deadline

#: `time.monotonic` at which the calls of this thread end; None: they may wait.
_END: ContextVar[float | None] = ContextVar("_END", default=None)
#: What cuts the connections of this thread then.
_DEADLINE: ContextVar[Deadline | None] = ContextVar("_DEADLINE", default=None)


@dataclass(frozen=True, slots=True)
class Personal:
    """A person's own key at the portal of this address."""

    address: str
    key: str = field(repr=False)

    def put(self, request: Any) -> None:
        """Put the key into a request to the portal, instead of that of the settings."""
        ours, theirs = urlsplit(self.address), urlsplit(request.url)
        if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc):
            request.headers["Authorization"] = f"Token {self.key}"


_PERSONAL: ContextVar[Personal | None] = ContextVar("_PERSONAL", default=None)


@contextmanager
def personally(key: Personal) -> Iterator[None]:
    """Use a person's own key in the calls of this context that are `bounded`."""
    token = _PERSONAL.set(key)
    try:
        yield
    finally:
        _PERSONAL.reset(token)


@contextmanager
def bounded(seconds: float) -> Iterator[Deadline]:
    """End all calls of `requests` and `urllib` in this thread after so many seconds together, whatever is dripped; it is not nested."""
    _install()
    token = _END.set(time.monotonic() + seconds)
    try:
        with Deadline(seconds) as deadline:
            holder = _DEADLINE.set(deadline)
            try:
                yield deadline
            finally:
                _DEADLINE.reset(holder)
    finally:
        _END.reset(token)


def _install() -> None:
    """Wrap `HTTPAdapter.send` with our transport, and `HTTPConnection.connect`; calls outside `bounded` are unchanged."""
    send = HTTPAdapter.send
    if getattr(send, "_bounded", False):
        return
    plain = HTTPConnection.connect

    def connect(self: HTTPConnection) -> None:
        end, deadline = _END.get(), _DEADLINE.get()
        if end is not None:
            left = max(end - time.monotonic(), 0.001)
            self.timeout = min(self.timeout, left) if isinstance(self.timeout, (int, float)) else left
        plain(self)
        if deadline is not None:
            deadline.hold(self.sock)

    HTTPConnection.connect = connect  # type: ignore[method-assign] # on purpose, as below

    def within(self: HTTPAdapter, request: Any, stream: bool = False, timeout: Any = None, **rest: Any) -> Any:
        end = _END.get()
        if end is None or isinstance(self, Adapter):
            return send(self, request, stream, timeout, **rest)
        left = max(end - time.monotonic(), 0.001)
        if (personal := _PERSONAL.get()) is not None:
            personal.put(request)
        try:
            return send(Adapter(max_retries=self.max_retries), request, stream, left if timeout is None else timeout, **rest)
        except ConnectionError as error:
            if time.monotonic() >= end and isinstance(next(iter(error.args), None), ProtocolError):  # we have cut it
                raise ReadTimeout("the time for all answers together is over", request=request) from error
            raise

    within._bounded = True  # type: ignore[attr-defined]
    HTTPAdapter.send = within  # type: ignore[method-assign,assignment] # our transport is put there on purpose
