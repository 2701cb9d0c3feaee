"""How much the colour of the difference flux varies, and for how long (lc_classifier 27: ColorVariation, Timespan).

color_variation is the standard deviation (n - 1) of g - r, of the mean magnitudes of each band in windows of `WINDOW` days in which both
have at least `LEAST` points: near zero for what keeps its temperature, large for what cools. ALeRCE's windows begin at other times, so
the values agree in size, not in digits.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import magnitude_from_flux

from .._arrays import Floats
from ..context import Context

#: Length of a window in days, points of each band that it needs, and windows that are needed.
WINDOW, LEAST, WINDOWS = 10.0, 3, 2


def features(context: Context) -> dict[str, float]:
    """color_variation and Timespan (days from the first to the last detection)."""
    g, r = context.curve.series
    times = np.concatenate([g.t, r.t])
    if not len(times):
        return {"color_variation": math.nan, "Timespan": math.nan}
    start = float(times.min())
    (n_g, mean_g), (n_r, mean_r) = (_means(s.t - start, magnitude_from_flux(np.abs(s.flux)), float(times.max()) - start) for s in (g, r))
    colour = (mean_g - mean_r)[(n_g >= LEAST) & (n_r >= LEAST)]
    return {"color_variation": float(colour.std(ddof=1)) if len(colour) >= WINDOWS else math.nan, "Timespan": float(np.ptp(times))}


def _means(t: Floats, m: Floats, last: float) -> tuple[Floats, Floats]:
    """Number and mean of the magnitudes in each window."""
    which, n = (t // WINDOW).astype(int), int(last // WINDOW) + 1
    counts = np.bincount(which, minlength=n).astype(float)
    return counts, np.bincount(which, m, n) / np.maximum(counts, 1)
