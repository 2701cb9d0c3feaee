"""The Zwicky Transient Facility: alert packets (Avro, schemas 1.8 and 3.0 to 4.02, also as Fink and AMPEL repackage them).

Identity of a measurement, the same through every broker:

- a detection is its ``candid``;
- a row of forced photometry, and an upper limit, is object, filter and time (`forced_id`, `limit_id`): Lasair gives no more
  of the one, ALeRCE of the other. So the duplicates that ZTF sends in ``fp_hists``, equal in all but ``pid``, are one row too.

Traps (schema 4.02 and Masci et al. 2019, PASP 131 018003): ``jd`` is the *start* of the exposure; ``magpsf`` is the magnitude of the
absolute difference, its sign is ``isdiffpos``; ``distnr`` is in pixels in a candidate and in arcseconds in ``fp_hists``; a previous
candidate without ``candid`` is a non-detection; missing numbers are -999 or -99999, missing names are the text ``null``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import avro, photometry, times, values
from broker_adapters import lifetime as lifetimes
from broker_adapters.crossmatch import mean_position
from broker_adapters.errors import PacketError
from broker_adapters.records import Alert, Band, Cutouts, Detections, Kind, Lifetime, Survey, frozen
from broker_adapters.values import check, floats, identifiers, known_bands, magnitudes, scalars, stamp, start, with_flux

Floats = NDArray[np.float64]

#: Effective wavelengths from the SVO Filter Profile Service (Palomar/ZTF); nights turn at noon in Palomar's time zone.
SURVEY = Survey(
    name="ztf",
    telescope="Palomar 48-inch",
    bands=(
        Band("g", 472.0, colour="#009e73", red="#ff8a80", ink=0.10),
        Band("r", 634.0, colour="#d55e00", red="#c22a20", ink=0.08),
        Band("i", 789.0, colour="quiet", red="#8a241d"),
    ),
    radius=1.5,  # as in ZTF's own association
    catalogued=True,  # PSF photometry of the reference image: nothing under a detection means that nothing was found there
    object_id=r"ZTF\d{2}[a-z]{7}",
    noon=5 / 6,
    began=58027.0,  # 2017-10-01: the earliest date in packets is of 2017-10-15
    counts_places=True,
    precedence=1,
    symbol="circle",
    pages=(("ALeRCE", "https://alerce.online/object/{}"), ("Lasair", "https://lasair-ztf.lsst.ac.uk/objects/{}/")),
)
#: Number of the filter in packets (``fid``) -> band.
BANDS = {1: "g", 2: "r", 3: "i"}
PIXEL = 1.01  #: arcsec
EXPOSURE = 30.0  #: s, of the public survey
#: A reference source closer than this, in pixels, lies under the detection (ALeRCE, lc_correction 1.0).
REFERENCE_RADIUS = 1.4
LIMIT_SIGMA = 5.0  #: ``diffmaglim`` is a limit of five sigma
#: Astrometric floor per axis (Masci et al. 2019: 45 to 85 mas), and the width of a star, 2 arcsec FWHM, over its signal to noise, which
#: is taken as that of the faintest alert where a packet does not say it.
POSITION_FLOOR, STAR_SIGMA, LEAST_SNR = 0.065, 0.85, 5.0
#: Known solar-system objects farther than this from a detection are not it, arcsec.
MOVING_RADIUS = 3.0
HISTORIES = frozenset({"prv_candidates", "fp_hists"})

_OBJECT_ID = re.compile(SURVEY.object_id)
_POSITIVE = {"t": 1, "1": 1, "f": -1, "0": -1, True: 1, False: -1, -1: -1}
_CANDIDATE = frozenset({"jd", "fid", "magpsf", "sigmapsf", "isdiffpos", "ra", "dec"})
#: ``procstatus`` codes of usable forced photometry: clean, and no reference source near (ZTF forced photometry service, section 6.1).
_USABLE = frozenset({"0", "57"})


def limit_id(object_id: str, mjd: float, fid: int) -> str:
    """Source id of an upper limit from the object, the MJD UTC of the *start* of the exposure and the filter.

    Time counts in 1e-5 d, less than a second. ZTF gives multiples of 1e-7 d, which other parties carry with the noise of a float:
    the shift by 3e-8 d keeps every such time away from the edges of the rounding.
    """
    return f"{object_id}{BANDS[fid]}{round((mjd - 3e-8) * 1e5)}"


def forced_id(object_id: str, mjd: float, fid: int) -> str:
    """Source id of a row of forced photometry: made as `limit_id` is, but another."""
    return f"{limit_id(object_id, mjd, fid)}forced"


def usable(procstatus: Any) -> bool:
    """Whether a row of forced photometry may be used, from its processing status: codes with commas between them, or none."""
    return set(str(procstatus or "0").replace(" ", "").split(",")) <= _USABLE


def sign(isdiffpos: Iterable[Any]) -> Floats:
    """+1 where science minus reference is positive, else -1, shape (n,): from ``t``/``1``/``f``/``0``, booleans or ±1; NaN for the rest."""
    return np.array([_POSITIVE.get(v, np.nan) if isinstance(v, (str, int, float, np.integer)) else np.nan for v in isdiffpos], float)


def reference(distance: ArrayLike, magnr: ArrayLike, sigmagnr: ArrayLike) -> tuple[Floats, Floats]:
    """Flux and error in nJy of the reference source under a detection, NaN where there is none.

    ``distance`` is in pixels: divide the arcseconds of forced photometry by `PIXEL`.
    """
    near = floats(distance)
    with np.errstate(invalid="ignore"):
        under = (near >= 0.0) & (near < REFERENCE_RADIUS)
    flux = np.where(under, photometry.flux_from_magnitude(magnitudes(magnr)), np.nan)
    return flux, photometry.flux_error(flux, floats(sigmagnr))


def reference_from_total(flux: ArrayLike, flux_err: ArrayLike, total_magnitude: ArrayLike, total_error: ArrayLike) -> tuple[Floats, Floats]:
    """Reference flux and error in nJy from a total ("corrected") magnitude and its error, where a broker gives only these.

    The inverse of `broker_adapters.correction`: total = reference + difference, variances subtract. ALeRCE's 100 means undefined.
    """
    total = photometry.flux_from_magnitude(magnitudes(total_magnitude))
    error = photometry.flux_error(total, magnitudes(total_error))
    variance = floats(flux_err) ** 2 - error**2
    return total - floats(flux), np.sqrt(np.where(variance >= 0.0, variance, np.nan))


def detections(
    *,
    candid: Sequence[Any],
    mjd: ArrayLike,
    fid: Sequence[int],
    magpsf: ArrayLike,
    sigmapsf: ArrayLike,
    isdiffpos: Iterable[Any],
    ra: ArrayLike,
    dec: ArrayLike,
    reference: tuple[ArrayLike, ArrayLike] = (np.nan, np.nan),
    reliability: ArrayLike = np.nan,
    exposure: ArrayLike = EXPOSURE,
) -> Detections:
    """Rows of `DETECTION`, shape (n,), from columns of alert photometry, each of shape (n,).

    ``mjd`` is UTC at the *start* of the exposure, ``exposure`` its length in seconds, ``reference`` what `reference` or
    `reference_from_total` gives.
    """
    rows = _rows(Kind.ALERT, fid, mjd, exposure)
    rows["source_id"] = identifiers(candid)
    sigma = floats(sigmapsf)
    sigma = np.where(sigma > 0.0, sigma, np.nan)
    rows["flux"] = photometry.flux_from_magnitude(magnitudes(magpsf), sign(isdiffpos))
    rows["flux_err"] = photometry.flux_error(rows["flux"], sigma)
    rows["ref_flux"], rows["ref_flux_err"] = reference
    rows["ra"], rows["dec"] = floats(ra), floats(dec)
    rows["position_err"] = np.hypot(POSITION_FLOOR, STAR_SIGMA * np.where(np.isfinite(sigma), sigma / photometry.POGSON, 1.0 / LEAST_SNR))
    rows["reliability"] = floats(reliability)
    return rows


def forced(
    object_id: str,
    *,
    mjd: ArrayLike,
    fid: Sequence[int],
    flux: ArrayLike,
    flux_err: ArrayLike,
    reference: tuple[ArrayLike, ArrayLike] = (np.nan, np.nan),
    exposure: ArrayLike = EXPOSURE,
) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of forced photometry, each of shape (n,); rows without a flux are left out.

    ``flux`` and ``flux_err`` are the difference flux in nJy (`photometry.flux_from_counts` of DN and ``magzpsci``;
    `photometry.flux_from_magnitude` and `flux_error` of magnitudes); times as in `detections`.
    """
    rows = _rows(Kind.FORCED, fid, mjd, exposure)
    rows["source_id"] = _ids(forced_id, object_id, mjd, fid, rows)
    rows["flux"], rows["flux_err"] = floats(flux), floats(flux_err)
    rows["ref_flux"], rows["ref_flux_err"] = reference
    return with_flux(rows)


