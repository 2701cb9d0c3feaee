"""Is what a model is shown distributed as what it was trained on? The population stability index, for all classifiers.

Each quantity is compared with its distribution over the training set by the population stability index (PSI; Siddiqi 2006, Credit Risk
Scorecards, chapter 8): below 0.1 nothing happened, above 0.25 something did. The sampling error of small nights is subtracted. Classes are
not as frequent on the sky as in a training set: what is expected is the mixture of the training set's classes in which the model takes
what it is shown to be, so that a night of one class is no drift, and a night whose objects of a class look odd is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Deciles of the training set bound the bins.
BINS = 10
#: Share that an empty bin is taken to have.
FLOOR = 1e-3
#: Above this a quantity has drifted.
ALARM = 0.25


def reference(watched: Mapping[str, Floats], probabilities: Floats) -> dict[str, Any]:
    """Edges of the bins of the training set, and its shares in them by class, for the model card: small enough for JSON.

    A row counts for each class as ``probabilities`` (n, k) say, so that the mixture in its own proportions is the training set.
    """
    result = {}
    for name, values in watched.items():
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.zeros(0)
        edges = np.array([float(f"{e:.6g}") for e in edges])
        shares = [_shares(values, edges, probabilities[:, i]) for i in range(probabilities.shape[1])]
        result[name] = {"edges": edges.tolist(), "shares": np.round(shares, 4).tolist()}
    return result


def stability(watched: Mapping[str, Floats], probabilities: Floats, expected: Mapping[str, Any]) -> dict[str, float]:
    """PSI of each quantity against the reference, largest first; its expectation for a sample of this size is subtracted."""
    found, mixture = {}, probabilities.mean(axis=0)
    for name, bins in expected.items():
        mixed = mixture @ np.asarray(bins["shares"], float)
        values, before = watched[name], np.maximum(mixed, FLOOR)
        now = np.maximum(_shares(values, np.asarray(bins["edges"], float), np.ones(len(values))), FLOOR)
        # of a sample of n from the reference itself n * PSI is about chi-squared with as many degrees of freedom as bins less one
        bias = (np.count_nonzero(mixed > FLOOR) - 1) / max(len(values), 1)
        found[name] = round(float(((now - before) * np.log(now / before)).sum() - bias), 4)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _shares(values: Floats, edges: NDArray[np.float64], weights: Floats) -> Floats:
    """Share of the weighted values in each bin, and last of those that are missing."""
    bins = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), len(edges) + 1)
    return np.bincount(bins, weights, len(edges) + 2) / max(float(weights.sum()), 1e-9)
