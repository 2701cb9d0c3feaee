"""What is known of objects without reading their light curves: position, times, number of detections, digest of the evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from broker_adapters import healpix, surveys
from broker_adapters.crossmatch import mean_positions
from broker_adapters.records import Detections
from broker_adapters.significance import alerts, first_of_exposure
from tom_alerce.models import SkyObject, Stamps, SurveyObject
from tom_alerce.store import lifetimes, lightcurves, moving
from tom_alerce.store.sql import chunks, upsert
from tom_alerce.store.stamps import IMAGES

_POSITION = ("ra", "dec", "position_err", "healpix")
_COUNTS = ("first_mjd", "last_mjd", "n_detections", "evidence")
_OF_SURVEY_OBJECT = (*_POSITION, *_COUNTS, *lifetimes.OF_SURVEY_OBJECT, "moving", "moving_mjd", "cleared", "names")
_OF_SKY_OBJECT = (*_POSITION, *_COUNTS, *lifetimes.OF_SKY_OBJECT, "moving")


def stored(o: SurveyObject) -> tuple[object, ...]:
    """What `refresh` may change of a survey object that was just read, to be given to it as ``before``."""
    return tuple(getattr(o, name) for name in _OF_SURVEY_OBJECT)


def refresh(
    objects: Sequence[SurveyObject], curves: NDArray[np.void], before: Mapping[int, tuple[object, ...]] = MappingProxyType({})
) -> list[SkyObject]:
    """Work out again the summaries of survey objects from their measurements (`lightcurves.read`), and of their sky objects.

    Objects that are still as in ``before``, by their keys, are not written.
    """
    objects = sorted(objects, key=lambda o: o.pk)
    place = {o.pk: i for i, o in enumerate(objects)}
    measured, stamps = lightcurves.digests(curves), _stamps(place)
    rows = curves[alerts(curves)]
    index = np.array([place[owner] for owner in rows["owner"].tolist()], dtype=np.int64)
    count = np.bincount(index, first_of_exposure(rows, index), minlength=len(objects))
    first, last = np.full(len(objects), np.inf), np.full(len(objects), -np.inf)
    np.minimum.at(first, index, rows["mjd"])
    np.maximum.at(last, index, rows["mjd"])
    for o, own in zip(objects, _grouped(rows, index, len(objects)), strict=True):
        o.moving = moving.moves(o.survey, o.moving_mjd, o.cleared, own)
    # a moving object is where it was seen last
    moves = np.array([o.moving for o in objects], dtype=bool)
    weighed = ~moves[index] | (rows["mjd"] == last[index])
    best = rows[weighed]
    ra, dec, err = mean_positions(index[weighed], best["ra"], best["dec"], best["position_err"], len(objects))
    for i, o in enumerate(objects):
        if np.isfinite(ra[i]):
            o.ra, o.dec, o.position_err = float(ra[i]), float(dec[i]), float(err[i])
        o.n_detections = int(count[i])
        o.first_mjd, o.last_mjd = (float(first[i]), float(last[i])) if count[i] else (None, None)
        o.evidence = _digest([measured.get(o.pk, ""), *sorted(stamps[o.pk])])
    _set_cells(objects)
    upsert(SurveyObject, [o for o in objects if stored(o) != before.get(o.pk)], _OF_SURVEY_OBJECT)
    return refresh_sky(o.sky_object_id for o in objects)


def latest(survey: str, object_ids: Collection[str]) -> dict[str, float]:
    """Object id -> latest detection (MJD, UTC) here, for those of a survey's objects that have one."""
    found: dict[str, float] = {}
    for ids in chunks(object_ids):
        rows = SurveyObject.objects.filter(survey=survey, object_id__in=ids).values_list("object_id", "last_mjd")
        found.update((object_id, mjd) for object_id, mjd in rows if mjd is not None)
    return found


def refresh_sky(sky_ids: Iterable[int]) -> list[SkyObject]:
    """Work out again the summaries of sky objects from those of their members."""
    wanted = sorted(set(sky_ids))
    skies = {s.pk: s for ids in chunks(wanted) for s in SkyObject.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    members: dict[int, list[SurveyObject]] = {pk: [] for pk in skies}
    for ids in chunks(skies):
        for member in SurveyObject.objects.filter(sky_object__in=ids).order_by("survey", "object_id"):
            members[member.sky_object_id].append(member)
    everyone = [(i, m) for i, pk in enumerate(skies) for m in _best_placed(members[pk])]
    index = np.array([i for i, _ in everyone], dtype=np.int64)
    lon, lat, errors = (np.array([getattr(m, name) for _, m in everyone], dtype=np.float64) for name in ("ra", "dec", "position_err"))
    ra, dec, err = mean_positions(index, lon, lat, errors, len(skies))
    before = {pk: _values(sky) for pk, sky in skies.items()}
    for i, (pk, sky) in enumerate(skies.items()):
        if not members[pk]:
            continue
        sky.ra, sky.dec, sky.position_err = float(ra[i]), float(dec[i]), float(err[i])
        sky.first_mjd = min((m.first_mjd for m in members[pk] if m.first_mjd is not None), default=None)
        sky.last_mjd = max((m.last_mjd for m in members[pk] if m.last_mjd is not None), default=None)
        sky.n_detections = _count(members[pk])
        lifetimes.summarise(sky, members[pk])
        sky.moving = all(m.moving for m in members[pk])
        sky.evidence = _digest([f"{m.survey} {m.object_id} {m.evidence}" for m in members[pk]])
    _set_cells(list(skies.values()))
    changed = [sky for pk, sky in skies.items() if _values(sky) != before[pk]]
    for sky in changed:
        sky.modified = timezone.now()
    upsert(SkyObject, changed, (*_OF_SKY_OBJECT, "modified"))
    return list(skies.values())


def _values(sky: SkyObject) -> tuple[object, ...]:
    return tuple(getattr(sky, name) for name in _OF_SKY_OBJECT)


def _grouped(rows: Detections, index: NDArray[np.intp], n: int) -> list[Detections]:
    """Rows of each of n groups; ``index``, sorted, is the group of each row."""
    return np.split(rows, np.searchsorted(index, np.arange(1, n)))


def _count(members: Sequence[SurveyObject]) -> int:
    """Number of detections of a sky object: an exposure in which two of its members were seen is one."""
    if len({m.survey for m in members}) == len(members):
        return sum(m.n_detections for m in members)
    rows = lightcurves.read(m.pk for m in members)
    return int(first_of_exposure(rows[alerts(rows)]).sum())


def _best_placed(members: Sequence[SurveyObject]) -> Sequence[SurveyObject]:
    """Members that say where the sky object is: not those that move beside some that do not, nor coarse surveys beside others."""
    still = [m for m in members if not m.moving] or members
    return [m for m in still if not surveys.about(m.survey).coarse] or still


def _stamps(owners: Collection[int]) -> dict[int, list[str]]:
    """Survey object -> what its stamps are: slot, measurement, number of images, digest of the contents."""
    texts: dict[int, list[str]] = {owner: [] for owner in owners}
    for part in chunks(owners):
        rows = Stamps.objects.filter(survey_object__in=part).annotate(images=IMAGES)
        for owner, *what in rows.values_list("survey_object_id", "slot", "source_id", "images", "digest"):
            texts[owner].append(" ".join(map(str, what)))
    return texts


def _set_cells(objects: Sequence[SurveyObject | SkyObject]) -> None:
    cells = healpix.cells([o.ra for o in objects], [o.dec for o in objects])
    for o, cell in zip(objects, cells.tolist(), strict=True):
        o.healpix = cell


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
