"""Neutrinos: IceCube, JSON of GCN's unified schema: single ones of high energy, and those that came with gravitational waves.

Of several that came with a superevent, the place is that of the one that chance makes least likely.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from broker_adapters import values
from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Notice
from broker_adapters.notices import _unified
from broker_adapters.skymap import SkyMap


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of IceCube."""
    return "/notices/icecube/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a neutrino, or of those with a superevent."""
    body = _unified.parsed(data)
    if "coincident_events" in body:
        return _with_waves(body)
    place = None if _unified.is_retraction(body) else _unified.place(body)
    said = _unified.facts(
        body, name="event_name", stream="pipeline", probability_astrophysical="p_astro", energy_TeV="nu_energy", map="healpix_url"
    )
    return _unified.notice(body, f"IceCube {_unified.name(body.get('id'))}", Messenger.NEUTRINO, place, said)


def _with_waves(body: Mapping[str, Any]) -> Notice:
    superevent = values.identifier(body.get("ref_ID"))
    said = _unified.facts(body, with_superevent="ref_ID", neutrinos="n_events_coincident", chance="pval_generic")
    place = None if _unified.is_retraction(body) else _likeliest(body["coincident_events"])
    return _unified.notice(body, f"IceCube {superevent}", Messenger.NEUTRINO, place, said)


def _likeliest(found: Any) -> Cone | SkyMap:
    events = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    if not events:
        raise PacketError("no neutrino came with the superevent")
    chances = np.nan_to_num(values.floats([one.get("event_pval_generic") for one in events]), nan=np.inf)
    return _unified.place(values.record(events[int(chances.argmin())].get("localization"), "localization"))
