"""What telescopes emit: one module for each survey, found by its file name.

A module has ``recognises(packet) -> bool`` and ``read(packet, *, history=True) -> Alert``; that is all that a new survey needs.
A module of ``broker_adapters/brokers`` whose broker sends messages of its own has the same two.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

from broker_adapters.errors import PacketError
from broker_adapters.plugins import load, names
from broker_adapters.records import Alert


@lru_cache(maxsize=1)
def _readers() -> tuple[ModuleType, ...]:
    modules = [load(package, name) for package in (__name__, "broker_adapters.brokers") for name in names(package)]
    return tuple(module for module in modules if hasattr(module, "recognises"))


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet or message of any survey or broker that we know; with ``history`` False what came before is left out.

    Raises
    ------
    PacketError
        No survey's packet, or a damaged or hostile one; the message says which.
    """
    for reader in _readers():
        if reader.recognises(packet):
            alert: Alert = reader.read(packet, history=history)
            return alert
    raise PacketError(f"no known survey's packet: {len(packet)} bytes that start with {packet[:8]!r}")