def limits(object_id: str, *, mjd: ArrayLike, fid: Sequence[int], diffmaglim: ArrayLike) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from columns of non-detections, each of shape (n,); rows without a limit are left out."""
    rows = _rows(Kind.LIMIT, fid, mjd, EXPOSURE)
    rows["source_id"] = _ids(limit_id, object_id, mjd, fid, rows)
    rows["flux_err"] = photometry.flux_error_from_limit(magnitudes(diffmaglim), LIMIT_SIGMA)
    return with_flux(rows)


def _ids(make: Callable[[str, float, int], str], object_id: str, mjd: ArrayLike, fid: Sequence[int], rows: Detections) -> list[str]:
    """Ids of rows that have none of their own, '' for those without a time or a band."""
    times_, known = np.atleast_1d(floats(mjd)).tolist(), values.dated(rows).tolist()
    return [make(object_id, m, f) if is_known else "" for m, f, is_known in zip(times_, fid, known, strict=True)]


def _rows(kind: Kind, fid: Sequence[int], mjd: ArrayLike, exposure: ArrayLike) -> Detections:
    return start(SURVEY, kind, known_bands(fid, BANDS), times.mid_exposure(floats(mjd), exposure))


def recognises(packet: bytes) -> bool:
    """Whether these bytes are an Avro container whose records are ZTF alerts, by their fields, whoever published them."""
    fields = avro.fields(packet)
    return "objectId" in fields and "prv_nondetections" not in fields and fields.get("candidate", frozenset()) >= _CANDIDATE


def read(packet: bytes, *, history: bool = True) -> Alert:
    """The alert in a packet; without its histories, which then are not even decoded, if ``history`` is False.

    Raises
    ------
    PacketError
        The bytes cannot be decoded, or their content is impossible.
    """
    content = avro.read(packet, without=frozenset() if history else HISTORIES)
    candidate = values.record(content.get("candidate"), "candidate")
    object_id = content.get("objectId")
    if not isinstance(object_id, str) or not _OBJECT_ID.fullmatch(object_id):
        raise PacketError(f"not a ZTF object: {values.shown(object_id)}")
    given = {**candidate, "candid": content.get("candid") or candidate.get("candid")}
    dropped: Counter[str] = Counter()
    previous, hists = (values.records(content.get(name), dropped) for name in ("prv_candidates", "fp_hists"))
    seen = candidates([given, *(p for p in previous if p.get("candid") and p.get("magpsf") is not None)])
    told = {"source_id": given["candid"], "mjd": given.get("jd"), "band": given.get("fid"), "ra": given.get("ra")}
    values.require(seen, told | {"flux": (candidate.get("magpsf"), candidate.get("isdiffpos"))})
    check(float(seen["ra"][0]), float(seen["dec"][0]))
    moving = _moving(candidate)
    alerts = values.sound(seen, dropped)
    place = alerts[:1] if moving else alerts
    columns = [place[name] for name in ("ra", "dec", "position_err")]
    mean = mean_position(*columns) if len(place) > 1 else [float(column[0]) for column in columns]
    unseen = [p for p in previous if p.get("magpsf") is None]
    more = [rows(object_id, given) for rows, given in ((upper_limits, unseen), (fp_hists, hists)) if given]  # most alerts lack one or both
    others = np.concatenate([alerts, *more])
    return Alert(
        survey="ztf",
        object_id=object_id,
        source_id=str(seen["source_id"][0]),
        ra=mean[0],
        dec=mean[1],
        position_err=mean[2],
        mjd=float(seen["mjd"][0]),
        detections=frozen(values.sound(others, dropped)),
        cutouts=Cutouts(*(stamp(content.get(f"cutout{name}")) for name in ("Science", "Template", "Difference"))),
        metadata=scalars(candidate),
        moving=moving,
        broker="ztf",
        lifetime=None if moving else lifetime(candidate),
        dropped=dropped,
    )


def lifetime(candidate: Mapping[str, Any]) -> Lifetime | None:
    """The life of an object in a candidate: ``jdstarthist``, ``jdendhist``, ``ndethist`` and ``ncovhist``.

    Schema 4.02: ``ndethist`` counts detections of 3 sigma within 1.5 arcsec since the survey began, in the candidate's own field and
    quadrant; the dates are the earliest and latest of them, and ``ncovhist`` counts images of the place in any field. So they are of the
    place, and another field may state less. They are seldom noise: docs/decisions/019-age-and-count.md.
    """
    fields = (candidate.get(name) for name in ("jdstarthist", "jdendhist", "ndethist", "ncovhist"))
    return lifetimes.stated(*fields, clock=lambda jd: times.mid_exposure(times.mjd_from_jd(jd), EXPOSURE))


def _mjd(rows: Sequence[Mapping[str, Any]]) -> Floats:
    return times.mjd_from_jd(floats(values.column(rows, "jd")))


def _exposure(rows: Sequence[Mapping[str, Any]]) -> Floats:
    seconds = floats(values.column(rows, "exptime"))
    with np.errstate(invalid="ignore"):
        return np.where((seconds > 0.0) & (seconds < 3600.0), seconds, EXPOSURE)


def candidates(rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (n,), from n candidates with the packet's names of the fields."""
    deep, shallow = floats(values.column(rows, "drb")), floats(values.column(rows, "rb"))
    return detections(
        candid=values.column(rows, "candid"),
        mjd=_mjd(rows),
        fid=values.column(rows, "fid"),
        magpsf=values.column(rows, "magpsf"),
        sigmapsf=values.column(rows, "sigmapsf"),
        isdiffpos=values.column(rows, "isdiffpos"),
        ra=values.column(rows, "ra"),
        dec=values.column(rows, "dec"),
        reference=reference(values.column(rows, "distnr"), values.column(rows, "magnr"), values.column(rows, "sigmagnr")),
        reliability=np.where(np.isfinite(deep), deep, shallow),
        exposure=_exposure(rows),
    )


