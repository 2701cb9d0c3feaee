"""Population stability index: how far the inputs and outputs of a model have drifted from its training set.

Each quantity is compared with its distribution over the training set by the population stability index (PSI; Siddiqi 2006, Credit Risk
Scorecards, chapter 8): below 0.1 nothing has changed, above 0.25 the quantity has drifted. The sampling error of small nights is
subtracted. Class frequencies on the sky differ from those of a training set, so the expected distribution is that of the training classes
mixed as the model classifies the night: a night of a single class is no drift, a night whose members of a class look different is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Deciles of the training set bound the bins.
BINS = 10
#: Least share of a bin, so that an empty one has a logarithm.
FLOOR = 1e-3
#: PSI above which a quantity has drifted.
ALARM = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Distributions of q quantities over a training set, by class (k of them).

    Attributes
    ----------
    names : str, shape (q,)
    edges : float64, shape (q, BINS - 1)
        Bounds of the bins, rising; NaN after the last one.
    shares : float64, shape (q, k, BINS + 1)
        Share of each class in each bin, then of its missing values; 0 after that.
    """

    names: NDArray[np.str_]
    edges: Floats
    shares: Floats

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; ``Reference(**arrays)`` is the inverse."""
        return {name: getattr(self, name) for name in self.__slots__}

    def bins(self) -> Iterator[tuple[str, Floats, Floats]]:
        """Name, edges (b - 1,) and shares (k, b + 1) of each quantity with b bins."""
        for name, edges, shares in zip(self.names.tolist(), self.edges, self.shares, strict=True):
            n = int(np.isfinite(edges).sum())
            yield name, edges[:n], shares[:, : n + 2]


def reference(watched: Mapping[str, Floats], probabilities: Floats) -> Reference:
    """Distributions of quantities of shape (n,) over a training set.

    A row counts for each class as ``probabilities`` (n, k) say, so that the mixture in its own proportions is the training set. Edges are
    rounded to six digits, shares to four.
    """
    k = probabilities.shape[1]
    all_edges, all_shares = np.full((len(watched), BINS - 1), np.nan), np.zeros((len(watched), k, BINS + 1))
    for values, row, shares in zip(watched.values(), all_edges, all_shares, strict=True):
        known = values[np.isfinite(values)]
        deciles = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.zeros(0)
        edges = np.array([float(f"{e:.6g}") for e in deciles])
        row[: len(edges)] = edges
        shares[:, : len(edges) + 2] = [np.round(_shares(values, edges, probabilities[:, i]), 4) for i in range(k)]
    return Reference(np.array(list(watched), str), all_edges, all_shares)


def stability(watched: Mapping[str, Floats], probabilities: Floats, expected: Reference) -> dict[str, float]:
    """PSI of each quantity against the reference, largest first, less its expectation for a sample of this size."""
    found, mixture = {}, probabilities.mean(axis=0)
    for name, edges, shares in expected.bins():
        mixed = mixture @ np.ascontiguousarray(shares)
        values, before = watched[name], np.maximum(mixed, FLOOR)
        now = np.maximum(_shares(values, edges, np.ones(len(values))), FLOOR)
        # for a sample of n from the reference itself n * PSI is about chi-squared with (bins - 1) degrees of freedom
        bias = (np.count_nonzero(mixed > FLOOR) - 1) / max(len(values), 1)
        found[name] = round(float(((now - before) * np.log(now / before)).sum() - bias), 4)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _shares(values: Floats, edges: NDArray[np.float64], weights: Floats) -> Floats:
    """Share of the weighted values in each bin; the last is that of missing values."""
    bins = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), len(edges) + 1)
    return np.bincount(bins, weights, len(edges) + 2) / max(float(weights.sum()), 1e-9)
