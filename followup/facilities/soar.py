"""SOAR in AEON nights: data for the toolkit's SOAR forms 'IMAGING' and 'Goodman_RED_Spectra' (tomtoolkit 3.1).

The portal is that of Las Cumbres, with its key. SOAR observes such requests in the nights of the AEON queue only, which the portal's
windows do not show: a request outside of them expires.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from followup import ocs, ocs_portal
from followup.exposure import Instrument
from followup.records import ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "SOAR"
DEFAULT_INSTRUMENT = "SOAR_GHTS_REDCAM"
#: Without a proposal the portal accepts nothing.
NEEDED = ("proposal",)
#: Instrument -> names in `followup.sites.SITES`.
SITES = MappingProxyType(dict.fromkeys(("SOAR_GHTS_REDCAM", "SOAR_GHTS_REDCAM_IMAGER"), ("Cerro Pachon",)))

_SDSS = MappingProxyType({f"{band}-SDSS": band for band in "griz"})
#: The Goodman spectrograph's red camera (4.1 m; Clemens et al. 2004, SPIE 5492, 331), through a slit and as an imager. Names of filters
#: and readout modes are those of the AEON queue (in the portal's ``/api/instruments/``, as AEONlib has them), which lists no slits and
#: gratings any more: they come with the readout mode, and the form leaves ours out. Throughput and seeing are typical.
INSTRUMENTS = MappingProxyType(
    {
        "SOAR_GHTS_REDCAM": Instrument(
            diameter=3.9,
            throughput=0.14,
            pixel=0.30,
            read_noise=4.0,
            overhead=10.0,
            setup=900.0,
            seeing=1.0,
            filters=MappingProxyType({"slit_1.0as": "r"}),
            resolution=850.0,
            default_filters=("slit_1.0as",),
            horizon=22.0,
        ),
        "SOAR_GHTS_REDCAM_IMAGER": Instrument(
            diameter=3.9,
            throughput=0.25,
            pixel=0.30,
            read_noise=4.0,
            overhead=10.0,
            setup=420.0,
            seeing=1.0,
            filters=_SDSS,
            default_filters=("g-SDSS", "r-SDSS"),
            horizon=22.0,
        ),
    }
)
_ARC_SECONDS = 0.5


def payload(
    request: ObservationRequest,
    *,
    target_id: int | None = None,
    proposal: str = "",
    ipp_value: float = 1.05,
    observation_mode: str = "NORMAL",
    grating: str = "SYZY_400",
    readout_mode: str = "GHTS_R_400m1_2x2",
    imager_readout_mode: str = "GHTS_R_Image_2x2",
) -> dict[str, Any]:
    """Return form data for ``SOARFacility().create_form_instance(data['observation_type'], data=data)``, plain JSON; times are UTC.

    A spectrum comes with an arc, for which the form has a time of its own and takes the slit, grating and readout mode of the spectrum.

    Parameters
    ----------
    request : ObservationRequest
        For an instrument of `INSTRUMENTS`.
    target_id : int, optional
        Primary key of the TOM's target; without it the form cannot validate the data.
    proposal : str
        Code of the proposal to which the time is charged.
    ipp_value : float
        Intra-proposal priority, 0.5 to 2.
    observation_mode : {'NORMAL', 'TIME_CRITICAL'}
        How the scheduler treats the request.
    grating, readout_mode, imager_readout_mode : str
        Of spectra, and of images, as the portal names them.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, or has not the filters; or the request has more filters than the form takes.
    """
    spectrum = ocs.known(request, FACILITY, INSTRUMENTS).resolution > 0.0
    options = {"target_id": target_id, "proposal": proposal, "ipp_value": ipp_value, "observation_mode": observation_mode}
    data = ocs.form_data(request, FACILITY, "Goodman_RED_Spectra" if spectrum else "IMAGING", **options)  # type: ignore[arg-type]
    data |= {"c_1_configuration_type": "SPECTRUM" if spectrum else "EXPOSE", "c_1_guide_mode": "ON"}
    for i, exposure in enumerate(request.exposures, start=1):
        place = f"c_1_ic_{i}"
        data |= {f"{place}_exposure_count": exposure.count, f"{place}_exposure_time": exposure.seconds}
        data |= _through(place, exposure.filter, grating, readout_mode) if spectrum else {f"{place}_filter": exposure.filter}
        if not spectrum and imager_readout_mode:
            data[f"{place}_readout_mode"] = imager_readout_mode
    if spectrum:
        data |= {"c_1_acquisition_mode": "MANUAL", "c_2_instrument_type": request.instrument, "c_2_configuration_type": "ARC"}
        # the portal lists no other modes, and itself takes the acquisition from an arc
        data |= {"c_2_acquisition_mode": "MANUAL", "c_2_guide_mode": "ON", "c_2_max_airmass": request.max_airmass}
        data |= {"c_2_ic_1_exposure_count": 1, "c_2_ic_1_exposure_time": _ARC_SECONDS}
        data |= _through("c_2_ic_1", request.exposures[0].filter, grating, readout_mode)
    return data


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without the portal."""
    return ocs.problems(data, INSTRUMENTS)


asked, portal_problems, credentials_refused = ocs.asked, ocs.portal_problems, ocs.credentials_refused
STATES, carry, find, failure = ocs_portal.STATES, ocs_portal.carry, ocs_portal.find, ocs_portal.failure


def _through(place: str, slit: str, grating: str, readout_mode: str) -> dict[str, Any]:
    return {f"{place}_slit": slit, f"{place}_grating": grating, f"{place}_readout_mode": readout_mode, f"{place}_rotator_mode": "SKY"}
