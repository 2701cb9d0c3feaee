"""Visibility in the time left of the night."""

from __future__ import annotations

import numpy as np

from followup.records import Candidates, Night, Scores
from followup.visibility import airmass


def term(candidates: Candidates, night: Night, *, enough: float = 2.0) -> Scores:
    """Hours left within the limits (``enough`` hours give full score) over the best airmass, shape (n,); 0, a veto, if never up."""
    n = len(candidates)
    if not len(night.times):
        return Scores(np.zeros(n), ("no dark time in the next 24 h",) * n)
    best = np.where(night.observable, night.altitude, -90.0).max(axis=1, initial=-90.0)
    hours = night.hours
    values = np.minimum(hours / enough, 1.0) / airmass(best)
    return Scores(values, tuple(_reason(night, i, float(hours[i])) for i in range(n)))


def _reason(night: Night, i: int, hours: float) -> str:
    limit = f"airmass {night.limits.max_airmass:g}"
    if not np.isfinite(night.altitude[i]).all():
        return "its position is not known"
    up = np.flatnonzero(night.observable[i])
    if not len(up):
        high = 1.0 / np.sin(np.radians(max(night.altitude[i].max(), 1e-6))) <= night.limits.max_airmass
        return f"within {night.limits.moon_separation:.0f} deg of the Moon" if high else f"never above {limit} in what is left of the dark"
    left = f"{hours:.1f} h left above {limit}"
    until_start = (night.times[up[0]] - night.step / 2.0 - night.now) * 24.0
    until_top = (night.times[np.argmax(night.altitude[i])] - night.now) * 24.0
    if until_start > 0.1:
        return f"up in {until_start:.1f} h, {left}"
    interior = 0 < np.argmax(night.altitude[i]) < len(night.times) - 1
    return f"transits in {until_top:.1f} h, {left}" if interior else f"{'setting' if until_top < 0.2 else 'rising'}, {left}"
