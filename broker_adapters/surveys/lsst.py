"""Rubin Observatory's LSST: alert packets (schemas 7.0 to 11.1), as Avro containers or in the Confluent wire format of the stream.

Identity of a measurement, the same through every broker:

- a detection is its ``diaSourceId``;
- a row of forced photometry is object, band and time (`forced_id`), since the light curves of Lasair carry no ``diaForcedSourceId``.

An alert of a known solar-system object names it (``ssObjectId``, or an ``ssSource``), an alert of anything else its ``diaObject``. Where
both are named, the object is the ``diaObject`` and the alert is flagged as moving: the light is the asteroid's, as far as Rubin knows.

Traps: ``midpointMjdTai`` is TAI, 37 s ahead of UTC; ``psfFlux`` is the difference and ``scienceFlux`` the total, both nJy and signed;
``raErr`` is an error of the coordinate, in degrees; missing ids are 0 or null, missing numbers NaN or null; a source is
withdrawn only where ``timeWithdrawnMjdTai`` is a time, and not NaN or 0. Ids exceed 2**53.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import avro, times, values
from broker_adapters import lifetime as lifetimes
from broker_adapters.lsst_wire import decoded
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
    noon=2 / 3, precedence=3, symbol="diamond",
    pages=(("ALeRCE", "https://lsst.alerce.online/object/{}?survey=lsst"), ("Lasair", "https://lasair.lsst.ac.uk/objects/{}/")),
)  # fmt: skip
BANDS = {band.name: band.name for band in SURVEY.bands}
#: Systematic astrometric floor per axis (SITCOMTN-159), and what Rubin itself assumes where an error is missing (ap_association), arcsec.
POSITION_FLOOR, POSITION_UNKNOWN = 0.005, 0.2
HISTORIES = frozenset({"prvDiaSources", "prvDiaForcedSources", "prvDiaNondetectionLimits"})


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
    rows = start(SURVEY, Kind.ALERT, known_bands(band, BANDS), times.utc_from_tai(floats(mjd)))
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
    rows = start(SURVEY, Kind.FORCED, known_bands(band, BANDS), times.utc_from_tai(mjd))
    rows["source_id"] = _ids(forced_id, object_id, mjd, rows)
    rows["flux"], rows["flux_err"] = floats(psf_flux), floats(psf_flux_err)
    rows["ref_flux"], rows["ref_flux_err"] = reference
    return with_flux(rows)


def limits(object_id: str, *, mjd: ArrayLike, band: Sequence[Any], noise: ArrayLike) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of non-detection limits (schemas 7): ``noise`` is one sigma in nJy."""
    mjd = np.atleast_1d(floats(mjd))
    rows = start(SURVEY, Kind.LIMIT, known_bands(band, BANDS), times.utc_from_tai(mjd))
    rows["source_id"] = _ids(limit_id, object_id, mjd, rows)
    rows["flux_err"] = floats(noise)
    return with_flux(rows)


def _ids(make: Callable[[str, float, str], str], object_id: str, mjd: Floats, rows: Detections) -> list[str]:
    """Ids of rows that have none of their own, '' for those without a time or a band."""
    known = values.dated(rows).tolist()
    return [make(object_id, m, b) if is_known else "" for m, b, is_known in zip(mjd.tolist(), rows["band"].tolist(), known, strict=True)]


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
    content = decoded(packet, frozenset() if history else HISTORIES)
    source = values.record(content.get("diaSource"), "diaSource")
    object_id, moving = identity(source, content.get("diaObject"), content.get("ssSource"))
    triggering = dia_sources([source])
    values.require(
        triggering, {"band": source.get("band"), "mjd": source.get("midpointMjdTai"), "source_id": source.get("diaSourceId")}, flux=False
    )
    ra, dec, error, mjd = (float(triggering[name][0]) for name in ("ra", "dec", "position_err", "mjd"))
    if isinstance(mean := content.get("diaObject"), Mapping):  # Rubin's own mean
        place = floats([mean.get(name) for name in ("ra", "dec", "raErr", "decErr")])
        if np.isfinite(place[:2]).all():
            ra, dec, error = float(place[0]), float(place[1]), float(position_error(place[2], place[3], place[1]))
    check(ra, dec)
    dropped: Counter[str] = Counter()
    measured = [] if withdrawn(source) else [triggering[np.isfinite(triggering["flux"])]]
    rows, gone = _history(object_id, content, dropped)
    return Alert(
        survey="lsst",
        object_id=object_id,
        source_id=str(triggering["source_id"][0]),
        ra=ra,
        dec=dec,
        position_err=error,
        mjd=mjd,
        detections=frozen(np.concatenate([*measured, rows])),
        cutouts=Cutouts(*(_stamp(content.get(f"cutout{name}")) for name in ("Science", "Template", "Difference"))),
        metadata=scalars(source),
        moving=moving,
        broker="lsst",
        withdrawn=(*gone, *withdrawn_sources([source])),
        dropped=dropped,
        lifetime=lifetime(mean) if isinstance(mean, Mapping) and not moving else None,
    )


