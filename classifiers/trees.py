"""Decision trees as arrays: stored without pickle, evaluated by compiled code (`classifiers.training.trees` makes them).

A tree is its nodes; all nodes of all trees stand one after another. A sample goes left where its value is at most the threshold, or
where it is NaN and the node sends missing values left. An ensemble averages the leaves of its trees (a random forest, whose leaves are
class fractions), or adds them up and takes the softmax (gradient boosting, whose leaves are scores of one class).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from broker_adapters.kernels import compiled

Floats = NDArray[np.float64]

#: Fields of `Trees` that are arrays, as they are stored.
ARRAYS = ("roots", "feature", "threshold", "missing_left", "children", "leaf", "values", "baseline")


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Ensemble of decision trees over k classes.

    Attributes
    ----------
    roots : int32, shape (trees,)
        First node of each tree.
    feature : int16, shape (nodes,)
        Column that is compared; -1 in a leaf.
    threshold : float32, shape (nodes,)
    missing_left : bool, shape (nodes,)
    children : int32, shape (nodes, 2)
        Left and right node.
    leaf : int32, shape (nodes,)
        Row of `values` in a leaf.
    values : float32, shape (leaves, k)
    baseline : float64, shape (k,)
        Added to the sum of a boosted ensemble; empty for a forest.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16] = field(repr=False)
    threshold: NDArray[np.float32] = field(repr=False)
    missing_left: NDArray[np.bool_] = field(repr=False)
    children: NDArray[np.int32] = field(repr=False)
    leaf: NDArray[np.int32] = field(repr=False)
    values: NDArray[np.float32] = field(repr=False)
    baseline: NDArray[np.float64] = field(repr=False)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; ``Trees(**arrays)`` is the inverse."""
        return {name: getattr(self, name) for name in ARRAYS}

    def probabilities(self, x: NDArray[Any]) -> Floats:
        """Probabilities, shape (n, k), of features of shape (n, columns)."""
        if not self.baseline.size:
            return self.mean(x)
        result: Floats = softmax(len(self.roots) * self.mean(x) + self.baseline, axis=1)
        return result

    def mean(self, x: NDArray[Any]) -> Floats:
        """Mean of the leaves, shape (n, k), of features of shape (n, columns)."""
        nodes = (self.roots, self.feature, self.threshold, self.missing_left, self.children, self.leaf)
        total: Floats = _walk(np.ascontiguousarray(x, np.float32), *nodes, self.values)
        return total / len(self.roots)


@compiled()
def _walk(
    x: NDArray[np.float32],
    roots: NDArray[np.int32],
    feature: NDArray[np.int16],
    threshold: NDArray[np.float32],
    missing_left: NDArray[np.bool_],
    children: NDArray[np.int32],
    leaf: NDArray[np.int32],
    values: NDArray[np.float32],
) -> Floats:
    """Sum of the leaves, shape (n, k); the loop over trees is outermost, so that a tree stays in the processor's cache."""
    total = np.zeros((len(x), values.shape[1]))
    for root in roots:
        for i in range(len(x)):
            node = root
            while feature[node] >= 0:
                value = x[i, feature[node]]
                left = missing_left[node] if np.isnan(value) else value <= threshold[node]
                node = children[node, 0 if left else 1]
            for k in range(values.shape[1]):
                total[i, k] += values[leaf[node], k]
    return total
