"""Principal axes of the training alerts in the hidden layer of a network (`classifiers.models.stamp.embedding`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.models.stamp import network
from classifiers.models.stamp.embedding import Embedding
from classifiers.models.stamp.preprocess import Images

#: Principal axes that are kept.
AXES = 6


def fit(weights: list[NDArray[np.float32]], stamps: Images) -> Embedding:
    """Fit the first principal axes of stamps (n, c, 63, 63) in the hidden layer of a network."""
    hidden = network.embedded(weights)(*network.views(stamps))
    mean = hidden.mean(axis=0)
    _, spread, axes = np.linalg.svd(hidden - mean, full_matrices=False)
    scale = np.maximum(spread[:AXES, None] / np.sqrt(len(hidden)), 1e-6)
    return Embedding(weights, mean, (axes[:AXES] / scale).astype(np.float32))
