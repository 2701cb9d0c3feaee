"""Visibility in the time left of the night."""

from __future__ import annotations

import numpy as np

from followup.records import Candidates, Night, Reasons, Scores
from followup.visibility import airmass

#: Lowest score, of what is never up: the veto `observable` is against that.
_LEAST = 0.01


def term(candidates: Candidates, night: Night, *, enough: float = 2.0) -> Scores:
    """Hours left within the limits (``enough`` hours give full score) over the best airmass, shape (n,)."""
    n = len(candidates)
    if not len(night.times):
        return Scores(np.full(n, _LEAST), Reasons.same(n, "no dark time in the next 24 h"))
    best = np.where(night.observable, night.altitude, -90.0).max(axis=1, initial=-90.0)
    hours = night.hours
    values = np.maximum(np.minimum(hours / enough, 1.0) / airmass(best), _LEAST)
    return Scores(values, Reasons(n, lambda i: _reason(night, i, float(hours[i]))))


def _reason(night: Night, i: int, hours: float) -> str:
    up = np.flatnonzero(night.observable[i])
    if not len(up):
        return "not up tonight" if np.isfinite(night.altitude[i]).all() else "its position is not known"
    left = f"{hours:.1f} h left above airmass {night.limits.max_airmass:g}"
    until_start = (night.times[up[0]] - night.step / 2.0 - night.now) * 24.0
    until_top = (night.times[np.argmax(night.altitude[i])] - night.now) * 24.0
    if until_start > 0.1:
        return f"up in {until_start:.1f} h, {left}"
    interior = 0 < np.argmax(night.altitude[i]) < len(night.times) - 1
    return f"transits in {until_top:.1f} h, {left}" if interior else f"{'setting' if until_top < 0.2 else 'rising'}, {left}"
