"""Permutation importance: the rise of the loss when a family of features is shuffled among held-out objects (Breiman 2001).

Features of one family are correlated, so that a single one has little importance; a family is shuffled as a whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broker_adapters import plugins
from classifiers.models.lightcurve import features
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.hierarchy import Level


def by_family(level: Level, x: Floats, target: NDArray[np.int64], seed: int = 0) -> dict[str, float]:
    """Rise of the cross-entropy (classes weighted alike) when a family is shuffled, by family, largest first.

    ``x`` are the features of n held-out objects, shape (n, len(features.names())), ``target`` their columns among the level's classes.
    """
    names, rng = list(features.names()), np.random.default_rng(seed)
    before, found = _cross_entropy(level, x, target), {}
    for family in plugins.names(features.__name__):
        columns = [names.index(n) for n in features.names_of(family) if n in level.columns]
        if columns:
            shuffled = x.copy()
            shuffled[:, columns] = x[rng.permutation(len(x))][:, columns]
            found[family] = round(_cross_entropy(level, shuffled, target) - before, 4)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _cross_entropy(level: Level, x: Floats, target: NDArray[np.int64]) -> float:
    told = np.maximum(level.raw(x, features.names())[np.arange(len(x)), target], 1e-6)
    counts = np.bincount(target)
    return float(-(np.log(told) / counts[target]).sum() / np.count_nonzero(counts))
