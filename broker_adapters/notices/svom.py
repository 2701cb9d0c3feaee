"""Gamma and X rays: SVOM, JSON of GCN's unified schema; its telescopes give notices of one burst under one id."""

from __future__ import annotations

from broker_adapters.notice import Messenger, Notice
from broker_adapters.notices import _unified


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of SVOM."""
    return "/notices/svom/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a burst."""
    body = _unified.parsed(data)
    place = None if _unified.is_retraction(body) else _unified.place(body)
    said = _unified.facts(body, instrument="instrument", name="event_name", signal_to_noise="image_snr", slew="slew_status")
    messenger = Messenger.X_RAYS if body.get("instrument") == "MXT" else Messenger.GAMMA
    return _unified.notice(body, f"SVOM {_unified.name(body.get('id'))}", messenger, place, said)
