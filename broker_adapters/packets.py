"""The one reader of bytes: packets of any survey and messages of any broker, ours or a third party's in use."""

from __future__ import annotations

from functools import lru_cache

from broker_adapters import plugins
from broker_adapters.errors import PacketError
from broker_adapters.plugins import Reader
from broker_adapters.records import Alert

_SURVEYS, _BROKERS = "broker_adapters.surveys", "broker_adapters.brokers"


def read(data: bytes, *, history: bool = True) -> Alert:
    """The alert in a survey's packet or a broker's message; with ``history`` False without what came before.

    Raises
    ------
    PacketError
        The bytes are of no known survey or broker, or they are damaged or hostile; the message gives the reason.
    """
    for reader in _readers(plugins.every(_SURVEYS), plugins.every(_BROKERS)):
        if reader.recognises(data):
            return reader.read(data, history=history)
    raise PacketError(f"no known survey's packet: {len(data)} bytes that start with {data[:8]!r}")


@lru_cache(maxsize=8)
def _readers(surveys: tuple[str, ...], brokers: tuple[str, ...]) -> tuple[Reader, ...]:
    """The modules that read bytes: all surveys, then the brokers that send messages of their own."""
    modules = [plugins.load(package, name) for package, names in ((_SURVEYS, surveys), (_BROKERS, brokers)) for name in names]
    return tuple(module for module in modules if hasattr(module, "recognises"))
