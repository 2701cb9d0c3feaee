"""Variation of the colour of the difference flux, and length of the light curve (lc_classifier 27: ColorVariation, Timespan).

color_variation is the standard deviation (n - 1) of g - r, of the mean magnitudes of each band in windows of `WINDOW` days in which both
have at least `LEAST` points: near zero at constant temperature, large for a source that cools. Magnitudes are of the absolute difference
flux, of detections and of forced points, where their error is below `ERROR`; windows count from the first of them.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import POGSON, magnitude_from_flux
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context
from classifiers.models.lightcurve.series import Points

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
    """Standard deviation of the colours in windows, from times (n,) and magnitudes of each band; NaN with fewer than `WINDOWS`."""
    if min(len(g), len(r)) < LEAST * WINDOWS:
        return math.nan
    n_g, start = len(g), min(t_g[0], t_r[0])
    windows, which = np.unique((np.concatenate([t_g, t_r]) - start) // WINDOW, return_inverse=True)
    counts = [np.bincount(w, minlength=len(windows)) for w in (which[:n_g], which[n_g:])]
    both = (counts[0] >= LEAST) & (counts[1] >= LEAST)
    if both.sum() < WINDOWS:
        return math.nan
    sums = [np.bincount(w, m, len(windows)) for w, m in ((which[:n_g], g), (which[n_g:], r))]
    colours = sums[0][both] / counts[0][both] - sums[1][both] / counts[1][both]
    return float(colours.std(ddof=1))


def _magnitudes(points: Points) -> tuple[Floats, Floats]:
    """Times and magnitudes of the points with errors below `ERROR`."""
    flux = np.abs(points.flux)
    precise = POGSON * points.flux_err < ERROR * flux
    return points.t[precise], magnitude_from_flux(flux[precise])
