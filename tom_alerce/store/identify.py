"""Matches alerts to survey objects, and survey objects to sky objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter

import numpy as np
from django.db.models import QuerySet

from broker_adapters import healpix
from broker_adapters.association import associate
from broker_adapters.records import Alert
from tom_alerce.models import MatchCandidate, SkyObject, SurveyObject
from tom_alerce.store import moving, summaries, targets
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import chunks, lock_new_objects

Key = tuple[str, str]


@dataclass(frozen=True)
class Identified:
    """Survey objects by key, what was stored of those that are not new (`summaries.stored`), and the numbers of rows that were made."""

    objects: Mapping[Key, SurveyObject]
    before: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    survey_objects: int = 0
    sky_objects: int = 0
    ambiguous: int = 0
    skies: Sequence[SkyObject] = field(default=())


def identify(alerts: Sequence[Alert]) -> Identified:
    """Find or make the survey objects of alerts; an existing link to a sky object stays as it is."""
    own: dict[Key, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda a: (a.position_err if np.isfinite(a.position_err) else np.inf, -a.mjd)):
        own.setdefault(alert.key, []).append(alert)
    # locks are taken in the same order everywhere: new objects, survey objects, sky objects, targets
    if any(alert.moving for alert in alerts) or _count_fixed(own) < len(own):  # what moves may be fixed, which is as if it were new
        lock_new_objects()
    existing = _lock(own)
    before = {o.pk: summaries.stored(o) for o in existing.values()}
    made = _make([_as_known(own[k]) for k in sorted(own) if k not in existing])
    objects = existing | dict(made.objects)
    for key, o in objects.items():
        o.cleared = o.cleared or not all(alert.moving for alert in own[key])
        o.moving_mjd = moving.times(own[key], o.moving_mjd)
        o.names = sorted({*o.names, *(sanitize_text(name) for alert in own[key] for name in alert.names)})
    return replace(made, objects=objects, before=before)


def _as_known(alerts: Sequence[Alert]) -> Alert:
    """The first of the alerts of one survey object, but moving only if all that they know of it says so."""
    rows = np.concatenate([a.detections for a in alerts])
    return replace(alerts[0], moving=moving.moves(alerts[0].survey, moving.times(alerts), not all(a.moving for a in alerts), rows))


def _count_fixed(keys: Iterable[Key]) -> int:
    """Number of these keys that have a survey object that does not move."""
    return sum(query.filter(moving=False).count() for query in _queries(keys))


def _lock(keys: Iterable[Key]) -> dict[Key, SurveyObject]:
    """The survey objects of these keys, locked until the end of the transaction in an order that every worker keeps."""
    return {(o.survey, o.object_id): o for query in _queries(keys) for o in query.select_for_update().order_by("object_id")}


def _queries(keys: Iterable[Key]) -> Iterator[QuerySet[SurveyObject]]:
    for survey, same in groupby(sorted(keys), key=itemgetter(0)):
        for part in chunks(object_id for _, object_id in same):
            yield SurveyObject.objects.filter(survey=survey, object_id__in=part)


def _make(alerts: Sequence[Alert]) -> Identified:
    """Make the survey objects of alerts with new keys, and link or make their sky objects."""
    if not alerts:
        return Identified({})
    named = targets.named([(a.object_id, *map(sanitize_text, a.names)) for a in alerts])
    link = place(alerts, _named_skies(alerts, named))
    fresh = SkyObject.objects.bulk_create(link.new, batch_size=500)  # gives them their keys
    objects = SurveyObject.objects.bulk_create(
        (
            SurveyObject(
                survey=a.survey,
                object_id=a.object_id,
                sky_object=link.sky[i],
                ra=a.ra,
                dec=a.dec,
                position_err=a.position_err,
                healpix=link.pixels[i],
                moving=a.moving,
                method=SurveyObject.Method.NAME if named[i] else link.method[i],
                separation=link.separation[i],
            )
            for i, a in enumerate(alerts)
        ),
        batch_size=500,
    )
    MatchCandidate.objects.bulk_create(
        (MatchCandidate(survey_object=objects[i], sky_object=sky, separation=s) for i, sky, s in link.ambiguous),
        ignore_conflicts=True,
    )
    keyed = {(o.survey, o.object_id): o for o in objects}
    return Identified(keyed, {}, len(objects), len(fresh), len({i for i, _, _ in link.ambiguous}), fresh)


@dataclass(frozen=True)
class Link:
    """Sky object of each of n new survey objects, with the reason; ``new`` are those to be made, ``ambiguous`` what a person decides."""

    sky: list[SkyObject]
    pixels: list[int]
    separation: list[float | None]
    method: list[str]
    new: list[SkyObject]
    ambiguous: list[tuple[int, SkyObject, float]]


def place(alerts: Sequence[Alert | SurveyObject], named: Mapping[int, SkyObject], without: Collection[int] = ()) -> Link:
    """Link by position, within the batch and with the database; ``named`` (index of the alert -> sky object) are linked already.

    ``without`` are the keys of survey objects that are not looked at: the same that are to be linked.
    """
    ra, dec = np.array([a.ra for a in alerts]), np.array([a.dec for a in alerts])
    pixels = healpix.cells(ra, dec)
    still = [i for i, a in enumerate(alerts) if not a.moving]
    near = [o for o in _near(healpix.neighbourhood(pixels[still])) if o.pk not in without]
    skies = list({s.pk: s for s in (*(o.sky_object for o in near), *named.values())}.values())
    number = {s.pk: g for g, s in enumerate(skies)}
    before = [number[o.sky_object_id] for o in near]
    everyone: list[SurveyObject | Alert] = [*near, *(alerts[i] for i in still)]
    association = associate(
        [o.survey for o in everyone],
        np.array([o.ra for o in everyone], dtype=np.float64),
        np.array([o.dec for o in everyone], dtype=np.float64),
        np.array([o.position_err for o in everyone], dtype=np.float64),
        np.array([*before, *(number[named[i].pk] if i in named else -1 for i in still)], dtype=np.int64),
    )
    group = dict(enumerate(skies))
    sky = [_sky(a, p) for a, p in zip(alerts, pixels.tolist(), strict=True)]
    separation: list[float | None] = [None] * len(alerts)
    for i, g, apart in zip(still, association.group[len(near) :].tolist(), association.separation[len(near) :].tolist(), strict=True):
        sky[i] = group.setdefault(g, sky[i])
        separation[i] = apart if np.isfinite(apart) else None
    return Link(
        sky=sky,
        pixels=pixels.tolist(),
        separation=separation,
        method=[SurveyObject.Method.NEW if s is None else SurveyObject.Method.POSITION for s in separation],
        new=[s for s in {id(s): s for s in sky}.values() if s.pk is None],
        ambiguous=[(still[i - len(near)], group[g], apart) for i, g, apart in association.ambiguous if i >= len(near)],
    )


def _near(pixels: Iterable[int]) -> list[SurveyObject]:
    """Survey objects in these HEALPix pixels that do not move."""
    return [o for part in chunks(pixels) for o in SurveyObject.objects.filter(healpix__in=part, moving=False).select_related("sky_object")]


def _named_skies(alerts: Sequence[Alert], named: Sequence[int | None]) -> dict[int, SkyObject]:
    """Sky objects of the alerts that have the name of a target: the oldest of that target, or a new one."""
    by_target: dict[int | None, SkyObject] = {}
    for part in chunks({t for t in named if t is not None}):
        for sky in SkyObject.objects.filter(target__in=part).order_by("-pk"):
            by_target[sky.target_id] = sky
    for alert, target in zip(alerts, named, strict=True):
        if target is not None and target not in by_target:
            sky = _sky(alert, healpix.cell(alert.ra, alert.dec))
            sky.target_id, sky.promoted = target, True
            sky.save()
            by_target[target] = sky
    return {i: by_target[t] for i, t in enumerate(named) if t is not None}


def _sky(alert: Alert | SurveyObject, healpix: int) -> SkyObject:
    return SkyObject(ra=alert.ra, dec=alert.dec, position_err=alert.position_err, healpix=healpix, moving=alert.moving)
