"""Whether it is up tonight, within the limits of the night."""

from __future__ import annotations

import numpy as np

from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night, *, hours: float = 0.0) -> Vetoes:
    """Against what is within the limits of the night for no more than ``hours``, shape (n,); no date is known."""
    n = len(candidates)
    if not len(night.times):
        return Vetoes(np.full(n, np.inf), Reasons.same(n, "no dark time in the next 24 h"))
    left = night.hours
    return Vetoes(np.where(left > hours, np.nan, np.inf), Reasons(n, lambda i: _reason(night, i, float(left[i]), hours)))


def _reason(night: Night, i: int, left: float, hours: float) -> str:
    limit = f"airmass {night.limits.max_airmass:g}"
    if left > 0.0:
        return f"{left:.1f} h left above {limit}" + ("" if left > hours else f", less than {hours:g} h")
    if not np.isfinite(night.altitude[i]).all():
        return "its position is not known"
    high = night.altitude[i].max() >= np.degrees(np.arcsin(1.0 / night.limits.max_airmass))
    if high:
        return f"within {night.limits.moon_separation:.0f} deg of the Moon"
    return f"never above {limit} in what is left of the dark"
