"""Candidates of an event with what decides about them: the distance of the host, how well it agrees, chance, and their order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from followup.coincidence import agreement, host_error, worth
from followup.regions import Distances
from tom_alerce.models import EventCandidate, SkyEvent
from tom_alerce.store import counterparts, events, places


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, and what is known of it now; NaN is what is not known.

    Attributes
    ----------
    row : EventCandidate
    score : float
        As the term ``region`` of the ranking has it, without what people say.
    distance, error : float
        Of its host, Mpc.
    told_by : str
        Whose distance it is (`followup.places.Places`).
    galaxy : str
        The likeliest host.
    agreement : float
        Of the distances; NaN where the event or the host has none.
    level_in_space : float
        Credible level in space.
    expected : float
        Unrelated objects in as good a place.
    outside : bool
        The version of the event that counts puts it outside the region that is searched.
    """

    row: EventCandidate
    score: float
    distance: float
    error: float
    told_by: str
    galaxy: str
    agreement: float
    level_in_space: float
    expected: float
    outside: bool

    @property
    def counts(self) -> bool:
        """Whether it may be the counterpart: neither there before, nor outside, nor rejected."""
        return not (self.row.early or self.outside or self.row.status == EventCandidate.Status.REJECTED)


def judge(event: SkyEvent, rows: Sequence[EventCandidate]) -> list[Judged]:
    """Candidates of an event, confirmed ones first, then by their score; what does not count is last."""
    if not rows or event.placed_id is None:
        return []
    region, skies = events.region(event), [row.sky_object for row in rows]
    ra, dec = np.array([sky.ra for sky in skies]), np.array([sky.dec for sky in skies])
    found = places.survey(skies).places
    error = host_error(found.distance)
    here = Distances(*(np.array([_number(getattr(row, name)) for row in rows]) for name in ("mu", "sigma", "norm")))
    agree, level = agreement(here, found.distance), np.array([row.level for row in rows])
    space = region.level_in_space(ra, dec, found.distance, error)
    score = worth(level, agree)
    known = np.isfinite(here.norm) & np.isfinite(found.distance)
    limit = counterparts.search().level
    judged = [
        Judged(
            row=row,
            score=float(score[i]),
            distance=float(found.distance[i]),
            error=float(error[i]),
            told_by=str(found.told_by[i]),
            galaxy=str(found.galaxy[i]),
            agreement=float(agree[i]) if known[i] else math.nan,
            level_in_space=float(space[i]),
            expected=counterparts.expected(event, row.share),
            outside=row.level > limit,
        )
        for i, row in enumerate(rows)
    ]
    return sorted(judged, key=lambda one: (one.row.status != EventCandidate.Status.CONFIRMED, not one.counts, -one.score, one.row.pk))


def _number(value: float | None) -> float:
    return math.nan if value is None else value
