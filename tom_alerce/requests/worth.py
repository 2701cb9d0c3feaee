"""Was it worth it: what was asked for, what was observed, and what it turned out to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import QuerySet

from classifiers.taxonomy import right
from followup.records import FollowupError
from tom_alerce.models import Classification, FollowupRequest
from tom_alerce.requests.facilities import facility_of
from tom_alerce.requests.known import read
from tom_alerce.requests.states import ENDED, PENDING, State
from tom_alerce.store import truths
from tom_alerce.store.classifications import LOCAL

#: Edges of the bins in which probabilities are compared with what came out.
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request: by which profile, what was predicted when it was made, what it took, and what came of it.

    ``truth`` is a spectroscopic class, '' where none is known; ``right`` whether the prediction says the same, None where nobody can say.
    """

    profile: str
    label: str
    probability: float
    hours: float
    sent: bool
    observed: bool
    truth: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Line:
    """A group of requests: how many were asked for, sent, observed and classified, hours observed, and how many were predicted rightly."""

    name: str
    asked: int
    sent: int
    observed: int
    hours: float
    classified: int
    right: int

    @property
    def per_hour(self) -> float | None:
        """Classes learnt for an hour of telescope time; None without an hour."""
        return self.classified / self.hours if self.hours else None


@dataclass(frozen=True, slots=True)
class Bin:
    """Requests whose predicted class had a probability within bounds, and whose class is known: how many, mean probability, share right."""

    low: float
    high: float
    n: int
    mean: float
    right: float


def outcomes(rows: QuerySet[FollowupRequest]) -> list[Outcome]:
    """Outcome of each request; the queries grow by chunks of them, not with each."""
    listed = list(rows.select_related("sky_object__target", "ranking").prefetch_related("sky_object__survey_objects", "entries__trigger"))
    skies = {row.sky_object_id for row in listed}
    predicted, known = _predictions(skies), truths.of({row.sky_object_id: row.sky_object for row in listed}.values())
    return [_outcome(row, predicted[row.sky_object_id], known.get(row.sky_object_id, "")) for row in listed]


def lines(found: Sequence[Outcome], name: Callable[[Outcome], str]) -> list[Line]:
    """Outcomes by group, the largest first."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in found:
        groups[name(one)].append(one)
    every = [
        Line(
            name=group,
            asked=len(members),
            sent=sum(one.sent for one in members),
            observed=sum(one.observed for one in members),
            hours=sum(one.hours for one in members if one.observed),
            classified=sum(one.observed and bool(one.truth) for one in members),
            right=sum(one.observed and one.right is True for one in members),
        )
        for group, members in groups.items()
    ]
    return sorted(every, key=lambda line: (-line.asked, line.name))


def calibration(found: Iterable[Outcome]) -> list[Bin]:
    """Observed requests with a known class, by the probability of what was predicted; bins without any are left out."""
    known = [one for one in found if one.observed and one.right is not None]
    bins = []
    for low, high in pairwise(EDGES):
        inside = [one for one in known if low <= one.probability < high or one.probability == high == EDGES[-1]]
        if inside:
            n = len(inside)
            bins.append(Bin(low, high, n, sum(one.probability for one in inside) / n, sum(one.right is True for one in inside) / n))
    return bins


def _outcome(row: FollowupRequest, predicted: Sequence[Classification], truth: str) -> Outcome:
    before = [one for one in predicted if one.created <= row.created]
    best = max(before, key=lambda one: (one.created, one.pk), default=None)
    trigger = next((entry.trigger for entry in row.entries.all()), None)
    label = "" if best is None else best.label
    return Outcome(
        profile=str(getattr(row.ranking, "profile", "") or (trigger.profile if trigger is not None else "default")),
        label=label,
        probability=0.0 if best is None else float(best.probability or 0.0),
        hours=_hours(row),
        sent=row.sent is not None or row.state in PENDING | (ENDED - {State.CANCELLED, State.EXPIRED}),
        observed=row.state == State.OBSERVED,
        truth=truth,
        right=right(label, truth),
    )


def _hours(row: FollowupRequest) -> float:
    plugin = facility_of(row.facility)
    try:
        return 0.0 if plugin is None else read(plugin, row).hours(plugin.INSTRUMENTS)
    except FollowupError:
        return 0.0


def _predictions(skies: Iterable[int]) -> dict[int, list[Classification]]:
    """Our own classifications, by object."""
    found: dict[int, list[Classification]] = defaultdict(list)
    for one in Classification.objects.filter(sky_object__in=skies, origin=LOCAL).exclude(label="").defer("details", "probabilities"):
        found[one.sky_object_id].append(one)
    return found
