"""Rubin Observatory's LSST: alert packets (schemas 7.0 to 11.1), as Avro containers or in the Confluent wire format of the stream.

Identity of a measurement, the same through every broker:

- a detection is its ``diaSourceId``;
- a row of forced photometry is object, band and time (`forced_id`), since the light curves of Lasair carry no ``diaForcedSourceId``.

Traps: ``midpointMjdTai`` is TAI, 37 s ahead of UTC; ``psfFlux`` is the difference and ``scienceFlux`` the total, both nJy and signed;
``raErr`` is an error of the coordinate, in degrees; missing ids are 0 or null, missing numbers NaN or null; solar-system alerts have no
``diaObject``. Ids exceed 2**53.

The wire format (byte 0, four bytes of schema id = 100 x major + minor, one datum) needs the writer's schema from elsewhere:
``schemas/lsst/<version>.json`` holds names and types of the schemas that the package ``lsst-alert-packet`` publishes, and a newer
release of that package, where installed, provides newer versions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import avro, times
from broker_adapters import lifetime as lifetimes
from broker_adapters.errors import PacketError
from broker_adapters.records import Alert, Band, Cutouts, Detections, Kind, Lifetime, Survey, frozen
from broker_adapters.values import check, floats, identifier, identifiers, known_bands, scalars, start, with_flux

Floats = NDArray[np.float64]

#: Effective wavelengths from the LSST Science Requirements Document (LPM-17); nights turn at noon in Chile's winter time zone.
SURVEY = Survey(
    name="lsst",
    title="Rubin/LSST",
    telescope="Rubin", instrument="LSSTCam",
    bands=(
        Band("u", 368.0, colour="#0072b2", red="#7a1c16"),
        Band("g", 478.0, colour="#009e73", red="#ff8a80", ink=0.10),
        Band("r", 622.0, colour="#d55e00", red="#c22a20", ink=0.08),
        Band("i", 753.0, colour="quiet", red="#8a241d"),
        Band("z", 869.0, colour="#cc79a7", red="#e05248"),
        Band("y", 974.0, colour="#f0e442", red="#6a1812", ink=0.30),
    ),
    radius=1.0,  # as in Rubin's own association
    object_id=r"\d{15,19}",
    noon=2 / 3, precedence=0, symbol="diamond",
    pages=(("ALeRCE", "https://lsst.alerce.online/object/{}?survey=lsst"), ("Lasair", "https://lasair.lsst.ac.uk/objects/{}/")),
)  # fmt: skip
BANDS = {band.name: band.name for band in SURVEY.bands}
#: Systematic astrometric floor per axis (SITCOMTN-159), and what Rubin itself assumes where an error is missing (ap_association), arcsec.
POSITION_FLOOR, POSITION_UNKNOWN = 0.005, 0.2
HISTORIES = frozenset({"prvDiaSources", "prvDiaForcedSources", "prvDiaNondetectionLimits"})
_WIRE = 5  #: bytes before the datum


def forced_id(object_id: str, mjd: float, band: str) -> str:
    """Source id of a row of forced photometry from the object, the MJD **TAI** as Rubin gives it (in 1e-5 d, 0.9 s) and the band."""
    return f"{object_id}{band}{round(mjd * 1e5)}"


def limit_id(object_id: str, mjd: float, band: str) -> str:
    """Source id of a non-detection (schemas 7 only): as that of forced photometry, but another."""
    return f"{forced_id(object_id, mjd, band)}limit"


def position_error(ra_err: ArrayLike, dec_err: ArrayLike, dec: ArrayLike) -> Floats:
    """Error per axis in arcseconds, shape (n,), from errors of the coordinates in degrees; 0.2 arcsec where there are none."""
    along = floats(ra_err) * np.cos(np.radians(floats(dec)))
    error = np.hypot(along, floats(dec_err)) / np.sqrt(2.0) * 3600.0
    return np.hypot(POSITION_FLOOR, np.where(error > 0.0, error, POSITION_UNKNOWN))


def reference(
    psf_flux: ArrayLike,
    psf_flux_err: ArrayLike,
    science_flux: ArrayLike,
    science_flux_err: ArrayLike,
    template_flux_err: ArrayLike = np.nan,
) -> tuple[Floats, Floats]:
    """Flux and error in nJy of the template under a measurement: science minus difference, so that the sum is the science flux.

    The error is the template's own where it is known, else what the difference has beyond the science image.
    """
    variance = floats(psf_flux_err) ** 2 - floats(science_flux_err) ** 2
    own = floats(template_flux_err)
    error = np.where(np.isfinite(own), own, np.sqrt(np.where(variance >= 0.0, variance, np.nan)))
    flux = floats(science_flux) - floats(psf_flux)
    return flux, np.where(np.isfinite(flux), error, np.nan)


def detections(
    *,
    dia_source_id: Sequence[Any],
    mjd: ArrayLike,
    band: Sequence[Any],
    psf_flux: ArrayLike,
    psf_flux_err: ArrayLike,
    ra: ArrayLike = np.nan,
    dec: ArrayLike = np.nan,
    position_err: ArrayLike = np.nan,
    reference: tuple[ArrayLike, ArrayLike] = (np.nan, np.nan),
    reliability: ArrayLike = np.nan,
) -> Detections:
    """Rows of `DETECTION`, shape (n,), from columns of diaSources, each of shape (n,).

    ``mjd`` is **TAI** at mid-exposure, fluxes are nJy, ``position_err`` is what `position_error` gives, ``reference`` what `reference`
    does. Where a broker leaves the position out, the row has none.
    """
    rows = start(SURVEY, Kind.ALERT, known_bands(band, BANDS, SURVEY), times.utc_from_tai(floats(mjd)))
    rows["source_id"] = identifiers(dia_source_id)
    rows["flux"], rows["flux_err"] = floats(psf_flux), floats(psf_flux_err)
    rows["ref_flux"], rows["ref_flux_err"] = reference
    rows["ra"], rows["dec"] = floats(ra), floats(dec)
    rows["position_err"] = np.where(np.isfinite(rows["ra"]), position_err, np.nan)
    rows["reliability"] = floats(reliability)
    return rows


def forced(
    object_id: str,
    *,
    mjd: ArrayLike,
    band: Sequence[Any],
    psf_flux: ArrayLike,
    psf_flux_err: ArrayLike,
    reference: tuple[ArrayLike, ArrayLike] = (np.nan, np.nan),
) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of diaForcedSources, each of shape (n,); rows without a flux are left out."""
    mjd = np.atleast_1d(floats(mjd))
    rows = start(SURVEY, Kind.FORCED, known_bands(band, BANDS, SURVEY), times.utc_from_tai(mjd))
    rows["source_id"] = [forced_id(object_id, m, b) for m, b in zip(mjd.tolist(), band, strict=True)]
    rows["flux"], rows["flux_err"] = floats(psf_flux), floats(psf_flux_err)
    rows["ref_flux"], rows["ref_flux_err"] = reference
    return with_flux(rows)


