"""Whether the points themselves agree with the posterior of the network: the shape k of the tail of importance weights.

The weights of the draws are w = L(points | z)^c. L is the likelihood of `supernova`, with outliers and limits. A network is never as sharp
as many good points are together, so that weights by all of L would doubt every long light curve: the points count, in the sum, as at most
`COUNTED` (c = COUNTED / n), each with an error of `COARSE` of its flux more. The generalised Pareto distribution is fitted to the largest
weights as in Zhang & Stephens (2009, Technometrics 51, 316); above 0.7 few of the draws, if any, look like the points (Vehtari et al. 2024,
JMLR 25, 72).
"""

from __future__ import annotations

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.significance import DETECTED
from classifiers.models.lightcurve.supernova import HUBER
from classifiers.posterior import curves
from classifiers.posterior.draws import Draws
from classifiers.posterior.inputs import Inputs
from classifiers.posterior.points import Floats, Points

#: Most points that are compared, spread evenly.
COMPARED = 24

#: Points that all count as, and errors of the comparison: parts of the flux and of the brightest one.
COUNTED, COARSE, COARSE_OF_PEAK = 2.0, 0.2, 0.07


def doubt(found: Draws, points: Points, x: Inputs) -> Floats:
    """Pareto k of the weights of n objects, shape (n,)."""
    points = thinned(points)
    scale = x.scale[:, None]
    flux, error = points.flux / scale, points.error / scale
    error = np.sqrt(error**2 + (COARSE * np.nan_to_num(flux)) ** 2 + COARSE_OF_PEAK**2)
    log_weight = _log_likelihoods(found.families, points.t - x.mjd[:, None], points.wavelength, flux, error)
    return pareto(log_weight * np.minimum(1.0, COUNTED / points.count)[:, None])


def thinned(points: Points) -> Points:
    """At most `COMPARED` points of n objects, evenly from each one's first to its last."""
    count = points.count[:, None]
    kept = np.minimum(count, COMPARED)
    place = np.arange(min(COMPARED, points.t.shape[1]))
    which = np.where(place < kept, place * (count - 1) // np.maximum(kept - 1, 1), points.t.shape[1] - 1)
    cut = [
        np.where(place < kept, np.take_along_axis(a, which, axis=1), np.nan)
        for a in (points.t, points.wavelength, points.flux, points.error)
    ]
    return Points(*cut)


def pareto(log_weight: Floats) -> Floats:
    """Shape k of the largest fifth of n sets of s weights, given by their logarithms (n, s); shape (n,)."""
    s = log_weight.shape[1]
    m = int(min(s / 5, 3 * np.sqrt(s)))
    largest = np.sort(log_weight, axis=1)[:, -m - 1 :]
    w = np.exp(largest - largest[:, -1:])
    x = np.maximum(w[:, 1:] - w[:, :1], 1e-300)  # excesses, ascending
    grid = 30 + int(np.sqrt(m))
    quartile = x[:, int(m / 4 + 0.5) - 1]
    theta = 1 / x[:, -1:] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quartile[:, None])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        k = np.log1p(-theta[:, :, None] * x[:, None]).mean(axis=2)
        profile = m * (np.log(-theta / k) - k - 1)
        share = 1 / np.exp(profile[:, None] - profile[:, :, None]).sum(axis=2)
        best = np.nansum(theta * share, axis=1)
        shape = np.log1p(-best[:, None] * x).mean(axis=1)
    return np.where(np.isfinite(shape), (m * shape + 5.0) / (m + 10.0), np.inf)


@compiled()
def _log_likelihoods(families: Floats, t: Floats, wavelength: Floats, flux: Floats, error: Floats) -> Floats:
    n, s = families.shape[:2]
    found = np.empty((n, s))
    for i in range(n):
        count = np.isfinite(t[i]).sum()
        for j in range(s):
            model = curves.at_points(families[i, j], t[i, :count], wavelength[i, :count])
            found[i, j] = log_likelihood(model, flux[i, :count], error[i, :count])
    return found


@compiled()
def log_likelihood(model: Floats, flux: Floats, error: Floats) -> float:
    """Logarithm of the likelihood of points (m,), but for a constant; limits count where the model exceeds them, outliers linearly."""
    loss = 0.0
    for j in range(len(model)):
        limit = np.isnan(flux[j])
        z = ((DETECTED * error[j] if limit else flux[j]) - model[j]) / error[j]
        if limit and z > 0:
            continue
        loss += z * z if abs(z) <= HUBER else 2 * HUBER * abs(z) - HUBER**2
    return -0.5 * loss
