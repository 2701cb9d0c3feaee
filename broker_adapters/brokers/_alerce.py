"""Read ALeRCE's answers: pure functions from JSON to alerts (the client is in `broker_adapters.brokers.alerce`).

Traps: 100.0 is an undefined magnitude or error; keys whose value is null may be absent; ZTF times are the *start* of the
exposure; ``drb`` is 0.0 where there is none; ``sigmara`` is in degrees or in arcseconds, so that it is not used; LSST times are TAI, null
fluxes are sent as 0.0 and null ids as -1, and ``sid`` 2 is a solar-system object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from broker_adapters import lifetime, photometry, times
from broker_adapters.brokers._answers import column, flat, labels, listed
from broker_adapters.crossmatch import mean_position
from broker_adapters.errors import PacketError
from broker_adapters.records import Alert, Detections, Lifetime, frozen
from broker_adapters.significance import alerts
from broker_adapters.surveys import lsst, ztf
from broker_adapters.values import check, floats, identifier, number, sane, scalars, sound

_FIDS = {"g": 1, "r": 2, "i": 3}
_BANDS = {"6": "u", "1": "g", "2": "r", "3": "i", "4": "z", "5": "y"}  # as every ``band_map`` so far


def read_ztf(about: Mapping[str, Any], detections: Any = (), non_detections: Any = (), forced: Any = (), probabilities: Any = ()) -> Alert:
    """Make one alert of all answers about a ZTF object.

    Parameters
    ----------
    about : mapping
        The object: answer of ``/ztf/v1/objects/<oid>``, or an item of the list.
    detections, non_detections, forced, probabilities : lists of JSON objects
        As the addresses of these names answer.

    Raises
    ------
    PacketError
        An answer is not what it should be.
    """
    oid = identifier(about.get("oid"))
    dropped: Counter[str] = Counter()
    rows = np.concatenate(
        [
            _ztf_detections(listed(detections or None, "detections", dropped)),
            _ztf_limits(oid, listed(non_detections or None, "non_detections", dropped)),
            _ztf_forced(oid, listed(forced or None, "forced photometry", dropped)),
        ]
    )
    return _alert(
        "ztf",
        oid,
        sound(rows, dropped),
        place=(number(about.get("meanra")), number(about.get("meandec")), ztf.POSITION_FLOOR),
        latest=float(times.mid_exposure(number(about.get("lastmjd")), ztf.EXPOSURE)),
        metadata={k: about.get(k) for k in ("ndethist", "ncovhist", "corrected", "stellar", "ndet") if k in about},
        labels=labels("alerce", listed(probabilities or None, "probabilities", dropped)),
        life=_ztf_lifetime(about),
        dropped=dropped,
    )


def _ztf_lifetime(about: Mapping[str, Any]) -> Lifetime | None:
    """The life of an object: ZTF's own dates and counts, which ALeRCE keeps of the latest packet, and ALeRCE's, which are of its alerts.

    ``ndethist`` is a text; all dates are MJD at the *start* of the exposure.
    """

    def stated(*names: str) -> Lifetime | None:
        return lifetime.stated(*(about.get(name) for name in names), clock=lambda mjd: times.mid_exposure(mjd, ztf.EXPOSURE))

    return lifetime.merged([stated("mjdstarthist", "mjdendhist", "ndethist", "ncovhist"), stated("firstmjd", "lastmjd", "ndet")])


def _ztf_detections(rows: Sequence[Mapping[str, Any]]) -> Detections:
    deep, shallow = floats(column(rows, "drb")), floats(column(rows, "rb"))
    bare = ztf.detections(
        candid=column(rows, "candid"),
        mjd=floats(column(rows, "mjd")),
        fid=column(rows, "fid"),
        magpsf=column(rows, "magpsf"),
        sigmapsf=column(rows, "sigmapsf"),
        isdiffpos=column(rows, "isdiffpos"),
        ra=column(rows, "ra"),
        dec=column(rows, "dec"),
        reliability=np.where(deep > 0.0, deep, shallow),
    )
    total, error = column(rows, "magpsf_corr"), column(rows, "sigmapsf_corr")
    bare["ref_flux"], bare["ref_flux_err"] = ztf.reference_from_total(bare["flux"], bare["flux_err"], total, error)
    return bare


def _ztf_limits(oid: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    return ztf.limits(oid, mjd=floats(column(rows, "mjd")), fid=column(rows, "fid"), diffmaglim=column(rows, "diffmaglim"))


def _ztf_forced(oid: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Forced photometry, which ALeRCE gives as magnitudes of the absolute difference; older answers keep half of it in ``extra_fields``."""
    rows = [{**extra, **row} if isinstance(extra := row.get("extra_fields"), Mapping) else row for row in rows]
    rows = [row for row in rows if ztf.usable(row.get("procstatus"))]
    flux = photometry.flux_from_magnitude(_defined(column(rows, "mag")), ztf.sign(column(rows, "isdiffpos")))
    return ztf.forced(
        oid,
        mjd=floats(column(rows, "mjd")),
        fid=[_FIDS.get(str(fid), fid) for fid in column(rows, "fid")],
        flux=flux,
        flux_err=photometry.flux_error(flux, _defined(column(rows, "e_mag"))),
        reference=ztf.reference(floats(column(rows, "distnr")) / ztf.PIXEL, column(rows, "magnr"), column(rows, "sigmagnr")),
    )


