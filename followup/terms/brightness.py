"""Brightness expected at the telescope: the brighter a candidate, the more a telescope can learn."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.expected import Expected, expected
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores
from followup.states import States

#: Lowest score, of a faint candidate.
_LEAST = 0.02


def term(candidates: Candidates, night: Night, *, bright: float = 16.0, faint: float = 20.5, stale: float = 10.0) -> Scores:
    """1 at magnitude ``bright`` and above, falling linearly to 0.02 at ``faint``, shape (n,).

    The magnitude is that of the outlook for tonight where there is one of a likely supernova, else that of `followup.trends.Trend`,
    extrapolated to now; then, if the last detection is older than ``stale`` days, the score is at most neutral.
    """
    batch = Batch.of(candidates)
    states, tonight = batch.at(night.now), expected(batch, night)
    values = np.clip((faint - tonight.magnitude) / (faint - bright), _LEAST, 1.0)
    old = (night.now - states.number("last") > stale) & (tonight.family == "")
    values = np.where(old, np.minimum(values, NEUTRAL), values)
    values = np.where(np.isfinite(tonight.magnitude), values, NEUTRAL)
    return Scores(values, Reasons(len(batch), lambda i: _reason(states, tonight, i, bool(old[i]))))


def _reason(states: States, tonight: Expected, i: int, old: bool) -> str:
    if tonight.family[i]:
        return tonight[i]
    if not states.counts[i, 0]:
        return "no detection yet, brightness unknown"
    trend = states.trend(i)
    if not np.isfinite(trend.latest):
        return "below its reference image or lost in its noise, brightness unknown"
    return f"{trend.band} = {trend.latest:.1f} when last seen {states.moment - trend.last:.0f} d ago" if old else str(trend)
