"""Our own classifications of the objects whose class was learnt otherwise, for the scoreboard."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from classifiers.scoreboard import Board, Scored, bin_of, boards
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store import truths
from tom_alerce.store.classifications import LOCAL
from tom_alerce.store.sql import chunks


@dataclass(frozen=True, slots=True)
class Scores:
    """Boards of all versions of our classifiers, and over how many objects with a class."""

    n: int
    boards: list[Board]


def scores(skies: QuerySet[SkyObject], since: float) -> Scores:
    """How our classifiers did on those of some objects that were seen since an MJD and have a class (`truths`).

    The last word of each version on each object counts, and by age the last one with as many detections. A word that was said after the
    class became known counts like any other: no classifier of ours reads it.
    """
    found: dict[int, str] = {}
    for part in chunks(sorted(truths.with_one(since))):
        found |= truths.of(skies.filter(pk__in=part).select_related("target").prefetch_related("survey_objects"))
    last: dict[tuple[int, str, str], Scored] = {}
    by_age: dict[tuple[int, str, str, int], Scored] = {}
    for part in chunks(sorted(found)):
        rows = Classification.objects.filter(sky_object__in=part, origin=LOCAL).exclude(label="").order_by("created", "pk")
        names = ("sky_object_id", "classifier", "version", "label", "probability", "n_detections")
        for key, classifier, version, label, probability, n in rows.values_list(*names):
            one = Scored(classifier, version, label, probability, n, found[key])
            last[key, classifier, version] = one
            by_age[key, classifier, version, bin_of(n)] = one
    return Scores(len(found), boards(last.values(), by_age.values()))
