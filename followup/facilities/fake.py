"""A facility without a telescope: for tests, for demos, and as an example for facilities of your own.

Its class in the TOM is ``demo.facility.FakeFacility`` in our repository: a form that checks requests on this machine and asks nobody. Its
portal is a folder, with one file for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker_adapters.times import datetime_from_mjd
from followup.asked import Asked, exposures, mjd, reading
from followup.exposure import Instrument
from followup.records import FollowupError, ObservationRequest

FACILITY = "Fake"
DEFAULT_INSTRUMENT = "CAMERA"
#: A camera on a telescope of one metre, and a spectrograph on one of two.
INSTRUMENTS = MappingProxyType(
    {
        "CAMERA": Instrument(
            diameter=0.94,
            throughput=0.30,
            pixel=0.4,
            read_noise=8.0,
            overhead=30.0,
            setup=90.0,
            seeing=1.8,
            filters=MappingProxyType({"g": "g", "r": "r", "i": "i"}),
            default_filters=("g", "r"),
        ),
        "SPECTROGRAPH": Instrument(
            diameter=1.9,
            throughput=0.08,
            pixel=0.34,
            read_noise=3.5,
            overhead=30.0,
            setup=240.0,
            seeing=1.6,
            filters=MappingProxyType({"slit": "r"}),
            resolution=500.0,
            default_filters=("slit",),
        ),
    }
)


def payload(request: ObservationRequest, *, target_id: int | None = None, program: str = "FAKE") -> dict[str, Any]:
    """Return form data of ``FakeFacility``, plain JSON; times are UTC.

    Parameters
    ----------
    request : ObservationRequest
        For an instrument of `INSTRUMENTS`.
    target_id : int, optional
        Primary key of the TOM's target.
    program : str
        Code of the observing program; anything but ''.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`.
    """
    if request.instrument not in INSTRUMENTS:
        raise FollowupError(f"the fake facility has no instrument {request.instrument!r}; it has: {', '.join(INSTRUMENTS)}")
    return {
        "facility": FACILITY,
        "observation_type": "REQUEST",
        "name": request.title(),
        "target_id": target_id,
        "program": program,
        "instrument": request.instrument,
        "exposures": [{"filter": e.filter, "seconds": e.seconds, "count": e.count} for e in request.exposures],
        "start": datetime_from_mjd(request.start).isoformat(timespec="seconds"),
        "end": datetime_from_mjd(request.end).isoformat(timespec="seconds"),
        "max_airmass": request.max_airmass,
        "min_lunar_distance": request.min_lunar_distance,
    }


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without asking the facility."""
    problems = []
    if not data["program"]:
        problems.append("no program: give its code in the settings of the facility")
    if data["target_id"] is None:
        problems.append("not a TOM target yet")
    return tuple(problems)


def asked(data: Mapping[str, Any]) -> Asked:
    """Read back what form data ask for; FollowupError where that cannot be read."""
    with reading():
        shots = exposures(data["exposures"])
        limits = float(data["max_airmass"]), float(data["min_lunar_distance"])
        window, program = (mjd(data["start"]), mjd(data["end"])), str(data["program"])
        return Asked(str(data["instrument"]), shots, *window, *limits, proposal=program)


#: State of a request at the portal -> our state (`tom_alerce.models.FollowupRequest.State`), with words.
STATES = MappingProxyType(
    {
        "PENDING": ("submitted", "waiting to be scheduled"),
        "COMPLETED": ("observed", "observed"),
        "CANCELED": ("cancelled", "cancelled at the portal"),
        "FAILED": ("failed", "the telescope has tried it and failed"),
    }
)


def carry(sent: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Return what is sent to the portal with the token in it."""
    return {**sent, "token": token}


def find(facility: Any, data: Mapping[str, Any], token: str) -> list[list[str]]:
    """Return the identity of every request at the portal that carries the token, a list for each."""
    return [[identity] for identity in facility.with_token(token)]
