"""Signal to noise lost to moonlight."""

from __future__ import annotations

import numpy as np

from followup.moonlight import darkest
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores


def term(candidates: Candidates, night: Night) -> Scores:
    """Signal to noise against the sky relative to a moonless night (the sky's flux to the power -1/2), at the best hour, shape (n,)."""
    n = len(candidates)
    if not len(night.times):
        return Scores(np.full(n, NEUTRAL), Reasons.same(n, "no dark time in the next 24 h"))
    best, excess = darkest(night)
    up = np.isfinite(excess)
    values = np.where(up, excess**-0.5, NEUTRAL)
    return Scores(values, Reasons(n, lambda i: _reason(night, i, int(best[i]), float(values[i])) if up[i] else "not up tonight"))


def _reason(night: Night, i: int, best: int, value: float) -> str:
    if night.moon_altitude[best] <= 0.0:
        return "Moon below the horizon"
    text = f"Moon {night.moon_separation[i, best]:.0f} deg away, {night.moon_illumination:.0%} lit"
    magnitudes = -5.0 * np.log10(value)
    return f"{text}, sky {magnitudes:.1f} mag brighter" if magnitudes >= 0.05 else text
