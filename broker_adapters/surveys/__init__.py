"""What telescopes emit: one module for each survey, found by its file name.

A module has ``recognises(packet) -> bool`` and ``read(packet, *, history=True) -> Alert``; that is all that a new survey needs.
"""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

from broker_adapters.errors import PacketError
from broker_adapters.plugins import load, names
from broker_adapters.records import Alert


@lru_cache(maxsize=1)
def _surveys() -> tuple[ModuleType, ...]:
    return tuple(load(__name__, name) for name in names(__name__))


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet of any survey that we know; without what came before it if ``history`` is False, which is faster.

    Raises
    ------
    PacketError
        No survey's packet, or a damaged or hostile one; the message says which.
    """
    for survey in _surveys():
        if survey.recognises(packet):
            alert: Alert = survey.read(packet, history=history)
            return alert
    raise PacketError(f"no known survey's packet: {len(packet)} bytes that start with {packet[:8]!r}")