def lifetime(dia_object: Mapping[str, Any]) -> Lifetime | None:
    """The life of an object in a diaObject: ``firstDiaSourceMjdTai``, ``lastDiaSourceMjdTai`` and ``nDiaSources`` (since schema 8.0).

    They are of the object's own diaSources, 5 sigma and more. The dates are TAI, and null or NaN in most packets so far.
    """
    fields = (dia_object.get(name) for name in ("firstDiaSourceMjdTai", "lastDiaSourceMjdTai", "nDiaSources"))
    return lifetimes.stated(*fields, clock=times.utc_from_tai)


def identity(source: Mapping[str, Any], dia_object: Any = None, ss_source: Any = None) -> tuple[str, bool]:
    """Object id of a diaSource, and whether it is of a known solar-system object.

    Raises
    ------
    PacketError
        No object is named.
    """
    fixed = (dia_object.get("diaObjectId") if isinstance(dia_object, Mapping) else None) or source.get("diaObjectId")
    solar = source.get("ssObjectId") or (ss_source.get("ssObjectId") if isinstance(ss_source, Mapping) else None)
    return identifier(fixed if _named(fixed) else solar), _named(solar) or isinstance(ss_source, Mapping)


def all_moving(sources: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each of these diaSources, and there are some, is of a known solar-system object."""
    return bool(sources) and all(_named(source.get("ssObjectId")) for source in sources)


def _named(value: Any) -> bool:
    """Whether an id is one: brokers write -1 where Rubin writes 0 or null."""
    return value not in (None, "", 0, -1, "0", "-1")


def _stamp(data: Any) -> bytes | None:
    return data if isinstance(data, bytes) and data else None


def _history(object_id: str, content: Mapping[str, Any], dropped: Counter[str]) -> tuple[Detections, tuple[str, ...]]:
    """Earlier detections, forced photometry and limits, and the source ids of those that Rubin has withdrawn."""
    sources, forced_sources, noises = (
        values.records(content.get(name), dropped) for name in ("prvDiaSources", "prvDiaForcedSources", "prvDiaNondetectionLimits")
    )
    rows, gone = photometry(object_id, sources, forced_sources, dropped)
    noises = [row for row in noises if not withdrawn(row)]
    limited = limits(
        object_id,
        mjd=values.column(noises, "midpointMjdTai"),
        band=values.column(noises, "band"),
        noise=values.column(noises, "diaNoise"),
    )
    return np.concatenate([rows, values.sound(limited, dropped)]), gone


def withdrawn(row: Mapping[str, Any]) -> bool:
    """Whether Rubin has withdrawn this measurement: it says when."""
    return values.number(row.get("timeWithdrawnMjdTai")) > 0.0


def withdrawn_sources(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Source ids of the diaSources among these that are withdrawn."""
    return tuple(i for i in identifiers(row.get("diaSourceId") for row in rows if withdrawn(row)).tolist() if i)


def photometry(
    object_id: str, sources: Sequence[Mapping[str, Any]], forced_sources: Sequence[Mapping[str, Any]], dropped: Counter[str]
) -> tuple[Detections, tuple[str, ...]]:
    """Sound rows of `DETECTION` from diaSources and diaForcedSources, with the packet's names of fields, and ids of the withdrawn ones."""
    rows = [
        dia_sources([row for row in sources if not withdrawn(row)]),
        dia_forced_sources(object_id, [row for row in forced_sources if not withdrawn(row)]),
    ]
    gone = dia_forced_sources(object_id, [{**row, "psfFlux": 0.0, "psfFluxErr": 1.0} for row in forced_sources if withdrawn(row)])
    return values.sound(np.concatenate(rows), dropped), (*withdrawn_sources(sources), *values.sound(gone)["source_id"].tolist())


def _reference(rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, Floats]:
    return reference(*(values.column(rows, name) for name in ("psfFlux", "psfFluxErr", "scienceFlux", "scienceFluxErr", "templateFluxErr")))


def dia_forced_sources(object_id: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from n diaForcedSources with the packet's names of the fields, any of which may be absent."""
    return forced(
        object_id,
        mjd=values.column(rows, "midpointMjdTai"),
        band=values.column(rows, "band"),
        psf_flux=values.column(rows, "psfFlux"),
        psf_flux_err=values.column(rows, "psfFluxErr"),
        reference=_reference(rows),
    )


def dia_sources(rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (n,), from n diaSources with the packet's names of the fields; all but id, time and band may be absent."""
    return detections(
        dia_source_id=values.column(rows, "diaSourceId"),
        mjd=values.column(rows, "midpointMjdTai"),
        band=values.column(rows, "band"),
        psf_flux=values.column(rows, "psfFlux"),
        psf_flux_err=values.column(rows, "psfFluxErr"),
        ra=values.column(rows, "ra"),
        dec=values.column(rows, "dec"),
        position_err=position_error(values.column(rows, "raErr"), values.column(rows, "decErr"), values.column(rows, "dec")),
        reference=_reference(rows),
        reliability=values.column(rows, "reliability"),
    )
