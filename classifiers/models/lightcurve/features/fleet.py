"""FLEET: m(t) = exp(w (t - t0)) - a w (t - t0) + m0, a rise and a decline with one shape each (Gomez et al. 2020, ApJ 904, 74, eq. 1).

For a given w the model is a straight line plus exp(w t) times exp(-w t0), linear in three parameters, so that the fit is a search over a
grid in w alone. ALeRCE (lc_classifier 27) descends in four dimensions from one start, which may end in a local minimum.
Magnitudes are of positive difference fluxes above 1 uJy; w is negative.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import NJY_PER_UJY, magnitude_error, magnitude_from_flux
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.cholesky import solved
from classifiers.models.lightcurve.context import Context

#: Least number of points, error added in magnitudes, and rates w in 1/d.
MINIMUM, SOFTENING, RATES = 4, 0.01, -np.geomspace(0.003, 1.0, 32)

#: Ridge of the normal equations, as a part of the largest diagonal element.
RIDGE = 1e-9

#: Least relative gain in chi squared of a faster rate: where the rise touches one point alone, rates differ by rounding only.
GAIN = 1e-9

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
    """Fit a, w, chi, m0 and t0 of one band; NaN with fewer than `MINIMUM` points."""
    if len(t) < MINIMUM:
        return (math.nan,) * 5
    chi, w, scale, slope, constant = _best(t - t[0], m, (e + SOFTENING) ** -2)
    if not math.isfinite(chi):
        return (math.nan,) * 5
    t0, a = -math.log(scale) / w, -slope / w
    return a, w, chi / max(len(t) - 4, 1), constant + slope * t0, t0


@compiled(fastmath={"reassoc", "contract", "nsz"})
def _best(x: Floats, m: Floats, weight: Floats) -> tuple[float, float, float, float, float]:
    """Chi squared, w, exp(-w t0), slope and constant of the best rate; infinite chi squared where no rate has a rise."""
    best = (np.inf, 0.0, 0.0, 0.0, 0.0)
    normal, right = np.empty((3, 3)), np.empty(3)
    for w in RATES:
        rise = np.exp(w * x)
        normal[1, 1], normal[2, 1], normal[2, 2] = (weight * x * x).sum(), (weight * x).sum(), weight.sum()
        normal[0, 0], normal[1, 0], normal[2, 0] = (weight * rise * rise).sum(), (weight * rise * x).sum(), (weight * rise).sum()
        right[0], right[1], right[2] = (weight * rise * m).sum(), (weight * x * m).sum(), (weight * m).sum()
        ridge = RIDGE * max(normal[0, 0], normal[1, 1], normal[2, 2])
        for k in range(3):
            normal[k, k] += ridge
        found = solved(normal, right)
        scale, slope, constant = found[0], found[1], found[2]
        chi = (weight * (m - scale * rise - slope * x - constant) ** 2).sum()
        if scale > 0 and chi < (1 - GAIN) * best[0]:
            best = (chi, w, scale, slope, constant)
    return best
