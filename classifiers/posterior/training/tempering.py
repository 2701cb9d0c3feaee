"""The temperature of the time of the peak: a factor on its standard deviations, from light curves that a network never saw."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.special import logsumexp

from classifiers.posterior.curves import WARP
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import Mixture, Weights
from classifiers.posterior.points import Floats, padded, tabled
from classifiers.posterior.training.samples import Real, Samples, cut

#: Factors that are tried, light curves cut of each object, and least logarithm of a density that counts.
FACTORS, COPIES, LEAST = np.linspace(0.7, 1.3, 25), 4, -10.0


def temperatures(held_out: list[tuple[Weights, list[Real]]], rng: Generator) -> tuple[float, float, float]:
    """Factors that make the peaks that were seen most probable, of two networks without one and objects new to each.

    The first is that of both together. The other two are for the first and the second network, each fitted to the other network's objects,
    so that what either says of its own has learnt nothing from them.
    """
    losses = np.array([[_loss(*case, factor) for factor in FACTORS] for case in (_cases(*part, rng) for part in held_out)])
    both, first, second = (float(FACTORS[np.argmin(loss)]) for loss in (losses.sum(axis=0), *losses))
    return both, second, first


def _cases(weights: Weights, real: list[Real], rng: Generator) -> tuple[Mixture, Floats]:
    """Posteriors, and the standardised time of the peak, of objects whose peak was seen, in random nights."""
    seen = [one for one in real if np.isfinite(one.peak)] * COPIES
    samples = Samples([one.table for one in seen], np.array([[one.peak] for one in seen]), np.array([one.label for one in seen]))
    x = inputs(padded(tabled(cut(samples, rng).tables)))
    return weights.mixture(x), (np.arcsinh((samples.target[:, 0] - x.mjd) / WARP) - weights.centre[0]) / weights.sigma[0]


def _loss(mixture: Mixture, z: Floats, factor: float) -> float:
    precision = mixture.diagonal[..., 0] / factor
    log = np.log(precision) - 0.5 * (precision * (z[:, None, None] - mixture.mean[..., 0])) ** 2
    density = logsumexp(log, axis=(1, 2), b=mixture.classes[:, :, None] * mixture.weight)
    return float(-np.maximum(density, LEAST).sum())
