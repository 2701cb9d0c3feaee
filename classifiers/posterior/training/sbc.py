"""Simulation-based calibration: are the true parameters at uniform ranks among the draws? (Talts et al. 2018, arXiv 1804.06788)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import chi2

from classifiers.posterior.curves import SIZE, WARP
from classifiers.posterior.draws import draw
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Floats, padded, tabled
from classifiers.posterior.training.samples import Samples

#: Names of the parameters of `curves`.
NAMES = ("peak", "height", "lag", "colour", "gamma", "beta", "rise", "fall", "d_gamma", "d_beta", "d_rise", "d_fall", "d_peak")

#: Bins of the ranks, and draws of each object.
RANKS, DRAWS = 16, 255


def calibration(weights: Weights, samples: Samples) -> dict[str, Any]:
    """By parameter: chi2 of the ranks in `RANKS` bins, its probability, and the coverage of 68 % intervals; `n` is that of the objects."""
    rank = ranks(weights, samples)
    expected = len(rank) / RANKS
    found: dict[str, Any] = {"n": len(rank)}
    for k, name in enumerate(NAMES):
        count = np.bincount(np.minimum((rank[:, k] * RANKS).astype(int), RANKS - 1), minlength=RANKS)
        value = float(((count - expected) ** 2 / expected).sum())
        inside = float(np.mean(np.abs(rank[:, k] - 0.5) <= 0.34))
        found[name] = {"chi2": round(value, 1), "p": round(float(chi2.sf(value, RANKS - 1)), 4), "coverage_68": round(inside, 4)}
    return found


def ranks(weights: Weights, samples: Samples) -> Floats:
    """Share of the draws that are below the true parameters, shape (n, 13)."""
    x = inputs(padded(tabled(samples.tables)))
    drawn = draw(weights.mixture(x), weights, DRAWS + 1).parameters
    truth = samples.target.copy()
    truth[:, 0] = np.arcsinh((truth[:, 0] - x.mjd) / WARP)
    truth[:, 1] -= np.log(x.scale)
    share: Floats = (drawn < truth[:, None]).sum(axis=1) / (DRAWS + 2)
    assert share.shape == (len(samples), SIZE)
    return share
