"""Long Markov chains of the posterior by likelihood and prior, for comparison: an affine-invariant ensemble of walkers.

The likelihood is that of `supernova`; the prior is flat in time and height of the peak and normal in the shape given the class.
Goodman & Weare (2010, CAMCoS 5, 65), stretch moves of parameter 2, in two halves that move in turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve.supernova import ERROR_OF_FLUX, ERROR_OF_PEAK
from classifiers.posterior import curves
from classifiers.posterior.doubt import log_likelihood
from classifiers.posterior.draws import draw
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Floats, padded, tabled
from classifiers.posterior.records import CLASSES
from classifiers.posterior.training.samples import Samples

#: Walkers, steps, and steps at the start that are left out.
WALKERS, STEPS, BURNED = 64, 2000, 800


def agreement(weights: Weights, samples: Samples, prior: tuple[Floats, Floats], rng: Generator) -> dict[str, Any]:
    """Means of the time of the peak by the network and by chains, in standard deviations of these, and the ratio of the deviations.

    Both are given the true class; medians over the objects whose chains agree with themselves (halves within 0.2 sigma).
    """
    points = padded(tabled(samples.tables))
    x = inputs(points)
    mixture = weights.mixture(x)
    shift, ratio = [], []
    for i, label in enumerate(samples.label):
        count = int(x.used[i].sum())
        data = (
            points.t[i, :count] - x.mjd[i], points.wavelength[i, :count],
            points.flux[i, :count] / x.scale[i], _errors(points.flux[i, :count] / x.scale[i], points.error[i, :count] / x.scale[i]),
        )  # fmt: skip
        only = mixture.of(i, int(label))
        drawn = draw(only, weights, 4 * WALKERS).parameters[0]
        chain = chains(drawn[:: len(drawn) // WALKERS][:WALKERS], data, prior[0][label], prior[1][label], rng)
        peak, own = (curves.WARP * np.sinh(np.clip(z[..., 0], -curves.FARTHEST, curves.FARTHEST)) for z in (chain, drawn))
        sigma = peak.std()
        if abs(peak[: len(peak) // 2].mean() - peak[len(peak) // 2 :].mean()) < 0.2 * sigma:
            shift.append(abs(own.mean() - peak.mean()) / sigma)
            ratio.append(own.std() / sigma)
    low, middle, high = np.quantile(ratio, (0.16, 0.5, 0.84)).round(3).tolist()
    return {"n": len(shift), "mean_shift_sigma": round(float(np.median(shift)), 3), "width_ratio": middle, "width_ratio_68": [low, high]}


def shapes(samples: Samples) -> tuple[Floats, Floats]:
    """Mean (4, 11) and whitening lower triangle (4, 11, 11) of the shape parameters of each class, outliers clipped."""
    means, roots = [], []
    for label in range(len(CLASSES)):
        z = samples.target[samples.label == label, 2:]
        low, high = np.quantile(z, (0.02, 0.98), axis=0)
        z = np.clip(z, low, high)
        means.append(z.mean(axis=0))
        roots.append(np.linalg.inv(np.linalg.cholesky(np.cov(z.T) + 1e-4 * np.eye(z.shape[1]))))
    return np.stack(means), np.stack(roots)


def _errors(flux: Floats, error: Floats) -> Floats:
    """Errors of the comparison with the model, as in `supernova`."""
    wide: Floats = np.sqrt(error**2 + ERROR_OF_PEAK**2 + (ERROR_OF_FLUX * np.nan_to_num(flux)) ** 2)
    return wide


def chains(start: Floats, data: tuple[Floats, ...], mean: Floats, root: Floats, rng: Generator) -> Floats:
    """Walkers (s, `WALKERS`, 13) after each of the steps that count."""
    return np.asarray(_run(start.copy(), *data, mean, root, STEPS, int(rng.integers(2**31)))[BURNED:])


@compiled()
def _run(
    walkers: Floats, t: Floats, wavelength: Floats, flux: Floats, error: Floats, mean: Floats, root: Floats, steps: int, seed: int
) -> Floats:
    np.random.seed(seed)  # noqa: NPY002  # numba's own generator
    n, size = walkers.shape
    kept = np.empty((steps, n, size))
    value = np.array([_log_posterior(walkers[i], t, wavelength, flux, error, mean, root) for i in range(n)])
    for step in range(steps):
        for i in range(n):
            other = np.random.randint(n // 2) + (0 if i >= n // 2 else n // 2)  # noqa: NPY002
            z = (np.random.random() + 1.0) ** 2 / 2.0  # noqa: NPY002
            moved = walkers[other] + z * (walkers[i] - walkers[other])
            new = _log_posterior(moved, t, wavelength, flux, error, mean, root)
            if np.log(np.random.random()) < (size - 1) * np.log(z) + new - value[i]:  # noqa: NPY002
                walkers[i], value[i] = moved, new
        kept[step] = walkers
    return kept


@compiled()
def _log_posterior(z: Floats, t: Floats, wavelength: Floats, flux: Floats, error: Floats, mean: Floats, root: Floats) -> float:
    if abs(z[0]) > 4.0 or abs(z[1]) > 4.0:  # 218 days, a factor 55
        return -1e300
    model = curves.at_points(curves.families(z)[0], t, wavelength)
    return float(log_likelihood(model, flux, error) + log_prior(z, mean, root))


@compiled()
def log_prior(z: Floats, mean: Floats, root: Floats) -> float:
    """Logarithm of the prior of parameters (13,), but for a constant; `root` (11, 11) whitens the shape less its mean (11,)."""
    loss = 0.0
    for a in range(len(mean)):
        value = 0.0
        for b in range(a + 1):
            value += root[a, b] * (z[2 + b] - mean[b])
        loss += value * value
    return -0.5 * loss
