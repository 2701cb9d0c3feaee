"""Draws from the mixtures of the network, at the same evenly spread places for every object: a light curve gives one answer.

The places are those of Roberts' R sequence, multiples of the powers of 1 / phi, phi^(d + 1) = phi + 1, less the integers: in one dimension
the golden section.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri

from broker_adapters.kernels import compiled
from classifiers.posterior import curves
from classifiers.posterior.network import COMPONENTS, Mixture, Weights
from classifiers.posterior.points import Floats
from classifiers.posterior.records import CLASSES

#: Curves drawn.
DRAWS = 64

#: Rounds after which phi no longer changes.
ROUNDS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """s draws for each of n objects.

    Attributes
    ----------
    parameters : shape (n, s, 13), as in `curves`
    families : shape (n, s, 2, 6)
        Parameters of `supernova` of each family, times in days from the latest evidence, fluxes over the brightest one seen.
    peaks : shape (n, s, 2)
        Logarithm of the flux of the peak.
    """

    parameters: Floats
    families: Floats
    peaks: Floats


def draw(mixture: Mixture, weights: Weights, count: int = DRAWS) -> Draws:
    """Draw from the posteriors of n objects over all classes."""
    share, deviates = places(count)
    cumulative = np.cumsum((mixture.classes[:, :, None] * mixture.weight).reshape(-1, len(CLASSES) * COMPONENTS), axis=1)
    parts = (mixture.mean, mixture.diagonal, mixture.below)
    parameters = _drawn(cumulative, *parts, share, deviates, weights.centre, weights.sigma)
    families, peaks = _families(parameters)
    return Draws(parameters, families, peaks)


@cache
def places(count: int) -> tuple[Floats, Floats]:
    """Places of the draws: of the component, in (0, 1), shape (s,), and normal deviates, shape (s, 13)."""
    size, phi = curves.SIZE + 1, 1.5
    for _ in range(ROUNDS):
        phi = (1 + phi) ** (1 / (size + 1))
    u = (0.5 + np.arange(1, count + 1)[:, None] * phi ** -np.arange(1.0, size + 1)) % 1
    return (np.argsort(np.argsort(u[:, 0])) + 0.5) / count, ndtri(np.clip(u[:, 1:], 1e-4, 1 - 1e-4))


@compiled()
def _drawn(
    cumulative: Floats,
    mean: Floats,
    diagonal: Floats,
    below: Floats,
    share: Floats,
    deviates: Floats,
    centre: Floats,
    sigma: Floats,
) -> Floats:
    n, s, components, size = len(cumulative), len(share), mean.shape[2], len(centre)
    z, standard = np.empty((n, s, size)), np.empty(size)
    for i in range(n):
        for j in range(s):
            chosen = min(np.searchsorted(cumulative[i], share[j] * cumulative[i, -1]), cumulative.shape[1] - 1)
            c, k = chosen // components, chosen % components
            at = 0
            for a in range(size):  # forward substitution
                value = deviates[j, a]
                for b in range(a):
                    value -= below[i, c, k, at] * (standard[b] - mean[i, c, k, b])
                    at += 1
                standard[a] = mean[i, c, k, a] + value / diagonal[i, c, k, a]
                z[i, j, a] = centre[a] + sigma[a] * standard[a]
    return z


@compiled()
def _families(z: Floats) -> tuple[Floats, Floats]:
    n, s = z.shape[:2]
    q, peaks = np.empty((n, s, 2, 6)), np.empty((n, s, 2))
    for i in range(n):
        for j in range(s):
            q[i, j], both = curves.families(z[i, j])
            peaks[i, j] = both[:, 1]
    return q, peaks
