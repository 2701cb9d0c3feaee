"""Gamma rays: Swift, JSON of GCN's unified schema: what BAT finds by itself, and in the data that GUANO keeps for others' bursts."""

from __future__ import annotations

from broker_adapters.notice import Messenger, Notice
from broker_adapters.notices import _unified


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of Swift."""
    return "/notices/swift/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a burst."""
    body = _unified.parsed(data)
    place = None if _unified.is_retraction(body) else _unified.place(body)
    said = _unified.facts(body, instrument="instrument", signal_to_noise="rate_snr", follows="follow_up_event", page="data_archive_page")
    return _unified.notice(body, f"Swift {_unified.name(body.get('id'))}", Messenger.GAMMA, place, said)
