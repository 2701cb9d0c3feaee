"""Las Cumbres Observatory: data for the toolkit's LCO forms 'IMAGING' and 'SPECTRA' (tomtoolkit 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin

import requests

from broker_adapters.times import datetime_from_mjd
from followup.exposure import Instrument
from followup.records import FollowupError, ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "LCO"
DEFAULT_INSTRUMENT = "1M0-SCICAM-SINISTRO"
#: Without a proposal the portal accepts nothing.
NEEDED = ("proposal",)

_DEFAULT_FILTERS = ("gp", "rp")
#: Those of the 0.4 m: its wheel has no R and no I (and narrow bands, for which exposure times are not known here).
_QHY600 = MappingProxyType({"up": "u", "gp": "g", "rp": "r", "ip": "i", "zs": "z", "B": "B", "V": "V"})
_SINISTRO = MappingProxyType({**_QHY600, "R": "R", "I": "I"})
#: Hours and degrees: limits of pointing in the portal's configuration of the network (``ha_limit_pos``, ``ha_limit_neg``, ``horizon``).
_HOUR_ANGLE, _HORIZON = 4.6, 15.0

#: Pixels, read noise and overheads from LCO's instrument and overhead pages, filters and slits from the portal's ``/api/instruments/``;
#: throughput of atmosphere, mirrors, filter and detector together, and seeing, are typical of the class of telescope.
INSTRUMENTS = MappingProxyType(
    {
        "1M0-SCICAM-SINISTRO": Instrument(
            diameter=0.94,
            throughput=0.30,
            pixel=0.389,
            read_noise=8.0,
            overhead=28.0,
            setup=90.0,
            seeing=1.8,
            filters=_SINISTRO,
            default_filters=_DEFAULT_FILTERS,
            hour_angle=_HOUR_ANGLE,
            horizon=_HORIZON,
        ),
        "0M4-SCICAM-QHY600": Instrument(
            diameter=0.32,
            throughput=0.25,
            pixel=0.74,
            read_noise=3.2,
            overhead=7.0,
            setup=90.0,
            seeing=2.5,
            filters=_QHY600,
            default_filters=_DEFAULT_FILTERS,
            hour_angle=_HOUR_ANGLE,
            horizon=_HORIZON,
        ),
        "2M0-FLOYDS-SCICAM": Instrument(
            diameter=1.9,
            throughput=0.08,
            pixel=0.34,
            read_noise=3.5,
            overhead=26.0,
            setup=240.0,
            seeing=1.6,
            filters=MappingProxyType({"slit_1.6as": "r", "slit_2.0as": "r"}),
            resolution=500.0,
            hour_angle=_HOUR_ANGLE,
            horizon=_HORIZON,
        ),
    }
)

#: The portal's bounds of the intra-proposal priority, and the length of a request's name there.
_IPP = (0.5, 2.0)
_NAME = 50
#: Instrument configurations that the toolkit's form has by default (``max_instrument_configs``).
_CONFIGURATIONS = 5
#: Where the token of a request is at the portal, beside ``observation_note``, which people see there.
_KEY = "tom_alerce"

#: State of a request at the portal -> our state (`tom_alerce.models.FollowupRequest.State`), with words.
STATES = MappingProxyType(
    {
        "PENDING": ("submitted", "waiting to be scheduled"),
        "COMPLETED": ("observed", "observed"),
        "CANCELED": ("cancelled", "cancelled at the portal"),
        "WINDOW_EXPIRED": ("expired", "its window has passed, and it was not observed"),
        "FAILURE_LIMIT_REACHED": ("failed", "every attempt has failed, and the portal makes no other"),
    }
)


def payload(
    request: ObservationRequest,
    *,
    target_id: int | None = None,
    proposal: str = "",
    ipp_value: float = 1.05,
    observation_mode: str = "NORMAL",
    optimization_type: str = "TIME",
    readout_mode: str = "",
) -> dict[str, Any]:
    """Return form data for ``LCOFacility().create_form_instance(data['observation_type'], data=data)``, plain JSON.

    Times are UTC and carry no time zone, as the form expects; the form reads them in Django's current time zone, so clean it under
    ``django.utils.timezone.override("UTC")``. Look at ``form.errors`` before ``form.is_valid()``, which asks the portal even
    about a form that has errors, and then raises a KeyError (tomtoolkit 3.1.0).

    Parameters
    ----------
    request : ObservationRequest
        For an instrument of `INSTRUMENTS`.
    target_id : int, optional
        Primary key of the TOM's target; without it the form cannot validate the data.
    proposal : str
        Code of the LCO proposal to which the time is charged.
    ipp_value : float
        Intra-proposal priority, 0.5 to 2.
    observation_mode : {'NORMAL', 'RAPID_RESPONSE', 'TIME_CRITICAL'}
        How the scheduler treats the request.
    optimization_type : {'TIME', 'AIRMASS'}
        Observe as soon as possible, or at the lowest airmass.
    readout_mode : str
        Readout mode as the portal names it; '' takes the instrument's default.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, or has not the filters; or the request has more filters than the form takes.
    """
    if request.instrument not in INSTRUMENTS:
        raise FollowupError(f"no LCO instrument {request.instrument!r}; it has: {', '.join(sorted(INSTRUMENTS))}")
    if absent := _absent(request.instrument, [e.filter for e in request.exposures]):
        raise FollowupError(absent)
    if not 1 <= len(request.exposures) <= _CONFIGURATIONS:
        raise FollowupError(f"{len(request.exposures)} filters in one request; LCO's form takes 1 to {_CONFIGURATIONS}")
    spectrum = INSTRUMENTS[request.instrument].resolution > 0.0
    data: dict[str, Any] = {
        "facility": FACILITY,
        "observation_type": "SPECTRA" if spectrum else "IMAGING",
        "name": request.title(_NAME),
        "proposal": proposal,
        "ipp_value": ipp_value,
        "observation_mode": observation_mode,
        "optimization_type": optimization_type,
        "configuration_repeats": 1,
        "start": _iso(request.start),
        "end": _iso(request.end),
        "c_1_instrument_type": request.instrument,
        "c_1_configuration_type": "SPECTRUM" if spectrum else "EXPOSE",
        "c_1_max_airmass": request.max_airmass,
        "c_1_min_lunar_distance": int(request.min_lunar_distance),
    }
    data |= {"c_1_acquisition_mode": "WCS", "c_1_guide_mode": "ON"} if spectrum else {"c_1_guide_mode": "ON"}
    if target_id is not None:
        data["target_id"] = target_id
    for i, exposure in enumerate(request.exposures, start=1):
        place = f"c_1_ic_{i}"
        data |= {
            f"{place}_exposure_count": exposure.count,
            f"{place}_exposure_time": exposure.seconds,
            f"{place}_{'slit' if spectrum else 'filter'}": exposure.filter,
        }
        if readout_mode:
            data[f"{place}_readout_mode"] = readout_mode
        if spectrum:
            data[f"{place}_rotator_mode"] = "VFLOAT"
    return data


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without the portal."""
    problems = []
    if not data.get("proposal"):
        problems.append("no proposal: give its code in the settings of the facility")
    if data.get("target_id") is None:
        problems.append("not a TOM target yet")
    if not _IPP[0] <= float(data["ipp_value"]) <= _IPP[1]:
        problems.append(f"ipp_value {data['ipp_value']} is not within {_IPP[0]} to {_IPP[1]}")
    if absent := _absent(data["c_1_instrument_type"], _elements(data)):
        problems.append(absent)
    if data["start"] >= data["end"]:
        problems.append(f"the window is empty: {data['start']} to {data['end']}")
    return tuple(problems)


