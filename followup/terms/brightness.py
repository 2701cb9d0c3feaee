"""Whether the telescope can do something with it: the brighter, the more can be learnt."""

from __future__ import annotations

import numpy as np

from followup.brightness import Trend, trend
from followup.records import NEUTRAL, Candidates, Night, Scores

#: What a candidate near the limit, or one of a brightness long past, is still worth.
_LEAST = 0.02


def term(candidates: Candidates, night: Night, *, bright: float = 16.0, faint: float = 20.5, stale: float = 10.0) -> Scores:
    """1 at magnitude ``bright`` and above, falling linearly to 0 at ``faint``, shape (n,).

    The magnitude is that of the light that changed (`followup.brightness`), carried on to now. Beyond ``faint``, both when last seen and
    now, the telescope sees nothing: a veto. A brightness older than ``stale`` days says little: at best neutral.
    """
    values, reasons = [], []
    for candidate in candidates:
        state = trend(candidate.detections, night.now)
        value, reason = (
            (NEUTRAL, "no detection yet, brightness unknown") if state is None else _judge(state, night.now, bright, faint, stale)
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
