"""How odd a light curve is among those of its branch: isolation forests (Liu et al. 2008, ICDM), one for each branch.

The score is the share of the branch's training objects that are less isolated, averaged over the branches with their probabilities: 0.99
means odder than 99 % of what the model knows. Missing features take the branch's median, which is never odd. How well that finds what
was never seen is measured by leaving one class out of the training and telling it from the others (`leave_one_out`; Sanchez-Saez et al.
2021, AJ 162, 206; Perez-Carrasco et al. 2023, AJ 166, 151); the areas are in the model card.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import IsolationForest

from .trees import ARRAYS, Trees, from_isolation

Floats = NDArray[np.float64]

#: Trees, and samples of each (the paper's).
TREES, SAMPLES = 100, 256

#: Quantiles of the training scores that are kept.
QUANTILES = np.linspace(0, 1, 201)


@dataclass(frozen=True, slots=True, eq=False)
class Isolation:
    """The forest of one branch.

    Attributes
    ----------
    trees : Trees
        Leaves are path lengths: the fewer cuts set a sample apart, the odder it is.
    medians : shape (k,)
        What stands for a missing feature.
    quantiles : shape (len(QUANTILES),)
        Of the path lengths of the training objects, falling: oddness rises.
    """

    trees: Trees = field(repr=False)
    medians: Floats = field(repr=False)
    quantiles: Floats = field(repr=False)

    def score(self, x: Floats) -> Floats:
        """Share of the training objects that are less odd, shape (n,), of features (n, k)."""
        length = self._length(x)
        share: Floats = np.interp(-length, -self.quantiles, QUANTILES)
        return share

    def _length(self, x: Floats) -> Floats:
        filled = np.where(np.isfinite(x), x, self.medians)
        length: Floats = self.trees.mean(filled)[:, 0]
        return length

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For storage; `from_arrays` is its inverse."""
        return self.trees.arrays() | {"medians": self.medians, "quantiles": self.quantiles}


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Isolation:
    """The forest that `Isolation.arrays` described."""
    return Isolation(Trees(*(arrays[a] for a in ARRAYS)), arrays["medians"], arrays["quantiles"])


def fit(x: Floats, seed: int = 0) -> Isolation:
    """A forest that knows the n objects of features x, shape (n, k)."""
    known = np.isfinite(x)
    medians = np.array([np.median(column[k]) if k.any() else 0.0 for column, k in zip(x.T, known.T, strict=True)])
    filled = np.where(known, x, medians).astype(np.float32)
    grown = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLES, len(x)), random_state=seed).fit(filled)
    raw = Isolation(from_isolation(grown), medians, np.zeros(0))
    return Isolation(raw.trees, medians, np.quantile(raw._length(x), 1 - QUANTILES))


def leave_one_out(x: Floats, labels: NDArray[np.str_], least: int = 20, seed: int = 0) -> dict[str, float]:
    """Area under the ROC curve of telling each class from the others by a forest that never saw it, half of the others held out."""
    rng, found = np.random.default_rng(seed), {}
    for name in np.unique(labels).tolist():
        odd, others = np.flatnonzero(labels == name), rng.permutation(np.flatnonzero(labels != name))
        if len(odd) < least or len(others) < 2 * least:
            continue
        half = len(others) // 2
        score = fit(x[others[:half]], seed).score(x[np.concatenate([odd, others[half:]])])
        ranks = rankdata(score)
        found[name] = float((ranks[: len(odd)].sum() - len(odd) * (len(odd) + 1) / 2) / (len(odd) * (len(others) - half)))
    return found
