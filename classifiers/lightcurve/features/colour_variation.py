"""How much the colour of the difference flux varies, and for how long (lc_classifier 27: ColorVariation, Timespan).

color_variation is the standard deviation (n - 1) of g - r, of the mean magnitudes of each band in windows of `WINDOW` days in which both
have at least `LEAST` points: near zero for what keeps its temperature, large for what cools. Magnitudes are of the absolute difference
flux, of detections and of forced points, where their error is below `ERROR`; windows count from the first of them.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import POGSON, magnitude_from_flux

from .._arrays import Floats
from ..context import Context
from ..series import Points

#: Length of a window in days, points of each band that it needs, and windows that are needed.
WINDOW, LEAST, WINDOWS = 10.0, 3, 2

#: Largest error in magnitudes.
ERROR = 1.0


def features(context: Context) -> dict[str, float]:
    """color_variation and Timespan (days from the first to the last detection)."""
    times = np.concatenate([s.t for s in context.curve.series])
    g, r = (_magnitudes(s.measured) for s in context.curve.series)
    return {"color_variation": colour_variation(*g, *r), "Timespan": float(np.ptp(times)) if len(times) else math.nan}


def colour_variation(t_g: Floats, g: Floats, t_r: Floats, r: Floats) -> float:
    """The standard deviation of the colours in windows, of times (n,) and magnitudes of each band; NaN with fewer than `WINDOWS`."""
    if min(len(g), len(r)) < LEAST * WINDOWS:
        return math.nan
    start = min(t_g[0], t_r[0])
    n = int((max(t_g[-1], t_r[-1]) - start) // WINDOW) + 1
    which_g, which_r = ((t - start) // WINDOW for t in (t_g, t_r))
    n_g, n_r = (np.bincount(which.astype(int), minlength=n) for which in (which_g, which_r))
    both = (n_g >= LEAST) & (n_r >= LEAST)
    if both.sum() < WINDOWS:
        return math.nan
    mean_g, mean_r = (np.bincount(w.astype(int), m, n)[both] / k[both] for w, m, k in ((which_g, g, n_g), (which_r, r, n_r)))
    return float((mean_g - mean_r).std(ddof=1))


def _magnitudes(points: Points) -> tuple[Floats, Floats]:
    """Times and magnitudes of what is precise enough."""
    flux = np.abs(points.flux)
    precise = POGSON * points.flux_err < ERROR * flux
    return points.t[precise], magnitude_from_flux(flux[precise])