def _defined(values: Sequence[Any]) -> Any:
    """Magnitudes or their errors, NaN for ALeRCE's 100."""
    numbers = floats(values)
    return np.where(numbers < 100.0, numbers, np.nan)


def read_lsst(about: Mapping[str, Any], detections: Any = (), forced: Any = (), probabilities: Any = ()) -> Alert:
    """Make one alert of all answers about an LSST object; parameters and errors as those of `read_ztf`."""
    oid = identifier(about.get("oid"))
    dropped: Counter[str] = Counter()
    sources, forced_sources = (
        [_as_packet(row) for row in listed(rows or None, what, dropped)]
        for rows, what in ((detections, "detections"), (forced, "forced photometry"))
    )
    rows, withdrawn = lsst.photometry(oid, sources, forced_sources, dropped)
    return _alert(
        "lsst",
        oid,
        rows,
        place=(number(about.get("meanra")), number(about.get("meandec")), lsst.POSITION_UNKNOWN),
        latest=float(times.utc_from_tai(number(about.get("lastmjd")))),
        metadata={k: about.get(k) for k in ("n_det", "n_forced", "stellar") if k in about},
        labels=labels("alerce", listed(probabilities or None, "probabilities", dropped)),
        moving=about.get("sid") == 2 or lsst.all_moving(sources),
        withdrawn=withdrawn,
        dropped=dropped,
        life=lifetime.stated(about.get("firstmjd"), about.get("lastmjd"), about.get("n_det"), clock=times.utc_from_tai),
    )


def _as_packet(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of LSST photometry under the names of Rubin's packets, with ALeRCE's values for null put back to None."""
    bands = row.get("band_map") or _BANDS
    row = flat(row)
    band = row.get("band_name") or (bands.get(str(row.get("band"))) if isinstance(bands, Mapping) else None)
    packet = {**row, "band": band, "diaSourceId": row.get("measurement_id"), "midpointMjdTai": row.get("mjd")}
    for name in ("psfFlux", "scienceFlux", "templateFlux"):
        error = row.get(f"{name}Err")
        if row.get(name) == 0.0 or not (isinstance(error, (int, float)) and error > 0.0):
            packet[name] = packet[f"{name}Err"] = None
    return packet


def _alert(
    survey: str,
    oid: str,
    rows: Detections,
    *,
    place: tuple[float, float, float],
    latest: float,
    metadata: Mapping[str, Any],
    labels: Any,
    life: Lifetime | None,
    moving: bool = False,
    withdrawn: tuple[str, ...] = (),
    dropped: Mapping[str, int],
) -> Alert:
    """The alert of an object: at the mean of its detections, or at ``place`` where it has none."""
    seen = rows[alerts(rows)]
    ra, dec, error = place
    if not moving and np.isfinite(seen["ra"]).any():
        ra, dec, error = mean_position(seen["ra"], seen["dec"], seen["position_err"])
    check(ra, dec)
    mjd = float(seen["mjd"].max()) if len(seen) else latest
    if not sane(mjd):
        raise PacketError(f"{oid}: no detection and no time of one")
    return Alert(
        survey=survey,
        object_id=oid,
        source_id=None,
        ra=ra,
        dec=dec,
        position_err=error,
        mjd=mjd,
        detections=frozen(rows),
        metadata=scalars(metadata),
        labels=labels,
        moving=moving,
        broker="alerce",
        lifetime=None if moving else life,
        withdrawn=withdrawn,
        dropped=dropped,
    )
