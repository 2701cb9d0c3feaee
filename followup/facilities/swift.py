"""Swift UVOT: data for the form of the app ``tom_swift`` (0.4), which asks for a target of opportunity.

What its class does: ``submit_observation`` gives ``[None]`` when Swift refuses, and an identity that is not real while its form's
``debug`` is on, so that it is off here; it cannot tell a state nor cancel. Only the target's name travels with a request, and no key:
after a lost answer a person looks at https://www.swift.psu.edu/toop/. The window is not sent; it sets the urgency.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker_adapters.times import datetime_from_mjd
from followup.asked import Asked, exposures, mjd, reading
from followup.exposure import Instrument
from followup.records import FollowupError, ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "Swift"
#: A request is refused without these: what is asked for, and why.
NEEDED = ("science_justification", "exposure_justification")
#: In space: no site.
SITES: Mapping[str, tuple[str, ...]] = MappingProxyType({"UVOT": ()})
#: Optical filters (Poole et al. 2008, MNRAS 383, 627), whose exposure times are known here; the effective area as a throughput of 30 cm.
INSTRUMENTS = MappingProxyType(
    {
        "UVOT": Instrument(
            diameter=0.30,
            throughput=0.03,
            pixel=0.502,
            read_noise=0.0,
            overhead=0.0,
            setup=300.0,
            seeing=2.5,
            filters=MappingProxyType({"u": "u", "b": "B", "v": "V"}),
            default_filters=("u",),
        ),
    }
)
#: Filters of a request -> the mode of the filter wheel.
_MODES = MappingProxyType({frozenset("u"): 0x01AA, frozenset("b"): 0x2016, frozenset("v"): 0x2005, frozenset("ubv"): 0x209A})
#: Urgencies of Swift: within a day, and days to a week. Those that wake the scientist on duty are for people to choose.
_WITHIN_A_DAY, _DAYS = 2, 3


def payload(
    request: ObservationRequest,
    *,
    target_id: int | None = None,
    target_type: str = "Supernova",
    science_justification: str = "",
    exposure_justification: str = "",
    proposal_id: str = "",
    proposal_pi: str = "",
) -> dict[str, Any]:
    """Return form data for ``SwiftFacility().create_form_instance('Swift TOO Observation', data=data)``, plain JSON; times are UTC.

    Parameters
    ----------
    request : ObservationRequest
        For UVOT with one of its filters, or with all three.
    target_id : int, optional
        Primary key of the TOM's target.
    target_type : str
        'Supernova', 'AGN', 'Nova', 'Tidal Disruption Event', ... as Swift's form offers them.
    science_justification, exposure_justification : str
        Why it is to be observed rapidly, and for so long.
    proposal_id, proposal_pi : str
        Of a Guest Investigator programme, if one is triggered.

    Raises
    ------
    FollowupError
        Another instrument, or filters for which there is no mode.
    """
    if request.instrument not in INSTRUMENTS:
        raise FollowupError(f"no Swift instrument {request.instrument!r}; it has: {', '.join(INSTRUMENTS)}")
    mode = _MODES.get(frozenset(e.filter for e in request.exposures))
    if mode is None:
        raise FollowupError(
            f"UVOT has no mode for the filters {', '.join(e.filter for e in request.exposures)}; it has u, b, v, and all three"
        )
    seconds = sum(e.seconds * e.count for e in request.exposures)
    return {
        "facility": FACILITY,
        "observation_type": "Swift TOO Observation",
        "name": request.title(),
        "target_id": target_id,
        "target_classification_choices": target_type,
        "poserr": 0.0,
        "instrument": request.instrument,
        "urgency": _WITHIN_A_DAY if request.end - request.start <= 1.0 else _DAYS,
        "obs_type": "Light Curve",
        "immediate_objective": f"Early photometry ({request.title()}).",
        "science_just": science_justification,
        "exposure": seconds,
        "exp_time_just": exposure_justification,
        "num_of_visits": 1,
        "proposal": bool(proposal_id),
        "proposal_id": proposal_id,
        "proposal_pi": proposal_pi,
        "proposal_trigger_just": science_justification if proposal_id else "",
        "xrt_mode": 7,
        "uvot_mode_choices": str(mode),
        "uvot_just": exposure_justification,
        "debug": False,
        "exposures": [{"filter": e.filter, "seconds": e.seconds, "count": e.count} for e in request.exposures],
        "start": datetime_from_mjd(request.start).isoformat(timespec="seconds"),
        "end": datetime_from_mjd(request.end).isoformat(timespec="seconds"),
    }


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without asking Swift."""
    problems = [] if data["target_id"] is not None else ["not a TOM target yet"]
    for field, option in (("science_just", "science_justification"), ("exp_time_just", "exposure_justification")):
        if not data[field]:
            problems.append(f"no {option.replace('_', ' ')}: Swift's scientists read it; give {option} in the settings of the facility")
    if data["debug"]:
        problems.append("debug is on: Swift would answer with an identity that is not real")
    return tuple(problems)


def asked(data: Mapping[str, Any]) -> Asked:
    """Read back what form data ask for; FollowupError where that cannot be read."""
    with reading():
        shots = exposures(data.get("exposures", ()))
        window = mjd(data.get("start")), mjd(data.get("end"))
        return Asked(str(data["instrument"]), shots, *window, float("inf"), 0.0, proposal=str(data.get("proposal_id") or ""))