def limits(object_id: str, *, mjd: ArrayLike, band: Sequence[Any], noise: ArrayLike) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of non-detection limits (schemas 7): ``noise`` is one sigma in nJy."""
    mjd = np.atleast_1d(floats(mjd))
    rows = start(SURVEY, Kind.LIMIT, known_bands(band, BANDS, SURVEY), times.utc_from_tai(mjd))
    rows["source_id"] = [limit_id(object_id, m, b) for m, b in zip(mjd.tolist(), band, strict=True)]
    rows["flux_err"] = floats(noise)
    return with_flux(rows)


@lru_cache(maxsize=32)
def schema(version: str) -> avro.Schema:
    """The writer's schema of a version such as ``'11.1'``.

    Raises
    ------
    PacketError
        Neither we nor an installed ``lsst-alert-packet`` know it.
    """
    own = files("broker_adapters.surveys").joinpath(f"schemas/lsst/{version}.json")
    if own.is_file():
        return avro.parsed(own.read_bytes())
    published = _published(version)
    if published is None:
        raise PacketError(f"LSST alert schema {version} is not known; a newer lsst-alert-packet may have it")
    return avro.parsed(published)


def _published(version: str) -> str | None:
    """A schema out of the files of the package ``lsst-alert-packet``, which is not imported: it would load half of Rubin's stack."""
    try:
        spec = find_spec("lsst.alert.packet")
    except ModuleNotFoundError:
        return None
    major, _, minor = version.partition(".")
    for root in spec.submodule_search_locations or () if spec else ():
        folder = Path(root) / "schema" / major / minor
        parts = {p.name.removesuffix(".avsc"): json.loads(p.read_text()) for p in folder.glob("*.avsc")}
        top = f"lsst.v{major}_{minor}.alert"
        if top in parts:
            return json.dumps(_inlined(parts.pop(top), parts))
    return None


def _inlined(node: Any, parts: dict[str, Any]) -> Any:
    """The schema with each type of another file put where it is first named."""
    if isinstance(node, str):
        return _inlined(parts.pop(node), parts) if node in parts else node
    if isinstance(node, list):
        return [_inlined(n, parts) for n in node]
    if isinstance(node, dict):
        return {k: _inlined(v, parts) if k in ("type", "items", "fields") else v for k, v in node.items()}
    return node


