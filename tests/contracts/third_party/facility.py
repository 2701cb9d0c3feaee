"""A facility of a third party: a small telescope on a roof."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from followup.exposure import Instrument
from followup.records import FollowupError, ObservationRequest

FACILITY = "Roof"
INSTRUMENTS = MappingProxyType(
    {
        "CAMERA": Instrument(
            diameter=0.3, throughput=0.3, pixel=1.0, read_noise=5.0, overhead=5.0, setup=60.0, seeing=3.0,
            filters=MappingProxyType({"clear": "r"}), default_filters=("clear",),
        ),
    }
)  # fmt: skip


def payload(request: ObservationRequest, *, target_id: int | None = None, observer: str = "nobody") -> dict[str, Any]:
    """Form data of the roof."""
    if request.instrument not in INSTRUMENTS:
        raise FollowupError(f"the roof has no {request.instrument}")
    first, last = (datetime(1858, 11, 17) + timedelta(days=mjd) for mjd in (request.start, request.end))
    return {
        "facility": FACILITY,
        "observation_type": "ROOF",
        "name": request.key,
        "target_id": target_id,
        "observer": observer,
        "start": first.isoformat(timespec="seconds"),
        "end": last.isoformat(timespec="seconds"),
        "exposures": [[e.filter, e.seconds, e.count] for e in request.exposures],
    }


def check(data: dict[str, Any]) -> list[str]:
    """The roof wants a name."""
    return ["nobody observes"] if data["observer"] == "nobody" else []
