"""Form data of facilities that are scheduled by an observation portal of the OCS kind: what SOAR and Blanco share."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from broker_adapters.times import datetime_from_mjd
from followup.asked import NORMAL, Asked, mjd, reading
from followup.exposure import Instrument
from followup.records import Exposure, FollowupError, ObservationRequest

#: The portal's bounds of the intra-proposal priority, and the length of a request's name there.
IPP = (0.5, 2.0)
NAME = 50
#: Configurations, and instrument configurations in each, that the toolkit's forms have by default.
CONFIGURATIONS = 5

_ELEMENT = re.compile(r"c_1_ic_(\d+)_(filter|slit|grating)")
#: MuSCAT exposes in four bands at once, each for a time of its own: together they are one exposure, as long as the longest.
_AT_ONCE = re.compile(r"c_1_ic_(\d+)_exposure_time_([a-z]+)")


def form_data(
    request: ObservationRequest,
    facility: str,
    observation_type: str,
    *,
    target_id: int | None,
    proposal: str,
    ipp_value: float,
    observation_mode: str,
    optimization_type: str = "TIME",
    repeats: int = 1,
) -> dict[str, Any]:
    """Form data that all requests to such a portal have, with the first configuration's target and constraints; times are UTC."""
    data: dict[str, Any] = {
        "facility": facility,
        "observation_type": observation_type,
        "name": request.title(NAME),
        "proposal": proposal,
        "ipp_value": ipp_value,
        "observation_mode": observation_mode,
        "optimization_type": optimization_type,
        "configuration_repeats": repeats,
        "start": written(request.start),
        "end": written(request.end),
        "c_1_instrument_type": request.instrument,
        "c_1_max_airmass": request.max_airmass,
        "c_1_min_lunar_distance": int(request.min_lunar_distance),
    }
    return data if target_id is None else data | {"target_id": target_id}


def known(request: ObservationRequest, facility: str, instruments: Mapping[str, Instrument]) -> Instrument:
    """The instrument of a request, which has all its filters and takes so many exposures; FollowupError where there is none."""
    if request.instrument not in instruments:
        raise FollowupError(f"no {facility} instrument {request.instrument!r}; it has: {', '.join(sorted(instruments))}")
    camera = instruments[request.instrument]
    if absent := [e.filter for e in request.exposures if e.filter not in camera.filters]:
        raise FollowupError(lacking(request.instrument, absent, camera.filters))
    if not 1 <= len(request.exposures) <= CONFIGURATIONS:
        raise FollowupError(f"{len(request.exposures)} filters in one request; {facility}'s form takes 1 to {CONFIGURATIONS}")
    return camera


def asked(data: Mapping[str, Any]) -> Asked:
    """Read back what form data ask for.

    Raises
    ------
    FollowupError
        A number or a time cannot be read.
    """
    with reading():
        return Asked(
            instrument=str(data.get("c_1_instrument_type", "")),
            exposures=_exposures(data),
            start=mjd(data.get("start")),
            end=mjd(data.get("end")),
            max_airmass=float(data.get("c_1_max_airmass") or math.inf),
            min_lunar_distance=float(data.get("c_1_min_lunar_distance") or 0.0),
            mode=str(data.get("observation_mode") or NORMAL),
            proposal=str(data.get("proposal") or ""),
            repeats=int(data.get("configuration_repeats") or 1),
            lasting=float(data.get("c_1_repeat_duration") or 0.0),
        )


def problems(data: Mapping[str, Any], instruments: Mapping[str, Instrument]) -> tuple[str, ...]:
    """The problems of form data that can be found without the portal."""
    found = []
    if not data.get("proposal"):
        found.append("no proposal: give its code in the settings of the facility")
    if data.get("target_id") is None:
        found.append("not a TOM target yet")
    try:
        with reading():
            ipp, wanted = float(data["ipp_value"]), asked(data)
    except FollowupError as error:
        return (*found, str(error))
    if not IPP[0] <= ipp <= IPP[1]:
        found.append(f"ipp_value {data['ipp_value']} is not within {IPP[0]} to {IPP[1]}")
    there = instruments[wanted.instrument].filters if wanted.instrument in instruments else {}
    if absent := [e.filter for e in wanted.exposures if e.filter not in there]:
        found.append(lacking(wanted.instrument, absent, there))
    if not wanted.start < wanted.end:
        found.append(f"the window is empty: {data.get('start')} to {data.get('end')}")
    return tuple(found)


def portal_problems(form: Any, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The problems of form data by the portal's own list of instruments, for which the toolkit's form has asked."""
    get = getattr(form, "get_instruments", None)
    listed, name = get() if get is not None else None, data["c_1_instrument_type"]
    entry = listed.get(name) if isinstance(listed, dict) else None
    groups = entry.get("optical_elements") if isinstance(entry, dict) else None
    if not isinstance(groups, dict):  # an instrument that the portal lacks is an error of the form
        return ()
    there = [e.get("code") for elements in groups.values() for e in elements or () if isinstance(e, dict) and e.get("schedulable")]
    asked_for = [(match[2], value) for key, value in data.items() if (match := _ELEMENT.fullmatch(key))]
    # SOAR lists no slits and gratings any more, which come with the readout mode: the toolkit's form then sends none
    absent = [str(value) for kind, value in asked_for if value not in there and (kind == "filter" or f"{kind}s" in groups)]
    return (lacking(name, absent, map(str, there)),) if absent else ()


def credentials_refused(form: Any) -> bool:
    """Whether the portal refused the key in the settings: the toolkit hides that, and its form then offers only proposal 0."""
    return 0 in dict(getattr(form.fields.get("proposal"), "choices", ()))


def lacking(instrument: str, absent: Iterable[str], there: Iterable[str]) -> str:
    """A sentence that says what an instrument has not got, and what it has."""
    return f"{instrument} has no {', '.join(dict.fromkeys(absent))}; it has: {', '.join(there)}"


def written(moment: float) -> str:
    """A time (MJD, UTC) as these forms read it: without a zone."""
    return datetime_from_mjd(moment).replace(tzinfo=None).isoformat(timespec="seconds")


def _exposures(data: Mapping[str, Any]) -> tuple[Exposure, ...]:
    """Those of the first configuration; a slit or a filter names one, and a grating only where there is neither."""
    found: dict[int, Exposure] = {}
    for kind in (("filter", "slit"), ("grating",)):
        for key, value in data.items():
            match = _ELEMENT.fullmatch(key)
            if match and match[2] in kind and value and int(match[1]) not in found:
                place = f"c_1_ic_{match[1]}"
                count = int(data.get(f"{place}_exposure_count") or 1)
                found[int(match[1])] = Exposure(str(value), float(data.get(f"{place}_exposure_time") or 0.0), count)
    for i in sorted({int(match[1]) for key in data if (match := _AT_ONCE.fullmatch(key))} - set(found)):
        bands = {match[2]: float(value or 0.0) for key, value in data.items() if (match := _AT_ONCE.fullmatch(key)) and int(match[1]) == i}
        found[i] = Exposure("".join(bands), max(bands.values()), int(data.get(f"c_1_ic_{i}_exposure_count") or 1))
    return tuple(found[i] for i in sorted(found))
