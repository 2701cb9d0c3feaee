"""The measured light curve itself, in magnitudes relative to the fitted peak of the r-like band, in bins of days from that peak.

Ours. The fitted model is smooth; what tells a thermonuclear supernova is the shoulder that it lacks (the second maximum of the redder
bands, three weeks past the first), so the weighted means of the points in bins of phase are given beside it, and the colour where both
bands have points in a bin.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from broker_adapters.photometry import magnitude_from_flux

from .._arrays import Floats
from ..context import GRID, Context

#: Edges of the bins, days from the fitted peak of the r-like band.
EDGES = (-25, -17, -12, -8, -4, 0, 4, 8, 12, 16, 20, 25, 30, 37, 45, 55, 70, 90, 120)

#: Added to the errors in quadrature, and the least flux, as parts of the peak.
SOFTENING, FLOOR = 0.02, 1e-3


def features(context: Context) -> dict[str, float]:
    """phase_<from>_<to>_g, phase_<from>_<to>_r and phase_<from>_<to>_colour, NaN for empty bins."""
    curves = [_binned(context, k) for k in (0, 1)]
    found: dict[str, float] = {}
    for k, (low, high) in enumerate(pairwise(EDGES)):
        g, r = float(curves[0][k]), float(curves[1][k])
        found |= {f"phase_{low}_{high}_g": g, f"phase_{low}_{high}_r": r, f"phase_{low}_{high}_colour": g - r}
    return found


def _binned(context: Context, family: int) -> Floats:
    """Magnitudes relative to the peak, one per bin."""
    n, fit, series = len(EDGES) - 1, context.fit, context.curve.series[family]
    if fit is None or not len(series.t):
        return np.full(n, math.nan)
    red = context.fitted[1]
    peak, at = float(red.max()), float(GRID[np.argmax(red)])
    which = np.digitize(series.t - fit.zero - at, EDGES) - 1
    inside = (which >= 0) & (which < n)
    flux = series.flux[inside] / peak
    weight = 1 / ((series.flux_err[inside] / peak) ** 2 + SOFTENING**2)
    total = np.bincount(which[inside], weight, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(which[inside], weight * flux, n) / total
    relative: Floats = magnitude_from_flux(np.maximum(mean, FLOOR)) - magnitude_from_flux(1.0)
    return relative