def portal_problems(form: Any, data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data by the portal's own list of instruments, for which the toolkit's form has asked."""
    get = getattr(form, "get_instruments", None)
    listed = get() if get is not None else None
    name = data["c_1_instrument_type"]
    entry = listed.get(name) if isinstance(listed, dict) else None
    groups = entry.get("optical_elements") if isinstance(entry, dict) else None
    if not isinstance(groups, dict):  # an instrument that the portal lacks is an error of the form
        return ()
    there = [e.get("code") for elements in groups.values() for e in elements or () if isinstance(e, dict) and e.get("schedulable")]
    absent = [element for element in _elements(data) if element not in there]
    return (_lacking(name, absent, map(str, there)),) if absent else ()


def _elements(data: Mapping[str, Any]) -> list[str]:
    """Filters and slits in form data."""
    return [str(value) for key, value in data.items() if re.fullmatch(r"c_1_ic_\d+_(filter|slit)", key)]


def _absent(instrument: str, elements: Sequence[str]) -> str:
    """The reason why an instrument cannot observe through these filters or slits; '' where it can."""
    there = INSTRUMENTS[instrument].filters if instrument in INSTRUMENTS else {}
    absent = [element for element in elements if element not in there]
    return _lacking(instrument, absent, there) if absent else ""


def _lacking(instrument: str, absent: Iterable[str], there: Iterable[str]) -> str:
    return f"{instrument} has no {', '.join(dict.fromkeys(absent))}; it has: {', '.join(there)}"


def credentials_refused(form: Any) -> bool:
    """Whether the portal refused the key in the settings: the toolkit hides that, and its form then offers only proposal 0."""
    return 0 in dict(getattr(form.fields.get("proposal"), "choices", ()))


def carry(sent: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Return what is sent to the portal with the token in it: the toolkit's forms leave both places empty."""
    parts = [
        {**one, "observation_note": token, "extra_params": {**(one.get("extra_params") or {}), _KEY: token}} for one in sent["requests"]
    ]
    return {**sent, "requests": parts}


def find(facility: Any, data: Mapping[str, Any], token: str) -> list[list[str]]:
    """Return the ids of the requests of every group at the portal that carries the token, whoever has sent it.

    The portal's filter by name is *contains*: the whole token is compared.

    Raises
    ------
    requests.RequestException
        The portal gave no usable answer.
    """
    query: Mapping[str, Any] | None = {"name": data["name"], "proposal": data.get("proposal", ""), "limit": 100}
    url, groups = "/api/requestgroups/", []
    while url:
        answer = _get(facility, url, query)
        groups += answer["results"]
        url, query = answer["next"], None
    return [[str(one["id"]) for one in group["requests"]] for group in groups if token in map(_token, group["requests"])]


def failure(facility: Any, observation_id: str) -> str:
    """Return what the telescopes say of the attempts that failed; '' if nothing."""
    blocks = _get(facility, f"/api/requests/{observation_id}/observations/")
    told = []
    for block in blocks:
        summaries = [one.get("summary") or {} for one in block.get("configuration_statuses", ())]
        reasons = "; ".join(dict.fromkeys(str(one["reason"]) for one in summaries if one.get("reason")))
        if block["state"] in ("ABORTED", "FAILED", "NOT_ATTEMPTED"):
            told.append(f"{block['site']} {block['start'][:16]} {block['state'].lower()}" + (f" ({reasons})" if reasons else ""))
    return ", ".join(told)


def _get(facility: Any, path: str, query: Mapping[str, Any] | None = None) -> Any:
    """JSON of the portal that the settings of the TOM's facility name; time-outs are the caller's, as for the toolkit's own calls."""
    settings = facility.facility_settings
    key = settings.get_setting("api_key")
    headers = {"Authorization": f"Token {key}"} if key else {}
    answer = requests.get(urljoin(settings.get_setting("portal_url"), path), params=query, headers=headers)
    answer.raise_for_status()
    return answer.json()


def _token(one: Mapping[str, Any]) -> str:
    return str((one.get("extra_params") or {}).get(_KEY) or one.get("observation_note") or "")


def _iso(mjd: float) -> str:
    return datetime_from_mjd(mjd).replace(tzinfo=None).isoformat(timespec="seconds")
