"""FLEET: m(t) = exp(w (t - t0)) - a w (t - t0) + m0, a rise and a decline with one shape each (Gomez et al. 2020, ApJ 904, 74, eq. 1).

For a given w the model is a straight line plus exp(w t) times exp(-w t0): linear in three numbers. So the best fit is a search along w
alone, over a grid, instead of the descent in four dimensions that ALeRCE (lc_classifier 27) makes from one start; its chi is never worse
than the grid is coarse, and theirs is where it ended. Magnitudes are of positive difference fluxes above 1 uJy; w is negative.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import NJY_PER_UJY, magnitude_error, magnitude_from_flux

from .._arrays import Floats
from ..context import Context

#: Least number of points, what is added to the errors in magnitudes, and the rates w in 1/d.
MINIMUM, SOFTENING, RATES = 4, 0.01, -np.geomspace(0.003, 1.0, 32)

#: A part of the largest diagonal element that keeps the normal equations solvable.
RIDGE = 1e-9

NAMES = ("a", "w", "chi", "m0", "t0")


def features(context: Context) -> dict[str, float]:
    """fleet_a, fleet_w, fleet_chi (per degree of freedom), fleet_m0 and fleet_t0 (days from the first of them) of each band."""
    found: dict[str, float] = {}
    for suffix, series in context.named_series:
        bright = series.flux > NJY_PER_UJY
        flux = series.flux[bright]
        values = one_band(series.t[bright], magnitude_from_flux(flux), magnitude_error(flux, series.flux_err[bright]))
        found |= {f"fleet_{name}{suffix}": value for name, value in zip(NAMES, values, strict=True)}
    return found


def one_band(t: Floats, m: Floats, e: Floats) -> tuple[float, float, float, float, float]:
    """a, w, chi, m0 and t0; NaN with fewer than `MINIMUM` points."""
    if len(t) < MINIMUM:
        return (math.nan,) * 5
    x, weight = t - t[0], (e + SOFTENING) ** -2
    design = np.stack([np.exp(np.outer(RATES, x)), np.broadcast_to(x, (len(RATES), len(x))), np.ones((len(RATES), len(x)))], axis=2)
    weighted = design * weight[:, None]
    normal = weighted.transpose(0, 2, 1) @ design
    normal += RIDGE * normal[:, [0, 1, 2], [0, 1, 2]].max(axis=1)[:, None, None] * np.eye(3)
    solved = np.linalg.solve(normal, (weighted.transpose(0, 2, 1) @ m)[..., None])[..., 0]
    chi = ((m - (design @ solved[..., None])[..., 0]) ** 2 * weight).sum(axis=1)
    chi[solved[:, 0] <= 0] = np.inf  # no rise
    best = int(np.argmin(chi))
    if not np.isfinite(chi[best]):
        return (math.nan,) * 5
    (scale, slope, constant), w = solved[best].tolist(), float(RATES[best])
    t0, a = -math.log(scale) / w, -slope / w
    return a, w, float(chi[best]) / max(len(t) - 4, 1), constant + slope * t0, t0
