"""A total deadline for requests: whatever a server drips (header lines, sizes of chunks, interim answers), the connection is cut.

A time-out of a socket counts anew with each byte that arrives, and the parsers of header lines and chunks wait as long as any come. Here a
timer shuts the connection down, after which any reading of it ends at once.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_current = threading.local()


class Deadline:
    """A context in which the connections of an `Adapter`, used by this thread, are cut after a number of seconds."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self.expired = False

    def __enter__(self) -> Deadline:
        _current.deadline = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        _current.deadline = None
        self._timer.cancel()
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()

    def hold(self, connection: socket.socket) -> None:
        """Cut this connection too; it is held by a descriptor of its own, since its owner may close it while the answer is read."""
        with self._lock:
            self._lines.append(connection.dup())
        if self.expired:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            for line in self._lines:
                with suppress(OSError):  # the other side has closed it
                    line.shutdown(socket.SHUT_RDWR)


class Cuttable:
    """What a connection of urllib3 does besides: it tells the deadline in force of its socket."""

    _line: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._line = made.dup()  # TLS takes the socket itself over
        self._hold()
        return made

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        """Begin a request, on this connection's socket if it is kept from an earlier one."""
        self._hold()
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def close(self) -> None:
        """Close the connection."""
        super().close()  # type: ignore[misc]
        if self._line is not None:
            self._line.close()
            self._line = None

    def _hold(self) -> None:
        deadline = getattr(_current, "deadline", None)
        if deadline is not None and self._line is not None:
            deadline.hold(self._line)


class _Http(Cuttable, HTTPConnection):
    pass


class _Https(Cuttable, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class Adapter(HTTPAdapter):
    """Transport of `requests` whose connections a `Deadline` can cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
