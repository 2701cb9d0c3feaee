"""Blanco 4 m in AEON nights: data for the toolkit's BLANCO form 'IMAGING' (tomtoolkit 3.1).

The portal is that of Las Cumbres, with its key. The form has fields of dithers and coadds that it insists on, for configurations that are
not used as well, and offers only the detectors of NEWFIRM, which the portal refuses for DECam: `adapt` adds those that it takes.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from followup import ocs, ocs_portal
from followup.exposure import Instrument
from followup.records import ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "BLANCO"
DEFAULT_INSTRUMENT = "BLANCO_DECAM"
#: Without a proposal the portal accepts nothing.
NEEDED = ("proposal",)
#: Instrument -> names in `followup.sites.SITES`.
SITES = MappingProxyType({"BLANCO_DECAM": ("Cerro Tololo",)})
#: Where the target falls on DECam, between the middle detectors or on one beside them, as the portal's ``/api/instruments/`` lists them.
CENTERING = ("central_gap", "N4", "S4")
#: The Dark Energy Camera (Flaugher et al. 2015, AJ 150, 150); throughput with the atmosphere.
INSTRUMENTS = MappingProxyType(
    {
        "BLANCO_DECAM": Instrument(
            diameter=3.7,
            throughput=0.38,
            pixel=0.263,
            read_noise=7.0,
            overhead=30.0,
            setup=180.0,
            seeing=1.1,
            filters=MappingProxyType({band: band for band in "griz"}),
            default_filters=("g", "r"),
            hour_angle=5.25,
            horizon=23.0,
        ),
    }
)
#: What the form insists on, in each configuration and in each of its exposures.
_DITHERS = {"dither_value": 80, "dither_sequence": "2x2", "dither_sequence_random_offset": True}
_REPEATS = {"coadds": 1, "sequence_repeats": 1}


def payload(
    request: ObservationRequest,
    *,
    target_id: int | None = None,
    proposal: str = "",
    ipp_value: float = 1.05,
    observation_mode: str = "NORMAL",
    detector_centering: str = "central_gap",
) -> dict[str, Any]:
    """Return form data for ``BLANCOFacility().create_form_instance('IMAGING', data=data)``, plain JSON; times are UTC.

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
    detector_centering : str
        Where the target falls, one of `CENTERING`.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, or has not the filters; or the request has more filters than the form takes.
    """
    ocs.known(request, FACILITY, INSTRUMENTS)
    options = {"target_id": target_id, "proposal": proposal, "ipp_value": ipp_value, "observation_mode": observation_mode}
    data = ocs.form_data(request, FACILITY, "IMAGING", **options)  # type: ignore[arg-type]
    data |= {"c_1_configuration_type": "EXPOSE", "c_1_guide_mode": "ON"}
    for c in range(1, ocs.CONFIGURATIONS + 1):
        data |= {f"c_{c}_{name}": value for name, value in _DITHERS.items()} | {f"c_{c}_detector_centering": detector_centering}
        data |= {f"c_{c}_ic_{i}_{name}": value for i in range(1, ocs.CONFIGURATIONS + 1) for name, value in _REPEATS.items()}
    for i, exposure in enumerate(request.exposures, start=1):
        place = f"c_1_ic_{i}"
        data |= {f"{place}_exposure_count": exposure.count, f"{place}_exposure_time": exposure.seconds, f"{place}_filter": exposure.filter}
    return data


def adapt(form: Any) -> None:
    """Let the toolkit's form take what the portal takes for DECam."""
    for name, field in form.fields.items():
        if name.endswith("_detector_centering"):
            field.choices = [*field.choices, *((one, one) for one in CENTERING)]


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without the portal."""
    return ocs.problems(data, INSTRUMENTS)


asked, portal_problems, credentials_refused = ocs.asked, ocs.portal_problems, ocs.credentials_refused
STATES, carry, find, failure = ocs_portal.STATES, ocs_portal.carry, ocs_portal.find, ocs_portal.failure
