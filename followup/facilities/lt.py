"""Liverpool Telescope: data for the forms 'IOO' and 'SPRAT' of the app ``tom_lt`` (0.5).

What its class does: a request that the telescope rejects is given an identity all the same; the identity is the second of its making, so
that two requests of one second share it; it cannot tell a state, and does not cancel. Only the target's name travels with a request, and
no key: after a lost answer a person looks at the telescope's phase 2 pages. Its module reads ``FACILITIES["LT"]["proposalIDs"]`` when it
is imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker_adapters.times import datetime_from_mjd
from followup import ocs
from followup.asked import Asked, mjd, reading
from followup.exposure import Instrument
from followup.records import Exposure, FollowupError, ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "LT"
DEFAULT_INSTRUMENT = "IO:O"
#: Without a proposal the telescope accepts nothing.
NEEDED = ("project",)
#: Instrument -> names in `followup.sites.SITES`.
SITES = MappingProxyType(dict.fromkeys(("IO:O", "SPRAT"), ("Roque de los Muchachos",)))

#: Filters of the form, in its order, and ours: the form insists on a time and a count of each.
_FIELDS = ("U", "R", "G", "I", "Z", "B", "V", "Halpha6566", "Halpha6634", "Halpha6705", "Halpha6755", "Halpha6822")
_FILTERS = MappingProxyType({"U": "u", "G": "g", "R": "r", "I": "i", "Z": "z", "B": "B", "V": "V"})
#: Camera and spectrograph of the 2 m (Steele et al. 2004, SPIE 5489, 679; Piascik et al. 2014, SPIE 9147, 91478H); throughputs are typical.
INSTRUMENTS = MappingProxyType(
    {
        "IO:O": Instrument(
            diameter=1.9,
            throughput=0.25,
            pixel=0.30,
            read_noise=8.0,
            overhead=19.0,
            setup=120.0,
            seeing=1.4,
            filters=_FILTERS,
            default_filters=("G", "R"),
            horizon=25.0,
        ),
        "SPRAT": Instrument(
            diameter=1.9,
            throughput=0.10,
            pixel=0.44,
            read_noise=3.3,
            overhead=10.0,
            setup=240.0,
            seeing=1.4,
            filters=MappingProxyType({"red": "r", "blue": "V"}),
            resolution=350.0,
            default_filters=("red",),
            horizon=25.0,
        ),
    }
)
_UNUSED = 120.0


def payload(
    request: ObservationRequest,
    *,
    target_id: int | None = None,
    project: str = "",
    max_seeing: float = 2.0,
    max_sky: float = 4.0,
    photometric: str = "light",
    binning: str = "2x2",
) -> dict[str, Any]:
    """Return form data for ``LTFacility().create_form_instance(data['observation_type'], data=data)``, plain JSON; times are UTC.

    Parameters
    ----------
    request : ObservationRequest
        For an instrument of `INSTRUMENTS`; SPRAT takes one grating.
    target_id : int, optional
        Primary key of the TOM's target.
    project : str
        Proposal, one of ``FACILITIES["LT"]["proposalIDs"]``.
    max_seeing, max_sky : float
        Arcseconds; magnitudes per square arcsecond brighter than a dark sky.
    photometric : {'light', 'clear'}
        Whether thin clouds are accepted.
    binning : {'2x2', '1x1'}
        Of the camera.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, has not the filters, or does not take so many.
    """
    camera = ocs.known(request, FACILITY, INSTRUMENTS)
    data: dict[str, Any] = {
        "facility": FACILITY,
        "observation_type": "SPRAT" if camera.resolution else "IOO",
        "name": request.title(),
        "target_id": target_id,
        "instrument": request.instrument,
        "project": project,
        "max_airmass": request.max_airmass,
        "max_seeing": max_seeing,
        "max_skybri": max_sky,
        "photometric": photometric,
    }
    for name, moment in (("start", math.ceil(request.start * 1440.0)), ("end", math.floor(request.end * 1440.0))):
        at = datetime_from_mjd(moment / 1440.0)
        data |= {f"{name}date": f"{at:%Y-%m-%d}", f"{name}time": f"{at:%H:%M}"}
    if camera.resolution:
        if len(request.exposures) > 1:
            raise FollowupError("SPRAT takes one grating in a request")
        (exposure,) = request.exposures
        return data | {"grating": exposure.filter, "exp_time": exposure.seconds, "exp_count": exposure.count}
    data |= {f"exp_time_{name}": _UNUSED for name in _FIELDS} | {f"exp_count_{name}": 0 for name in _FIELDS} | {"binning": binning}
    for exposure in request.exposures:
        data |= {f"exp_time_{exposure.filter}": exposure.seconds, f"exp_count_{exposure.filter}": exposure.count}
    return data


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without asking the telescope."""
    problems = []
    if not data["project"]:
        problems.append("no proposal: give project in the settings of the facility")
    if data["target_id"] is None:
        problems.append("not a TOM target yet")
    return tuple(problems)


def portal_problems(form: Any, data: dict[str, Any]) -> tuple[str, ...]:
    """Return what the TOM's form shows: the toolkit's own class of this name is a stub, which validates and sends nothing."""
    return () if "project" in form.fields else ("this TOM has the toolkit's stub of LT, which sends nothing: install tom_lt",)


def asked(data: Mapping[str, Any]) -> Asked:
    """Read back what form data ask for; FollowupError where that cannot be read."""
    with reading():
        window = [mjd(f"{data[f'{name}date']}T{data[f'{name}time']}") for name in ("start", "end")]
        airmass, project = float(data["max_airmass"]), str(data.get("project") or "")
        return Asked(str(data["instrument"]), _exposures(data), window[0], window[1], airmass, 0.0, proposal=project)


def _exposures(data: Mapping[str, Any]) -> tuple[Exposure, ...]:
    if data["observation_type"] == "SPRAT":
        return (Exposure(str(data["grating"]), float(data["exp_time"]), int(data["exp_count"])),)
    counts = {name: int(data.get(f"exp_count_{name}") or 0) for name in _FIELDS}
    return tuple(Exposure(name, float(data[f"exp_time_{name}"]), count) for name, count in counts.items() if count)