def upper_limits(object_id: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from n previous candidates without a detection, with the packet's names of the fields."""
    return limits(object_id, mjd=_mjd(rows), fid=values.column(rows, "fid"), diffmaglim=values.column(rows, "diffmaglim"))


def fp_hists(object_id: str, rows: Sequence[Mapping[str, Any]]) -> Detections:
    """Rows of `DETECTION`, shape (m,), m ≤ n, from n rows of ``fp_hists`` with the packet's names of the fields."""
    rows = [r for r in rows if usable(r.get("procstatus"))]
    zero_point = magnitudes(values.column(rows, "magzpsci"))
    return forced(
        object_id,
        mjd=_mjd(rows),
        fid=values.column(rows, "fid"),
        flux=photometry.flux_from_counts(floats(values.column(rows, "forcediffimflux")), zero_point),
        flux_err=photometry.flux_from_counts(floats(values.column(rows, "forcediffimfluxunc")), zero_point),
        reference=reference(floats(values.column(rows, "distnr")) / PIXEL, values.column(rows, "magnr"), values.column(rows, "sigmagnr")),
        exposure=_exposure(rows),
    )


def _moving(candidate: Mapping[str, Any]) -> bool:
    """Whether a known solar-system object is at the place, and ZTF has seen nothing there before this night."""
    distance, name = values.number(candidate.get("ssdistnr")), candidate.get("ssnamenr")
    first, now = values.number(candidate.get("jdstarthist")), values.number(candidate.get("jd"))
    near = 0.0 <= distance <= MOVING_RADIUS and name not in (None, "", "null")
    return near and not now - first > 1.0
