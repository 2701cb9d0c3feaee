"""Rubin alert packets, schemas 8.0 to 11.1, in the wire format of the stream or as Avro containers."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
from numpy.typing import NDArray

from broker_adapters import lsst_wire, times
from broker_adapters.crossmatch import mean_position
from broker_adapters.records import Detections
from classifiers.simulate.packets._encode import Stamps, container, fill, image_file, record_of, split

VERSION = "11.1"
PIXEL, SEEING = 0.2, 0.8  #: arcsec
PSF_SIDE = 41  #: pixels


def write(
    rows: Detections,
    *,
    object_id: str,
    stamps: Stamps | None = None,
    metadata: Mapping[str, Any] = {},
    moving: bool = False,
    version: str = VERSION,
    wire: bool = True,
) -> bytes:
    """Write a packet of one object, from its rows of `DETECTION` (survey 'lsst'; the package explains their use).

    Parameters
    ----------
    rows : ndarray of DETECTION, shape (n,)
        Detections need a diaSourceId as source id. Limits are left out: the schemas have had none since 8.0.
    object_id : str
        diaObjectId, or ssObjectId of a moving object.
    stamps : ndarray, shape (3, h, w), optional
        Science, template and difference in nJy.
    metadata : mapping, optional
        Fields of ``diaSource``, over those that follow from the rows.
    moving : bool
        A known solar-system object: no diaObject.
    version : str
        Version of the schema.
    wire : bool
        Whether to use the Confluent wire format, else an Avro container.
    """
    trigger, earlier, forced, _ = split(rows, "lsst")
    parsed = lsst_wire.schema(version).writer
    ids = {"ssObjectId": int(object_id), "diaObjectId": None} if moving else {"diaObjectId": int(object_id), "ssObjectId": None}
    source = record_of(parsed, "diaSource")
    record = fill(
        parsed,
        {
            "diaSourceId": int(trigger["source_id"][0]),
            "diaSource": fill(source, {**ids, **_sources(trigger)[0], **metadata}),
            "prvDiaSources": [fill(source, {**ids, **s}) for s in _sources(earlier)] or None,
            "prvDiaForcedSources": [fill(record_of(parsed, "prvDiaForcedSources"), f) for f in _forced(object_id, forced)] or None,
            "diaObject": None if moving else fill(record_of(parsed, "diaObject"), _mean(object_id, trigger, earlier)),
            **_cutouts(stamps),
        },
    )
    if not wire:
        return container(parsed, record)
    return encoded(record, version)


def encoded(record: Mapping[str, Any], version: str = VERSION) -> bytes:
    """The content of a packet in the wire format."""
    major, _, minor = version.partition(".")
    stream = BytesIO()
    stream.write(b"\0" + (100 * int(major) + int(minor)).to_bytes(4, "big"))
    fastavro.schemaless_writer(stream, lsst_wire.schema(version).writer, dict(record))
    return stream.getvalue()


def _sources(rows: Detections) -> list[dict[str, Any]]:
    tai = times.tai_from_utc(rows["mjd"]).tolist()
    degrees = rows["position_err"] / 3600.0
    return [
        {
            "diaSourceId": int(row["source_id"]),
            "midpointMjdTai": mjd,
            "band": str(row["band"]),
            "ra": row["ra"],
            "dec": row["dec"],
            "raErr": error / np.cos(np.radians(row["dec"])),
            "decErr": error,
            "psfFlux": row["flux"],
            "psfFluxErr": row["flux_err"],
            "scienceFlux": row["flux"] + row["ref_flux"],
            "scienceFluxErr": row["flux_err"],
            "templateFlux": row["ref_flux"],
            "templateFluxErr": row["ref_flux_err"],
            "snr": abs(row["flux"]) / row["flux_err"],
            "isNegative": bool(row["flux"] < 0),
            "reliability": row["reliability"],
        }
        for row, mjd, error in zip(rows, tai, degrees.tolist(), strict=True)
    ]


def _forced(object_id: str, rows: Detections) -> list[dict[str, Any]]:
    tai = times.tai_from_utc(rows["mjd"]).tolist()
    return [
        {
            "diaForcedSourceId": int(object_id) + k,
            "diaObjectId": int(object_id),
            "midpointMjdTai": mjd,
            "band": str(row["band"]),
            "psfFlux": row["flux"],
            "psfFluxErr": row["flux_err"],
            "scienceFlux": row["flux"] + row["ref_flux"],
            "scienceFluxErr": row["flux_err"],
        }
        for k, (row, mjd) in enumerate(zip(rows, tai, strict=True), 1)
    ]


def _mean(object_id: str, trigger: Detections, earlier: Detections) -> dict[str, Any]:
    """The diaObject of these detections."""
    every = np.concatenate([earlier, trigger])
    ra, dec, error = mean_position(every["ra"], every["dec"], every["position_err"])
    degrees = error / 3600.0
    tai = times.tai_from_utc(every["mjd"])
    return {
        "diaObjectId": int(object_id),
        "ra": ra,
        "dec": dec,
        "raErr": degrees / np.cos(np.radians(dec)),
        "decErr": degrees,
        "firstDiaSourceMjdTai": tai.min(),
        "lastDiaSourceMjdTai": tai.max(),
        "nDiaSources": len(every),
    }


def _cutouts(stamps: Stamps | None) -> dict[str, bytes | None]:
    """FITS files as Rubin's: the image, its standard deviation (from its median absolute deviation) and the PSF."""
    names = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
    return {name: _file(image) for name, image in zip(names, () if stamps is None else stamps, strict=False)}


def _file(image: NDArray[np.float32]) -> bytes | None:
    if np.isnan(image).all():
        return None
    noise = 1.4826 * np.nanmedian(np.abs(image - np.nanmedian(image)))
    offset = np.arange(PSF_SIDE) - PSF_SIDE // 2
    profile = np.exp(-0.5 * (offset * PIXEL * 2.355 / SEEING) ** 2)
    psf = np.outer(profile, profile)
    return image_file(image, ("UNCERT", np.full(image.shape, noise, np.float32)), ("PSFIMAGE", psf / psf.sum()), compress=False)
