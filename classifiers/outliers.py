"""Anomaly score of a light curve within its branch: from the doubt of a classifier and the distance of the features.

An object of no known class lies between the classes, where a classifier doubts (entropy of its probabilities; Hendrycks & Gimpel 2017,
ICLR), or beyond them, where a classifier may be sure but no known object is (Mahalanobis distance; Lee et al. 2018, NeurIPS). Each of the
two becomes the share of held-out training objects with a lower value; their mean, with `WEIGHTS`, becomes such a share again: 0.99 means
more anomalous than 99 % of the training objects. `classifiers.training.outliers` fits and tests the score.
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

#: Weights of doubt and of distance in the score.
WEIGHTS = np.array([2.0, 1.0]) / 3

#: Quantiles of doubt, distance and score that are stored.
QUANTILES = np.linspace(0, 1, 201)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Outlier model of one branch.

    Attributes
    ----------
    trees : Trees
        Classifier of the classes of the branch.
    steps : float32, shape (k, len(quantiles.STEPS))
        Quantiles of each feature; NaN for one that is hardly ever known, which is not used.
    axes : float32, shape (k, k)
        Cholesky factor of the inverse covariance of the features as normal deviates.
    quantiles : shape (3, len(QUANTILES))
        Quantiles of doubt, distance and their mean among held-out training objects.
    """

    trees: Trees = field(repr=False)
    steps: NDArray[np.float32] = field(repr=False)
    axes: NDArray[np.float32] = field(repr=False)
    quantiles: Floats = field(repr=False)

    def score(self, x: NDArray[Any]) -> Floats:
        """Anomaly scores in [0, 1], shape (n,), of features of shape (n, k)."""
        return _share(self.quantiles[2], mean_share(self.quantiles, self.raw(x)))

    def raw(self, x: NDArray[Any]) -> Floats:
        """Doubt in nats and squared distance, shape (2, n)."""
        doubt = entr(self.trees.probabilities(x)).sum(axis=1)
        distance = ((quantiles.deviates(x, self.steps) @ self.axes) ** 2).sum(axis=1)
        return np.stack([doubt, distance])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; `from_arrays` is the inverse."""
        return self.trees.arrays() | {"steps": self.steps, "axes": self.axes, "quantiles": self.quantiles}


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Known:
    """Outlier model from the arrays of `Known.arrays`."""
    return Known(Trees(*(arrays[a] for a in ARRAYS)), arrays["steps"], arrays["axes"], arrays["quantiles"])


def _share(quantiles: Floats, values: Floats) -> Floats:
    share: Floats = np.interp(values, quantiles, QUANTILES)
    return share


def mean_share(quantiles: Floats, raw: Floats) -> Floats:
    """Weighted mean, shape (n,), of the shares of doubt and distance, shape (2, n), among their quantiles."""
    mean: Floats = WEIGHTS @ np.stack([_share(q, r) for q, r in zip(quantiles, raw, strict=False)])
    return mean
