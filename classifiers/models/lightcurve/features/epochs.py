"""Measured light curve in bins of days from the fitted peak of the r-like band, in magnitudes relative to that peak.

These features are ours. The fitted model is smooth and lacks the shoulder of a thermonuclear supernova (the second maximum of the redder
bands, three weeks past the first). Therefore the weighted means of the points in bins of phase are features too, and the colour where
both bands have points in a bin.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import magnitude_from_flux
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import GRID, Context

#: Edges of the bins, days from the fitted peak of the r-like band.
EDGES = (-25, -17, -12, -8, -4, 0, 4, 8, 12, 16, 20, 25, 30, 37, 45, 55, 70, 90, 120)

#: Error added in quadrature, and least flux, as parts of the peak.
SOFTENING, FLOOR = 0.02, 1e-3


NAMES = tuple(f"phase_{low}_{high}_{of}" for low, high in pairwise(EDGES) for of in ("g", "r", "colour"))


def features(context: Context) -> dict[str, float]:
    """phase_<from>_<to>_g, phase_<from>_<to>_r and phase_<from>_<to>_colour, NaN for empty bins."""
    fit, means = context.fit, np.full((2, len(EDGES) - 1), math.nan)
    if fit is not None:
        red = context.fitted[1]
        at, peak = fit.zero + float(GRID[np.argmax(red)]), float(red.max())
        for k, series in enumerate(context.curve.series):
            means[k] = _means(series.t - at, series.flux / peak, series.flux_err / peak)
    g, r = magnitude_from_flux(np.maximum(means, FLOOR)) - magnitude_from_flux(1.0)
    return dict(zip(NAMES, np.stack([g, r, g - r], axis=1).ravel().tolist(), strict=True))


@compiled()
def _means(phase: Floats, flux: Floats, error: Floats) -> Floats:
    """Weighted means of fluxes in units of the peak, one per bin; NaN for an empty one."""
    total, weights = np.zeros(len(EDGES) - 1), np.zeros(len(EDGES) - 1)
    for i in range(len(phase)):
        for k in range(len(EDGES) - 1):
            if EDGES[k] <= phase[i] < EDGES[k + 1]:
                weight = 1 / (error[i] ** 2 + SOFTENING**2)
                total[k], weights[k] = total[k] + weight * flux[i], weights[k] + weight
    return np.where(weights > 0, total / weights, np.nan)
