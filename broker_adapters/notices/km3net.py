"""Neutrinos: KM3NeT, JSON of GCN's unified schema; ids begin anew, so that an event is known by its name."""

from __future__ import annotations

from broker_adapters.notice import Messenger, Notice
from broker_adapters.notices import _unified


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of KM3NeT."""
    return "/notices/km3net/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a neutrino or of several."""
    body = _unified.parsed(data)
    place = None if _unified.is_retraction(body) else _unified.place(body)
    said = _unified.facts(body, detector="instrument", stream="pipeline", shape="alert_topology", neutrinos="number_of_events")
    return _unified.notice(body, f"KM3NeT {_unified.name(body.get('event_name') or body.get('id'))}", Messenger.NEUTRINO, place, said)
