"""How odd a light curve is among those of its branch: how much a classifier of the branch's classes doubts, and how far the features lie.

What is none of the known classes lies between them, where a classifier doubts (the entropy of its probabilities; Hendrycks & Gimpel 2017,
ICLR), or beyond them all, where it may be sure but no known object is (the Mahalanobis distance; Lee et al. 2018, NeurIPS). Both are
turned into shares of the held-out known objects that are less so, averaged with `WEIGHTS`, and the mean again into such a share: 0.99
means odder than 99 % of what the model knows. How well that finds what was never seen is measured by leaving one class out of the
training and telling it from the others (`leave_one_out`; Sanchez-Saez et al. 2021, AJ 162, 206; Perez-Carrasco et al. 2023, AJ 166,
151); the areas are in the model card.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from classifiers import quantiles
from classifiers.trees import ARRAYS, Trees

Floats = NDArray[np.float64]

#: Of doubt and of distance in the score.
WEIGHTS = np.array([2.0, 1.0]) / 3

#: Quantiles of doubt, distance and score of the known objects that are kept.
QUANTILES = np.linspace(0, 1, 201)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of one branch.

    Attributes
    ----------
    trees : Trees
        The classifier of its classes.
    steps : float32, shape (k, len(quantiles.STEPS))
        Quantiles of each feature; one that is hardly ever known tells nothing.
    axes : float32, shape (k, k)
        Cholesky factor of the inverse covariance of the features as normal deviates.
    quantiles : shape (3, len(QUANTILES))
        Of doubt, distance and their mean among known objects that were held out.
    """

    trees: Trees = field(repr=False)
    steps: NDArray[np.float32] = field(repr=False)
    axes: NDArray[np.float32] = field(repr=False)
    quantiles: Floats = field(repr=False)

    def score(self, x: NDArray[Any]) -> Floats:
        """Share of the known objects that are less odd, shape (n,), of features (n, k)."""
        return _share(self.quantiles[2], mean_share(self.quantiles, self.raw(x)))

    def raw(self, x: NDArray[Any]) -> Floats:
        """Doubt in nats and squared distance, shape (2, n)."""
        doubt = entr(self.trees.probabilities(x)).sum(axis=1)
        distance = ((quantiles.deviates(x, self.steps) @ self.axes) ** 2).sum(axis=1)
        return np.stack([doubt, distance])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For storage; `from_arrays` is its inverse."""
        return self.trees.arrays() | {"steps": self.steps, "axes": self.axes, "quantiles": self.quantiles}


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Known:
    """What `Known.arrays` described."""
    return Known(Trees(*(arrays[a] for a in ARRAYS)), arrays["steps"], arrays["axes"], arrays["quantiles"])


def _share(quantiles: Floats, values: Floats) -> Floats:
    share: Floats = np.interp(values, quantiles, QUANTILES)
    return share


def mean_share(quantiles: Floats, raw: Floats) -> Floats:
    """Weighted mean of the shares that quantities of shape (2, n) have among quantiles of shape (2 or 3, len(QUANTILES)), shape (n,)."""
    mean: Floats = WEIGHTS @ np.stack([_share(q, r) for q, r in zip(quantiles, raw, strict=False)])
    return mean
