"""What is known of objects without reading their light curves: position, times, number of detections, digest of the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from astropy import units as u
from astropy_healpix import lonlat_to_healpix, neighbours
from django.utils import timezone
from numpy.typing import NDArray

from broker_adapters.crossmatch import unit_vectors
from broker_adapters.records import Kind
from tom_alerce.models import Detection, SkyObject, Stamps, SurveyObject
from tom_alerce.store.sql import chunks, upsert

_NSIDE = 2**12
_POSITION = ("ra", "dec", "position_err", "healpix")
_COUNTS = ("first_mjd", "last_mjd", "n_detections", "evidence")

#: Bounds of a position error in arcseconds that may weigh: what a missing one counts as, and the smallest that is believed.
_UNKNOWN, _SMALLEST = 1.0, 1e-3

Array = NDArray[np.float64]


def pixel(ra: Array, dec: Array) -> NDArray[np.int64]:
    """HEALPix index (nested, order 12: 51 arcsec) of positions in degrees, shape (n,)."""
    return np.asarray(lonlat_to_healpix(ra * u.deg, dec * u.deg, _NSIDE, order="nested"), dtype=np.int64)


def neighbourhood(pixels: NDArray[np.int64]) -> list[int]:
    """These pixels and all that touch them, sorted."""
    with np.errstate(invalid="ignore"):  # eight pixels have seven neighbours
        around = neighbours(np.unique(pixels), _NSIDE, order="nested")
    return [int(p) for p in np.unique(np.concatenate([pixels, around.ravel()])) if p >= 0]


def mean_positions(index: NDArray[np.int64], ra: Array, dec: Array, err: Array, n: int) -> tuple[Array, Array, Array]:
    """Weighted mean positions of n groups, and their errors; NaN for a group without measurements.

    ``index``, shape (m,), says to which group each of m positions (degrees; errors in arcseconds) belongs. Unit vectors are averaged, so
    that neither RA 0/360 nor a pole is special. Errors of a survey's astrometric frame do not average out: the mean is never claimed to
    be better than its best measurement.
    """
    err = np.maximum(np.where(np.isfinite(err), err, _UNKNOWN), _SMALLEST)
    x, y, z = (np.bincount(index, v / err**2, minlength=n) for v in unit_vectors(ra, dec).T)
    best = np.full(n, np.inf)
    np.minimum.at(best, index, err)
    empty = np.isinf(best)
    mean_ra = np.where(empty, np.nan, np.degrees(np.arctan2(y, x)) % 360.0)
    mean_dec = np.where(empty, np.nan, np.degrees(np.arctan2(z, np.hypot(x, y))))
    return mean_ra, mean_dec, np.where(empty, np.nan, best)


def refresh(objects: Sequence[SurveyObject]) -> list[SkyObject]:
    """Work out again the summaries of survey objects from their measurements, and of the sky objects that they belong to."""
    place = {o.pk: i for i, o in enumerate(objects)}
    rows, ids = _detections(place)
    stamps = _stamps(place)
    index = np.array([place[owner] for owner in rows["owner"].tolist()], dtype=np.int64)
    count = np.bincount(index, minlength=len(objects))
    first, last = np.full(len(objects), np.inf), np.full(len(objects), -np.inf)
    np.minimum.at(first, index, rows["mjd"])
    np.maximum.at(last, index, rows["mjd"])
    # a moving object is where it was seen last
    moving = np.array([o.moving for o in objects], dtype=bool)
    weighed = np.isfinite(rows["ra"]) & np.isfinite(rows["dec"]) & (~moving[index] | (rows["mjd"] == last[index]))
    ra, dec, err = mean_positions(index[weighed], *(rows[name][weighed] for name in ("ra", "dec", "position_err")), len(objects))
    for i, o in enumerate(objects):
        if np.isfinite(ra[i]):
            o.ra, o.dec, o.position_err = float(ra[i]), float(dec[i]), float(err[i])
        o.n_detections = int(count[i])
        o.first_mjd, o.last_mjd = (float(first[i]), float(last[i])) if count[i] else (None, None)
        o.evidence = _digest([*sorted(ids[o.pk]), "stamps", *sorted(stamps[o.pk])])
    _set_pixels(objects)
    upsert(SurveyObject, objects, (*_POSITION, *_COUNTS, "moving", "names"))
    return refresh_sky(o.sky_object_id for o in objects)


def refresh_sky(sky_ids: Iterable[int]) -> list[SkyObject]:
    """Work out again the summaries of sky objects from those of their members."""
    wanted = sorted(set(sky_ids))
    skies = {s.pk: s for ids in chunks(wanted) for s in SkyObject.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    members: dict[int, list[SurveyObject]] = {pk: [] for pk in skies}
    for ids in chunks(skies):
        for member in SurveyObject.objects.filter(sky_object__in=ids).order_by("survey", "object_id"):
            members[member.sky_object_id].append(member)
    everyone = [(i, m) for i, pk in enumerate(skies) for m in members[pk]]
    index = np.array([i for i, _ in everyone], dtype=np.int64)
    coordinates = (np.array([getattr(m, name) for _, m in everyone], dtype=np.float64) for name in ("ra", "dec", "position_err"))
    ra, dec, err = mean_positions(index, *coordinates, len(skies))
    for i, (pk, sky) in enumerate(skies.items()):
        if not members[pk]:
            continue
        sky.ra, sky.dec, sky.position_err = float(ra[i]), float(dec[i]), float(err[i])
        sky.first_mjd = min((m.first_mjd for m in members[pk] if m.first_mjd is not None), default=None)
        sky.last_mjd = max((m.last_mjd for m in members[pk] if m.last_mjd is not None), default=None)
        sky.n_detections = sum(m.n_detections for m in members[pk])
        sky.moving = any(m.moving for m in members[pk])
        sky.evidence = _digest([f"{m.survey} {m.object_id} {m.evidence}" for m in members[pk]])
        sky.modified = timezone.now()
    _set_pixels(list(skies.values()))
    upsert(SkyObject, list(skies.values()), (*_POSITION, *_COUNTS, "moving", "modified"))
    return list(skies.values())


_ROW = np.dtype([("owner", "i8"), ("mjd", "f8"), ("ra", "f8"), ("dec", "f8"), ("position_err", "f8")])


def _detections(owners: Collection[int]) -> tuple[NDArray[np.void], dict[int, list[str]]]:
    """Time and place of the detections of survey objects, and survey object -> source ids of all its measurements."""
    found: list[tuple[object, ...]] = []
    ids: dict[int, list[str]] = {owner: [] for owner in owners}
    for part in chunks(owners):
        query = Detection.objects.filter(survey_object__in=part)
        for owner, source_id, kind, *row in query.values_list("survey_object_id", "source_id", "kind", "mjd", "ra", "dec", "position_err"):
            ids[owner].append(source_id)
            if kind == Kind.ALERT:
                found.append((owner, *row))
    return np.array(found, dtype=_ROW), ids


def _stamps(owners: Collection[int]) -> dict[int, list[str]]:
    """Survey object -> source ids of its stamps."""
    ids: dict[int, list[str]] = {owner: [] for owner in owners}
    for part in chunks(owners):
        for owner, source_id in Stamps.objects.filter(survey_object__in=part).values_list("survey_object_id", "source_id"):
            ids[owner].append(source_id)
    return ids


def _set_pixels(objects: Sequence[SurveyObject] | Sequence[SkyObject]) -> None:
    pixels = pixel(np.array([o.ra for o in objects]), np.array([o.dec for o in objects]))
    for o, p in zip(objects, pixels.tolist(), strict=True):
        o.healpix = p


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
