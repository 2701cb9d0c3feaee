"""Region: how well a candidate lies where an event was, on the sky and, where its host has a distance, in space."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from followup.batch import Batch
from followup.coincidence import Coincidence, agreement, worth
from followup.records import Candidates, Night, Reasons, Scores
from followup.regions.distances import Distances

#: Lowest score of what is in a region.
_LEAST = 0.05


class _Judged(NamedTuple):
    """A candidate and one event: its score, and in words."""

    value: float
    reason: str


def term(candidates: Candidates, night: Night, *, outside: float = 0.05, event: str = "") -> Scores:
    """(1 - credible level) x agreement of the distances, the best of all events that still count, shape (n,).

    The agreement is 1 where the event has no distance, and 0.5 where the candidate's host has none: unknown, and not 0. What was there
    before the event is ruled out; what a person has confirmed has 1. ``outside`` is the score of what is in no region. With ``event``, the
    name of one, no other counts.
    """
    batch = Batch.of(candidates)
    found = batch.once("coincident", lambda: {i: c.coincidences for i, c in enumerate(batch) if c.coincidences})
    counting = [
        (i, one)
        for i, every in found.items()
        for one in every
        if one.mjd <= night.now <= one.until and one.status != "rejected" and event in ("", one.event)
    ]
    best: dict[int, _Judged] = {}
    if counting:
        rows, events = zip(*counting, strict=True)
        distance = batch.places.distance[list(rows)]
        here = Distances(*(np.array([getattr(one, name) for one in events]) for name in ("mu", "sigma", "norm")))
        agree = agreement(here, distance)
        values = worth([one.level for one in events], agree)
        for k, (i, one) in enumerate(counting):
            judged = _judged(one, float(values[k]), float(agree[k]), bool(np.isfinite(distance[k])), outside)
            best[i] = max(best.get(i, judged), judged)
    scores = np.full(len(batch), outside)
    scores[list(best)] = [judged.value for judged in best.values()]
    return Scores(scores, Reasons(len(batch), lambda i: best[i].reason if i in best else "in the region of no event"))


def _judged(one: Coincidence, value: float, agree: float, measured: bool, outside: float) -> _Judged:
    place = f"{one.event}, at its {one.level:.0%} level"
    if one.status == "confirmed":
        return _Judged(1.0, f"confirmed as the counterpart of {place}")
    if one.early:
        return _Judged(min(outside, _LEAST), f"in the region of {place}, but seen {-one.delay:.0f} d before it: ruled out")
    chance = f", {one.expected:.2g} unrelated expected" if np.isfinite(one.expected) else ""
    distances = ""
    if np.isfinite(one.norm):
        distances = f", distances agree to {agree:.0%}" if measured else ", distance of its host not known"
    return _Judged(max(value, _LEAST), f"in the region of {place}{distances}, first seen {one.delay:+.1f} d{chance}")
