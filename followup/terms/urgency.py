"""Urgency: what is lost by waiting for a better night, of those on which it can still be observed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from followup.batch import Batch
from followup.coming import ANY, NIGHTS, Coming, coming, evening
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores

#: Lowest score, of what is far better later.
_LEAST = 0.05


def term(candidates: Candidates, night: Night, *, within: float = 4.0, classes: Mapping[str, float] = ANY) -> Scores:
    """Chance to see it near its peak tonight over that on the best of the coming nights, tonight among them, shape (n,).

    1 where no night to come is as good: it sets into the Sun, the Moon comes, or the peak passes. `NEUTRAL` without an outlook.
    """
    batch = Batch.of(candidates)
    values = np.full(len(batch), NEUTRAL)
    has = batch.has_outlook
    if not len(has):
        return Scores(values, Reasons.same(len(batch), "no forecast of its peak"))
    nights = coming(batch, night, within, classes)
    best = np.maximum(nights.later.max(axis=1), nights.tonight)
    values[has] = np.clip(np.divide(nights.tonight, best, out=np.ones(len(has)), where=best > 0.0), _LEAST, 1.0)
    place = np.full(len(batch), -1)
    place[has] = np.arange(len(has))
    return Scores(values, Reasons(len(batch), lambda i: _reason(nights, night, int(place[i]))))


def _reason(nights: Coming, night: Night, k: int) -> str:
    if k < 0:
        return "no forecast of its peak"
    tonight, later = float(nights.tonight[k]), nights.later[k]
    best = int(np.argmax(later))
    if not nights.up[k, 1:].any():
        return f"not up on any of the next {NIGHTS} nights"
    if later[best] <= tonight:
        return f"no better night among the next {NIGHTS}: {tonight:.0%} near its peak tonight, {later[best]:.0%} later"
    return f"{tonight:.0%} near its peak tonight, {later[best]:.0%} on {evening(night.site, float(nights.mjd[1 + best]))}"
