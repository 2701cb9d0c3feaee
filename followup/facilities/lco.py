"""Las Cumbres Observatory: data for the toolkit's LCO forms 'IMAGING', 'MUSCAT_IMAGING' and 'SPECTRA' (tomtoolkit 3.1)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from followup import ocs, ocs_portal
from followup.exposure import Instrument
from followup.records import FollowupError, ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "LCO"
DEFAULT_INSTRUMENT = "1M0-SCICAM-SINISTRO"
#: Without a proposal the portal accepts nothing.
NEEDED = ("proposal",)
MUSCAT = "2M0-SCICAM-MUSCAT"
#: Instrument -> names in `followup.sites.SITES`: the network observes where the night is.
SITES = MappingProxyType(
    {
        "1M0-SCICAM-SINISTRO": ("Cerro Tololo", "McDonald", "Siding Spring", "Sutherland", "Teide"),
        "0M4-SCICAM-QHY600": ("Cerro Tololo", "Haleakala", "McDonald", "Siding Spring", "Sutherland", "Teide"),
        "2M0-FLOYDS-SCICAM": ("Haleakala", "Siding Spring"),
        MUSCAT: ("Haleakala", "Siding Spring"),
    }
)

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
        MUSCAT: Instrument(
            diameter=1.9,
            throughput=0.25,
            pixel=0.27,
            read_noise=14.0,
            overhead=6.0,
            setup=90.0,
            seeing=1.4,
            filters=MappingProxyType({"griz": "r"}),  # its four cameras expose at once
            default_filters=("griz",),
            hour_angle=_HOUR_ANGLE,
            horizon=_HORIZON,
        ),
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
    muscat_mode: str = "SYNCHRONOUS",
    repeats: int = 1,
    lasting: float = 0.0,
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
    muscat_mode : {'SYNCHRONOUS', 'ASYNCHRONOUS'}
        Whether the four cameras of MuSCAT wait for one another.
    repeats : int
        How often the sequence of all exposures is taken.
    lasting : float
        Seconds for which the sequence is repeated each time, a time series (``REPEAT_EXPOSE``, ``REPEAT_SPECTRUM``); 0 takes it once.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, or has not the filters; or the request has more filters than the form takes.
    """
    camera = ocs.known(request, FACILITY, INSTRUMENTS)
    spectrum, together = camera.resolution > 0.0, request.instrument == MUSCAT
    data = ocs.form_data(
        request,
        FACILITY,
        "SPECTRA" if spectrum else "MUSCAT_IMAGING" if together else "IMAGING",
        target_id=target_id,
        proposal=proposal,
        ipp_value=ipp_value,
        observation_mode=observation_mode,
        optimization_type=optimization_type,
        repeats=repeats,
    )
    kind = "SPECTRUM" if spectrum else "EXPOSE"
    data |= {"c_1_configuration_type": f"REPEAT_{kind}" if lasting else kind, "c_1_guide_mode": "ON"}
    data |= {"c_1_repeat_duration": lasting} if lasting else {}
    if together:
        return data | _together(request, readout_mode) | {"c_1_ic_1_exposure_mode": muscat_mode}
    data |= {"c_1_acquisition_mode": "WCS"} if spectrum else {}
    for i, exposure in enumerate(request.exposures, start=1):
        place = f"c_1_ic_{i}"
        data |= {f"{place}_exposure_count": exposure.count, f"{place}_exposure_time": exposure.seconds}
        data |= {f"{place}_slit": exposure.filter, f"{place}_rotator_mode": "VFLOAT"} if spectrum else {f"{place}_filter": exposure.filter}
        data |= {f"{place}_readout_mode": readout_mode} if readout_mode else {}
    return data


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without the portal."""
    return ocs.problems(data, INSTRUMENTS)


asked, portal_problems, credentials_refused = ocs.asked, ocs.portal_problems, ocs.credentials_refused
STATES, carry, find, failure = ocs_portal.STATES, ocs_portal.carry, ocs_portal.find, ocs_portal.failure


def _together(request: ObservationRequest, readout_mode: str) -> dict[str, Any]:
    """MuSCAT exposes in its four bands at once, here for the same time in each, and without its narrow-band filters."""
    if len(request.exposures) > 1:
        raise FollowupError(f"{len(request.exposures)} exposures in one request; MuSCAT takes one, in its four bands")
    (exposure,) = request.exposures
    data: dict[str, Any] = {f"c_1_ic_1_exposure_time_{band}": exposure.seconds for band in exposure.filter}
    data |= {f"c_1_ic_1_narrowband_{band}_position": "out" for band in exposure.filter}
    return data | {"c_1_ic_1_exposure_count": exposure.count} | ({"c_1_ic_1_readout_mode": readout_mode} if readout_mode else {})
