"""Reads sky objects as candidates, the records that are ranked: what all are ranked by in a few queries, light curves in parts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from django.db.models import Max, QuerySet

from broker_adapters import tns
from broker_adapters.records import Detections
from broker_adapters.times import mjd_from_datetime
from followup.batch import Batch
from followup.curves import Curves
from followup.places import Places
from followup.records import Candidate
from tom_alerce import visible
from tom_alerce.clock import now
from tom_alerce.models import FollowupRequest, Mark, RequestEvent, SkyObject, SurveyObject, TnsObject
from tom_alerce.models.sky import public_names
from tom_alerce.store import counterparts, lightcurves, marks, outlooks
from tom_alerce.store import tns as tns_table
from tom_alerce.store.classifications import SILENT, opinions
from tom_alerce.store.places import Position, Surveyed
from tom_alerce.store.sql import fetch

_FIELDS = ("pk", "ra", "dec", "first_mjd", "survey_first_mjd", "n_detections", "survey_n_detections", "target_id", "last_mjd")


#: Candidates whose whole light curves are read together.
_BLOCK = 50


class _Member(NamedTuple):
    """What is read of a survey object."""

    pk: int
    survey: str
    object_id: str
    names: Sequence[str]


class Stored(Batch):
    """Candidates whose light curves are in the tables, and are read a part at a time; in the order of their keys."""

    def __init__(self, candidates: Sequence[Candidate], skies: QuerySet[SkyObject], surveyed: Surveyed) -> None:
        super().__init__(candidates)
        self._skies, self._surveyed = skies, surveyed
        self._keys = [int(c.key) for c in candidates]

    def curves(self, low: int, high: int) -> Curves:
        """Light curves of the candidates from one place to before another."""
        keys = self._keys[low:high]
        return lightcurves.columns(self._skies.filter(pk__gte=keys[0], pk__lte=keys[-1]), keys)

    @property
    def places(self) -> Places:
        """What catalogues have at the places of all."""
        return self._surveyed.places


class _Reader:
    """Reads whole light curves of candidates, of some neighbours at once: who reads one often reads all."""

    def __init__(self, members: Sequence[Sequence[int]]) -> None:
        self._members = members
        self._block = lru_cache(maxsize=2)(self._read)

    def of(self, i: int) -> Callable[[], Detections]:
        """What reads the light curve of candidate i."""
        return lambda: lightcurves.merged(self._block(i // _BLOCK), self._members[i])

    def _read(self, block: int) -> dict[int, Detections]:
        return lightcurves.split(lightcurves.read(pk for own in self._members[block * _BLOCK : (block + 1) * _BLOCK] for pk in own))


def candidates(skies: QuerySet[SkyObject], at: float | None = None) -> Stored:
    """Candidates of these objects, in the order of their keys, with the marks and the outlooks of a time (MJD, UTC; now)."""
    at = now() if at is None else at
    rows = {row[0]: row for row in fetch(skies.order_by("pk").values_list(*_FIELDS))}
    members, titles, observed = _members(skies), _titles(skies), _observed(skies)
    coincident = counterparts.coincidences(skies, at)
    said, prospects = opinions(skies), outlooks.of(skies, at)
    marked = marks.of(set(Mark.objects.filter(sky_object__in=skies.values("pk")).values_list("sky_object_id", flat=True)), at)
    surveyed = Surveyed([Position(pk, ra, dec, last) for pk, ra, dec, *_, last in rows.values()], tns_table.of(skies))
    made: list[Candidate] = []
    reader = _Reader([[m.pk for m in members.get(pk, ())] for pk in rows])
    for pk, ra, dec, first, stated, n, n_stated, target, _ in rows.values():
        named = public_names(members.get(pk, ()))
        title = titles.get(target)
        opinion = said.get(pk, SILENT)
        made.append(
            Candidate.deferred(
                {"detections": reader.of(len(made)), "outlook": prospects.reader(pk), "place": surveyed.of(len(made))},
                key=str(pk),
                name=title or next(iter(named), f"sky object {pk}"),
                ra=ra,
                dec=dec,
                first_seen=_number(first if stated is None else stated),
                n_seen=max(n, n_stated),
                probabilities=opinion.probabilities,
                oddness=_number(opinion.oddness),
                cycle=opinion.cycle,
                marks=marked.get(pk, ()),
                coincidences=coincident.get(pk, ()),
                observed=observed.get(pk, math.nan),
                classified=_has_class(surveyed.named.get(pk)) or any(map(tns.spectroscopic, [*named, title or ""])),
            )
        )
    batch = Stored(made, skies, surveyed)
    has = np.array([i for i, c in enumerate(made) if int(c.key) in prospects], np.intp)
    batch.once("has_outlook", lambda: has)
    batch.once("outlooks", lambda: prospects.stacked(int(made[i].key) for i in has))
    return batch


def _members(skies: QuerySet[SkyObject]) -> dict[int, list[_Member]]:
    found: dict[int, list[_Member]] = defaultdict(list)
    rows = SurveyObject.objects.filter(sky_object__in=skies.values("pk")).order_by("survey", "object_id")
    for owner, *values in rows.values_list("sky_object_id", "pk", "survey", "object_id", "names"):
        found[owner].append(_Member(*values))
    return found


def _titles(skies: QuerySet[SkyObject]) -> dict[int | None, str]:
    """Names of targets."""
    rows = visible.targets(None).filter(pk__in=skies.exclude(target=None).values("target"))
    return {pk: str(name) for pk, name in rows.values_list("pk", "name")}


def _observed(skies: QuerySet[SkyObject]) -> dict[int, float]:
    """Sky object -> MJD at which the latest of our requests was found observed."""
    rows = RequestEvent.objects.filter(after=FollowupRequest.State.OBSERVED, request__sky_object__in=skies.values("pk")).order_by()
    latest = rows.values_list("request__sky_object").annotate(latest=Max("time"))
    return {key: mjd_from_datetime(time) for key, time in latest}


def _has_class(named: TnsObject | None) -> bool:
    return named is not None and bool(named.type)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
