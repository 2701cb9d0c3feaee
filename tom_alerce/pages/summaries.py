"""Summaries of sky objects for the pages, read for a whole page at once: the number of queries does not grow with that of objects."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from django.db.models import F, Q, prefetch_related_objects

from broker_adapters import surveys
from broker_adapters.records import Detections
from broker_adapters.significance import alerts
from followup.brightness import Trend, trend
from tom_alerce import visible
from tom_alerce.models import Classification, FollowupRequest, MatchCandidate, SkyObject, Stamps, SurveyObject
from tom_alerce.store import classifications, lightcurves

#: Days before the first measurement here from which on a detection is too early for a supernova that rises with these measurements.
EARLIER = 30.0


class ShownStamps(Protocol):
    """Stamps of one alert without their pixels, and whether there is a template among them."""

    pk: int
    source_id: str
    mjd: float
    survey_object: SurveyObject
    has_template: bool


@dataclass(frozen=True)
class Summary:
    """Data of one sky object that the pages show; ``sky_object`` has its survey objects, and the target that is seen, prefetched."""

    sky_object: SkyObject
    detections: Detections
    classifications: tuple[Classification, ...]
    silent: tuple[Classification, ...]
    stamps: tuple[ShownStamps, ...]
    ambiguous: tuple[MatchCandidate, ...]
    requests: tuple[FollowupRequest, ...]

    @cached_property
    def latest(self) -> Trend | None:
        """Brightness trend of the light curve, as in the ranking; None if nothing was detected."""
        return trend(self.detections, math.inf)

    @property
    def first_stamps(self) -> ShownStamps | None:
        """Stamps of the earliest alert of all members, if possible with a template (ATLAS sends none)."""
        return min(self.stamps, key=lambda s: (not s.has_template, s.mjd), default=None)

    @property
    def latest_stamps(self) -> ShownStamps | None:
        """Stamps of the latest alert of all members, if possible with a template; None if they are the first."""
        first, latest = self.first_stamps, max(self.stamps, key=lambda s: (s.has_template, s.mjd), default=None)
        return None if first is None or latest is None or latest.source_id == first.source_id else latest

    def detail(self, name: str) -> Any:
        """A detail of one of our own classifications (`classifiers.records.Classification.details`); None if none has it."""
        return classifications.detail(self.classifications, name)

    @property
    def oddness(self) -> float | None:
        """Anomaly score: fraction of the training objects of its kind that are less odd, in [0, 1]."""
        score: float | None = self.detail("oddness")
        return score

    @property
    def old(self) -> bool:
        """Whether a survey has seen it more than `EARLIER` days before the measurements here: no explosion began when they begin."""
        first = self.sky_object.survey_first_mjd
        return first is not None and (self.sky_object.first_mjd is None or self.sky_object.first_mjd - first > EARLIER)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """Label and number of detections of each survey."""
        rows = self.detections[alerts(self.detections)]
        return [
            (surveys.about(str(survey)).label, int(n)) for survey, n in zip(*np.unique(rows["survey"], return_counts=True), strict=True)
        ]


def summarise(sky_objects: Sequence[SkyObject], user: visible.User) -> dict[int, Summary]:
    """Summarise sky objects for a user who may see them; return key -> `Summary`."""
    keys = [sky_object.pk for sky_object in sky_objects]
    prefetch_related_objects(sky_objects, "survey_objects__decided_by")
    members = [member.pk for one in sky_objects for member in one.survey_objects.all()]
    ambiguous = _ambiguous(visible.with_both_sides(user, visible.undecided(user).filter(about(keys, members)), *sky_objects))
    classified, silent = classifications.spoken(keys)
    curves = lightcurves.split(lightcurves.read(members))
    stamps = _by(
        Stamps.objects.filter(survey_object__sky_object__in=keys)
        .exclude(science=None, template=None, difference=None)
        .defer("science", "template", "difference", "metadata")
        .annotate(owner=F("survey_object__sky_object"), has_template=Q(template__isnull=False))
        .select_related("survey_object")
        .order_by("survey_object", "mjd"),
        "owner",
    )
    requests = _by(visible.requests(user).filter(sky_object__in=keys).select_related("series").order_by("-created"), "sky_object_id")
    return {
        one.pk: Summary(
            one,
            lightcurves.merged(curves, (m.pk for m in one.survey_objects.all())),
            tuple(classified.get(one.pk, ())),
            tuple(silent.get(one.pk, ())),
            tuple(stamps[one.pk]),
            tuple(ambiguous[one.pk]),
            tuple(requests[one.pk]),
        )
        for one in sky_objects
    }


def about(sky_objects: Sequence[int], members: Sequence[int]) -> Q:
    """Condition on matches: with these sky objects, or of these survey objects; each part has its index."""
    return Q(sky_object__in=sky_objects) | Q(survey_object__in=members)


def _ambiguous(undecided: Iterable[MatchCandidate]) -> dict[int, list[MatchCandidate]]:
    """Undecided matches by sky object: under the one to link to and under the present one."""
    by_object: dict[int, list[MatchCandidate]] = defaultdict(list)
    for one in undecided:
        for key in {one.sky_object_id, one.survey_object.sky_object_id}:
            by_object[key].append(one)
    return by_object


def _by(rows: Iterable[Any], attribute: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, attribute)].append(row)
    return groups
