"""ESO: data for the form of the app ``tom_eso`` (0.3), which makes an empty observation block in a run of a person's own.

What its class does: ``submit_observation`` gives ``[]``, since the block is finished and submitted in ESO's own P2 tool, which its page
embeds; it has no states. So our own *send* is refused (`BY_HAND`): the form is opened, filled in. Credentials are a person's own
(``ESOProfile``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from broker_adapters.times import datetime_from_mjd
from followup import ocs
from followup.asked import Asked, exposures, mjd, reading
from followup.exposure import Instrument
from followup.records import ObservationRequest

#: Name of the facility in the TOM.
FACILITY = "ESO"
DEFAULT_INSTRUMENT = "XSHOOTER"
#: Why a request is not sent from here.
BY_HAND = "ESO takes observation blocks from its own P2 tool: open the TOM's form, which makes an empty one, and finish it there"
#: Instrument -> names in `followup.sites.SITES`.
SITES = MappingProxyType({"XSHOOTER": ("Paranal",), "FORS2": ("Paranal",), "EFOSC": ("La Silla",)})
#: Spectrographs and a camera (Vernet et al. 2011, A&A 536, A105; Appenzeller et al. 1998, The Messenger 94, 1; Buzzoni et al. 1984, The
#: Messenger 38, 9); throughputs and seeing are typical.
INSTRUMENTS = MappingProxyType(
    {
        "XSHOOTER": Instrument(
            diameter=8.1,
            throughput=0.15,
            pixel=0.16,
            read_noise=3.0,
            overhead=60.0,
            setup=900.0,
            seeing=0.9,
            filters=MappingProxyType({"slit": "r"}),
            resolution=8000.0,
            default_filters=("slit",),
            horizon=20.0,
        ),
        "FORS2": Instrument(
            diameter=8.1,
            throughput=0.30,
            pixel=0.25,
            read_noise=3.0,
            overhead=40.0,
            setup=600.0,
            seeing=0.9,
            filters=MappingProxyType({"b_HIGH": "B", "v_HIGH": "V", "R_SPECIAL": "R", "I_BESS": "I"}),
            default_filters=("R_SPECIAL",),
            horizon=20.0,
        ),
        "EFOSC": Instrument(
            diameter=3.4,
            throughput=0.15,
            pixel=0.24,
            read_noise=9.0,
            overhead=30.0,
            setup=600.0,
            seeing=1.1,
            filters=MappingProxyType({"slit#1.0": "r"}),
            resolution=400.0,
            default_filters=("slit#1.0",),
            horizon=20.0,
        ),
    }
)


def payload(request: ObservationRequest, *, target_id: int | None = None, run: int = 0, folder: int = 0) -> dict[str, Any]:
    """Return form data for ``ESOFacility().create_form_instance('ESO', data=data)``, plain JSON; times are UTC.

    What the block is to have (instrument, exposures, window) goes with them for the person who fills it in.

    Parameters
    ----------
    request : ObservationRequest
        For an instrument of `INSTRUMENTS`.
    target_id : int, optional
        Primary key of the TOM's target.
    run, folder : int
        Identities of the observing run and of a folder in it, as P2 shows them; 0 leaves them to the person.

    Raises
    ------
    FollowupError
        The instrument is not in `INSTRUMENTS`, or has not the filters.
    """
    ocs.known(request, FACILITY, INSTRUMENTS)
    return {
        "facility": FACILITY,
        "observation_type": "ESO",
        "name": request.title(),
        "target_id": target_id,
        "p2_observing_run": run,
        "p2_folder_name": folder,
        "observation_block_name": request.title(),
        "instrument": request.instrument,
        "exposures": [{"filter": e.filter, "seconds": e.seconds, "count": e.count} for e in request.exposures],
        "start": datetime_from_mjd(request.start).isoformat(timespec="seconds"),
        "end": datetime_from_mjd(request.end).isoformat(timespec="seconds"),
        "max_airmass": request.max_airmass,
        "min_lunar_distance": request.min_lunar_distance,
    }


def check(data: dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of form data that can be found without asking ESO."""
    return () if data["target_id"] is not None else ("not a TOM target yet",)


def asked(data: Mapping[str, Any]) -> Asked:
    """Read back what form data ask for; FollowupError where that cannot be read."""
    with reading():
        shots = exposures(data["exposures"])
        limits = float(data["max_airmass"]), float(data["min_lunar_distance"])
        return Asked(str(data["instrument"]), shots, mjd(data["start"]), mjd(data["end"]), *limits)
