"""Decision trees as arrays: made from scikit-learn's, kept without pickle, walked by numba.

A tree is its nodes; all nodes of all trees stand one after another. A sample goes left where its value is at most the threshold, or
where it is NaN and the node sends missing values left. An ensemble averages the leaves of its trees (a random forest, whose leaves are
class fractions), or adds them up and takes the softmax (gradient boosting, whose leaves are scores of one class).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import softmax

Floats = NDArray[np.float64]

#: Fields of `Trees` that are arrays, as they are stored.
ARRAYS = ("roots", "feature", "threshold", "missing_left", "children", "leaf", "values", "baseline")


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """An ensemble of trees over k classes.

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
        """For storage; ``Trees(**arrays)`` is its inverse."""
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


@njit(cache=True, nogil=True)
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
    """Sum of the leaves, shape (n, k); trees outermost, so that one stays in the cache for all samples."""
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


def from_forests(forests: Sequence[Any], classes: int) -> Trees:
    """The trees of fitted forests of scikit-learn or imbalanced-learn, side by side, whose labels are among 0 ... classes - 1.

    A bootstrap of imbalanced-learn may have its own columns; leaves are class fractions.
    """
    parts = []
    for estimator, labels in ((e, forest.classes_) for forest in forests for e in forest.estimators_):
        tree = estimator.tree_
        fractions = np.zeros((tree.node_count, classes))
        columns = labels[estimator.classes_.astype(int)].astype(int)
        fractions[:, columns] = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        children = np.stack([tree.children_left, tree.children_right], axis=1)
        parts.append((tree.feature, tree.threshold, tree.missing_go_to_left.astype(bool), children, children[:, 0] < 0, fractions))
    return _joined(parts, np.zeros(0))


def from_boosting(model: Any, classes: int) -> Trees:
    """The trees of a fitted ``HistGradientBoostingClassifier`` of numerical features; with two classes the first has score zero."""
    parts = []
    for trees in model._predictors:
        for k, predictor in enumerate(trees):
            nodes = predictor.nodes
            scores = np.zeros((len(nodes), classes))
            scores[:, k if len(trees) > 1 else 1] = nodes["value"]
            children = np.stack([nodes["left"], nodes["right"]], axis=1).astype(int)
            parts.append(
                (nodes["feature_idx"], nodes["num_threshold"], nodes["missing_go_to_left"] > 0, children, nodes["is_leaf"] > 0, scores)
            )
    baseline = np.ravel(model._baseline_prediction)
    return _joined(parts, baseline if baseline.size > 1 else np.array([0.0, baseline[0]]))


def _joined(parts: list[tuple[Any, ...]], baseline: Floats) -> Trees:
    """Nodes of many trees one after another; each part is feature, threshold, missing_left, children, is_leaf, values of its nodes."""
    sizes = [len(p[0]) for p in parts]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    is_leaf = np.concatenate([p[4] for p in parts])
    children = np.concatenate([p[3] + root for p, root in zip(parts, roots, strict=True)])
    leaf = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1)
    return Trees(
        roots,
        np.where(is_leaf, -1, np.concatenate([p[0] for p in parts])).astype(np.int16),
        _rounded_down(np.where(is_leaf, 0.0, np.concatenate([p[1] for p in parts]))),
        np.concatenate([p[2] for p in parts]),
        np.where(is_leaf[:, None], -1, children).astype(np.int32),
        leaf.astype(np.int32),
        np.concatenate([p[5] for p in parts])[is_leaf].astype(np.float32),
        np.asarray(baseline, float),
    )


def _rounded_down(threshold: Floats) -> NDArray[np.float32]:
    """The largest float32 that is at most the threshold: float32 features compare with it as with the threshold itself."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