def recognises(packet: bytes) -> bool:
    """Whether these bytes are in the Confluent wire format, or an Avro container whose records have a ``diaSource``."""
    return packet[:1] == b"\0" or "diaSource" in avro.fields(packet)


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet; without its histories, which then are not even decoded, if ``history`` is False.

    Raises
    ------
    PacketError
        The bytes cannot be decoded, or their content is impossible; or it is a simulated packet of
        ELAsTiCC, without Rubin's ids and zero point.
    """
    record = _record(packet, frozenset() if history else HISTORIES)
    source = record["diaSource"]
    dia_object: dict[str, Any] = record.get("diaObject") or {}
    moving = not dia_object
    object_id = identifier((source.get("ssObjectId") if moving else dia_object.get("diaObjectId")) or source.get("diaObjectId"))
    triggering = dia_sources([source])
    ra, dec, error, mjd = (float(triggering[name][0]) for name in ("ra", "dec", "position_err", "mjd"))
    mean = floats([dia_object.get(name) for name in ("ra", "dec", "raErr", "decErr")])
    if np.isfinite(mean[:2]).all():  # Rubin's own mean; never there for moving objects
        ra, dec, error = float(mean[0]), float(mean[1]), float(position_error(mean[2], mean[3], mean[1]))
    check(ra, dec)
    return Alert(
        survey="lsst",
        object_id=object_id,
        source_id=str(triggering["source_id"][0]),
        ra=ra,
        dec=dec,
        position_err=error,
        mjd=mjd,
        detections=frozen(np.concatenate([triggering, *_history(object_id, record)])),
        cutouts=Cutouts(*(record.get(f"cutout{name}") or None for name in ("Science", "Template", "Difference"))),
        metadata=scalars(source),
        moving=moving,
        broker="lsst",
        lifetime=None if moving else lifetime(dia_object),
    )


def lifetime(dia_object: Mapping[str, Any]) -> Lifetime | None:
    """The life of an object in a diaObject: ``firstDiaSourceMjdTai``, ``lastDiaSourceMjdTai`` and ``nDiaSources`` (since schema 8.0).

    They are of the object's own diaSources, 5 sigma and more. The dates are TAI, and null or NaN in most packets so far.
    """
    fields = (dia_object.get(name) for name in ("firstDiaSourceMjdTai", "lastDiaSourceMjdTai", "nDiaSources"))
    return lifetimes.stated(*fields, clock=times.utc_from_tai)


def _record(packet: bytes, without: frozenset[str]) -> dict[str, Any]:
    if packet[:1] == b"\0":
        if not _WIRE < len(packet) <= avro.MAX_PACKET:
            raise PacketError(f"{len(packet)} bytes are no alert in the Confluent wire format")
        number = int.from_bytes(packet[1:_WIRE], "big")
        return avro.datum(packet[_WIRE:], schema(f"{number // 100}.{number % 100}"), without)
    known = avro.fields(packet)["diaSource"]
    if "psFlux" in known or "psfFlux" not in known:
        raise PacketError("a simulated (ELAsTiCC) or early packet: its ids and fluxes are not those of LSST alerts since schema 7")
    return avro.read(packet, without)


def _history(object_id: str, record: Mapping[str, Any]) -> tuple[Detections, Detections, Detections]:
    """Earlier detections, forced photometry and limits, without rows that Rubin has withdrawn and rows without a band."""
    sources, forced_sources, noises = (
        [r for r in record.get(name) or () if r.get("band") and r.get("timeWithdrawnMjdTai") is None]
        for name in ("prvDiaSources", "prvDiaForcedSources", "prvDiaNondetectionLimits")
    )
    return (
        dia_sources(sources),
        dia_forced_sources(object_id, forced_sources),
        limits(
            object_id,
            mjd=_column(noises, "midpointMjdTai"),
            band=_column(noises, "band"),
            noise=_column(noises, "diaNoise"),
        ),
    )


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [r.get(name) for r in rows]


def _reference(rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, Floats]:
    return reference(*(_column(rows, name) for name in ("psfFlux", "psfFluxErr", "scienceFlux", "scienceFluxErr", "templateFluxErr")))


def dia_forced_sources(object_id: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from n diaForcedSources with the packet's names of the fields, any of which may be absent."""
    return forced(
        object_id,
        mjd=_column(rows, "midpointMjdTai"),
        band=_column(rows, "band"),
        psf_flux=_column(rows, "psfFlux"),
        psf_flux_err=_column(rows, "psfFluxErr"),
        reference=_reference(rows),
    )


def dia_sources(rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (n,), from n diaSources with the packet's names of the fields; all but id, time and band may be absent."""
    return detections(
        dia_source_id=_column(rows, "diaSourceId"),
        mjd=_column(rows, "midpointMjdTai"),
        band=_column(rows, "band"),
        psf_flux=_column(rows, "psfFlux"),
        psf_flux_err=_column(rows, "psfFluxErr"),
        ra=_column(rows, "ra"),
        dec=_column(rows, "dec"),
        position_err=position_error(_column(rows, "raErr"), _column(rows, "decErr"), _column(rows, "dec")),
        reference=_reference(rows),
        reliability=_column(rows, "reliability"),
    )
