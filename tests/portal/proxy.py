"""A TCP proxy on loopback that spoils connections: each in the way that is armed, if what the client sends begins as is said."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

#: What happens to a connection.
FAULTS = ("reset", "blackhole", "stall", "eaten")
_AT_ONCE = struct.pack("ii", 1, 0)
_CHUNK = 1 << 16


class Proxy:
    """Passes connections to a port of this machine; the next one that begins with ``match`` suffers the armed fault.

    ``reset``: cut before the request is passed on. ``blackhole``: swallowed. ``stall``: held until `release`, and passed on then, whoever
    has gone away meanwhile. ``eaten``: passed on, and cut when the answer comes. Any other fault is done by the function that is armed.
    """

    def __init__(self, target: int) -> None:
        self._target, self._fault, self._match, self._do = target, "", b"", _nothing
        self._go = threading.Event()
        self._go.set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def arm(self, fault: str, match: bytes = b"", do: Callable[[], None] | None = None) -> None:
        """Spoil the next connection that begins with ``match``; ``do`` is done when it comes, before it is passed on."""
        if fault == "stall":
            self._go.clear()
        self._match, self._do, self._fault = match, do or _nothing, fault

    def release(self) -> None:
        """Pass on what is stalled, and spoil nothing any more."""
        self._fault = ""
        self._go.set()

    def refuse(self) -> None:
        """Listen no more, until `listen`."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(5)

    def listen(self) -> None:
        """Listen again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            first = client.recv(_CHUNK)
            fault, do = "", _nothing
            if self._fault and first.startswith(self._match):
                fault, do, self._fault = self._fault, self._do, ""
            do()
            if fault == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                return
            if fault == "blackhole":
                while client.recv(_CHUNK):
                    pass
                return
            if fault == "stall":
                self._go.wait(60)
            self._pass(client, first, eaten=fault == "eaten")

    def _pass(self, client: socket.socket, first: bytes, eaten: bool) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            server.sendall(first)
            upward = threading.Thread(target=_pump, args=(client, server), daemon=True)
            upward.start()
            if eaten:
                server.recv(_CHUNK)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
                return
            _pump(server, client)
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)


def _nothing() -> None:
    """No fault of this kind."""
