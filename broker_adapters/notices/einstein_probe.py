"""X rays: Einstein Probe's wide-field telescope, JSON of GCN's unified schema.

One observation finds several sources and gives them one time: an event is known by its id or, in the notices before June 2024, which have
none, by time and place.
"""

from __future__ import annotations

from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Notice
from broker_adapters.notices import _unified


def recognises(data: bytes) -> bool:
    """Whether the bytes name a schema of Einstein Probe."""
    return "/notices/einstein_probe/" in _unified.schema(data)


def read(data: bytes) -> Notice:
    """The notice of a source."""
    body = _unified.parsed(data)
    place = None if _unified.is_retraction(body) else _unified.place(body)
    said = _unified.facts(
        body, instrument="instrument", counts_per_second="net_count_rate", signal_to_noise="image_snr", energy_keV="image_energy_range"
    )
    return _unified.notice(body, _event(body, place), Messenger.X_RAYS, place, said)


def _event(body: _unified.Json, place: object) -> str:
    if body.get("id"):
        return f"EP {_unified.name(body['id'])}"
    if not isinstance(place, Cone):
        raise PacketError("the notice says neither of which source nor where")
    seconds = round((_unified.mjd(body.get("trigger_time"), "time of the event") - 51544.0) * 86400.0)
    return f"EP {seconds}_{place.ra:.2f}{place.dec:+.2f}"
