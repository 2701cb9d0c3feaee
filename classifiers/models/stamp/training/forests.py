"""Training of the forests on metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from classifiers.training.trees import from_forests
from classifiers.trees import Trees

#: Value of missing features in training: below every feature, so that it always goes left.
MISSING = -1e6


def grow(features: ArrayLike, labels: ArrayLike, weights: ArrayLike, n_classes: int, trees: int, seed: int) -> Trees:
    """Train a forest whose trees are half a random forest's and half extremely randomised (Geurts et al. 2006): their errors differ."""
    filled = np.nan_to_num(np.asarray(features, np.float32), nan=MISSING)
    settings: Mapping[str, Any] = {"n_estimators": trees // 2, "min_samples_leaf": 2, "random_state": seed, "n_jobs": 2}
    kinds = ((RandomForestClassifier, 0.3), (ExtraTreesClassifier, 0.4))
    grown = [kind(max_features=share, **settings).fit(filled, labels, sample_weight=weights) for kind, share in kinds]
    found = from_forests(grown, n_classes)
    return replace(found, missing_left=np.ones_like(found.missing_left))
