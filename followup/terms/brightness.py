"""Brightness expected now: the brighter a candidate, the more a telescope can learn."""

from __future__ import annotations

import numpy as np

from followup.brightness import Trend
from followup.records import NEUTRAL, Candidates, Night, Scores

#: Lowest score of a candidate within the limit.
_LEAST = 0.02


def term(candidates: Candidates, night: Night, *, bright: float = 16.0, faint: float = 20.5, stale: float = 10.0) -> Scores:
    """1 at magnitude ``bright`` and above, falling linearly to 0 at ``faint``, shape (n,).

    The magnitude is that of `followup.brightness.Trend`, extrapolated to now. A candidate fainter than ``faint``, both when last detected
    and now, is vetoed. If the last detection is older than ``stale`` days, the score is at most neutral.
    """
    values, reasons = [], []
    for candidate in candidates:
        history = candidate.history(night.now)
        value, reason = (
            (NEUTRAL, "no detection yet, brightness unknown") if history is None else _judge(history.trend, night.now, bright, faint, stale)
        )
        values.append(value)
        reasons.append(reason)
    return Scores(np.array(values, dtype=np.float64), tuple(reasons))


def _judge(state: Trend, now: float, bright: float, faint: float, stale: float) -> tuple[float, str]:
    if not np.isfinite(state.latest):
        return NEUTRAL, "below its reference image or lost in its noise, brightness unknown"
    if min(state.latest, state.now) > faint:
        return 0.0, f"{state}, beyond the limit of {faint:.1f}"
    value = float(np.clip((faint - state.now) / (faint - bright), _LEAST, 1.0))
    age = now - state.last
    if age > stale:
        return min(value, NEUTRAL), f"{state.band} = {state.latest:.1f} when last seen {age:.0f} d ago"
    return value, str(state)
