"""ZTF alert packets, schema 4.02."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from broker_adapters import photometry, times
from broker_adapters.records import Detections
from broker_adapters.surveys import ztf
from classifiers.simulate.packets._encode import Stamps, container, cutouts, fill, record_of, schema, split

VERSION = "4.02"
#: A usual photometric zero point of an exposure, AB magnitude of 1 DN.
ZERO_POINT = 26.2
#: Distance in pixels of a reference source under the detection.
REFERENCE_DISTANCE = 0.3
_FID = {band: fid for fid, band in ztf.BANDS.items()}
_PER_CANDID = 1_000_000  #: candidates of one processed image
_FIRST_NIGHT = 2457754.5  #: JD that ``nid`` and ``pid`` count from


def write(
    rows: Detections, *, object_id: str, stamps: Stamps | None = None, metadata: Mapping[str, Any] = {}, publisher: str = "simulated"
) -> bytes:
    """Write a packet of one object, from its rows of `DETECTION` (survey 'ztf'; the package explains their use).

    Parameters
    ----------
    rows : ndarray of DETECTION, shape (n,)
        Detections need a candid as source id; forced photometry and limits need none, being known by time and band.
    object_id : str
        ``ZTF``, two digits and seven small letters.
    stamps : ndarray, shape (3, h, w), optional
        Science, template and difference, in DN; 63 x 63 unless clipped at an edge.
    metadata : mapping, optional
        Fields of ``candidate``, over those that follow from the rows.
    publisher : str
        Publisher named in the packet.
    """
    trigger, earlier, forced, limits = split(rows, "ztf")
    parsed = schema("ztf_4.02")
    candidate = {**_measured(trigger)[0], **_history(trigger, earlier), **metadata}
    previous = record_of(parsed, "prv_candidates")
    candid = int(trigger["source_id"][0])
    past = sorted([*_measured(earlier), *_unmeasured(limits)], key=lambda p: p["jd"])
    record = {
        "schemavsn": VERSION,
        "publisher": publisher,
        "objectId": object_id,
        "candid": candid,
        "candidate": fill(record_of(parsed, "candidate"), candidate),
        "prv_candidates": [fill(previous, {k: v for k, v in p.items() if k not in ("drb", "exptime")}) for p in past] or None,
        "fp_hists": [fill(record_of(parsed, "fp_hists"), f) for f in _forced(forced)] or None,
        **cutouts(stamps, f"candid{candid}"),
    }
    return container(parsed, record)


def _jd(rows: Detections) -> list[float]:
    """Start of the exposures, to 1e-7 d as in real packets."""
    start = times.jd_from_mjd(times.mid_exposure(rows["mjd"], -ztf.EXPOSURE))
    jd: list[float] = np.round(start, 7).tolist()
    return jd


def _pid(jd: float) -> int:
    """Identifier of a processed image: night since 2017, millionths of the day, and a fixed quadrant."""
    return round((jd - _FIRST_NIGHT) * 1e6) * 1000 + 115


def _reference(rows: Detections) -> list[dict[str, Any]]:
    magnitude = photometry.magnitude_from_flux(rows["ref_flux"])
    error = photometry.magnitude_error(rows["ref_flux"], rows["ref_flux_err"])
    return [
        {"magnr": m, "sigmagnr": e, "distnr": REFERENCE_DISTANCE} if np.isfinite(m) else {}
        for m, e in zip(magnitude.tolist(), error.tolist(), strict=True)
    ]


def _measured(rows: Detections) -> list[dict[str, Any]]:
    """Candidates without the fields of the triggering one."""
    size = np.abs(rows["flux"])
    magnitude, error = photometry.magnitude_from_flux(size), photometry.magnitude_error(size, rows["flux_err"])
    limit = photometry.limit_from_flux_error(rows["flux_err"], ztf.LIMIT_SIGMA)
    return [
        {
            "jd": jd,
            "fid": _FID[str(row["band"])],
            "pid": int(row["source_id"]) // _PER_CANDID,
            "candid": int(row["source_id"]),
            "programid": 1,
            "isdiffpos": "t" if row["flux"] > 0 else "f",
            "magpsf": m,
            "sigmapsf": e,
            "diffmaglim": d,
            "ra": row["ra"],
            "dec": row["dec"],
            "rb": row["reliability"],
            "drb": row["reliability"],
            "magzpsci": ZERO_POINT,
            "exptime": ztf.EXPOSURE,
            **reference,
        }
        for row, jd, m, e, d, reference in zip(
            rows, _jd(rows), magnitude.tolist(), error.tolist(), limit.tolist(), _reference(rows), strict=True
        )
    ]


def _history(trigger: Detections, earlier: Detections) -> dict[str, Any]:
    """Fields of the triggering candidate on the history of the object."""
    jd = [*_jd(earlier), *_jd(trigger)]
    sentinel = dict.fromkeys(("ssdistnr", "ssmagnr", "distpsnr1", "distpsnr2", "distpsnr3", "sgscore1", "sgscore2", "sgscore3"), -999.0)
    return {**sentinel, "ssnamenr": "null", "ndethist": len(jd), "ncovhist": len(jd), "jdstarthist": min(jd), "jdendhist": max(jd)}


def _unmeasured(rows: Detections) -> list[dict[str, Any]]:
    limit = photometry.limit_from_flux_error(rows["flux_err"], ztf.LIMIT_SIGMA)
    return [
        {"jd": jd, "fid": _FID[str(row["band"])], "pid": _pid(jd), "diffmaglim": d, "programid": 1, "magzpsci": ZERO_POINT}
        for row, jd, d in zip(rows, _jd(rows), limit.tolist(), strict=True)
    ]


def _forced(rows: Detections) -> list[dict[str, Any]]:
    flux = photometry.counts_from_flux(rows["flux"], ZERO_POINT)
    error = photometry.counts_from_flux(rows["flux_err"], ZERO_POINT)
    return [
        {
            "jd": jd,
            "fid": _FID[str(row["band"])],
            "pid": _pid(jd),
            "programid": 1,
            "forcediffimflux": f,
            "forcediffimfluxunc": e,
            "magzpsci": ZERO_POINT,
            "procstatus": "0",
            "exptime": ztf.EXPOSURE,
            **reference,
        }
        for row, jd, f, e, reference in zip(rows, _jd(rows), flux.tolist(), error.tolist(), _reference(rows), strict=True)
    ]
