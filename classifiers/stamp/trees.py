"""Forests as plain arrays: grown by scikit-learn, stored without pickle, evaluated by compiled code.

A missing value (NaN) sorts below every threshold, in growing and in use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from .preprocess import Floats

#: What stands for a missing value inside the trees: below every feature.
MISSING = -1e6
LEAF = -1


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees laid end to end.

    Attributes
    ----------
    roots : ndarray of int32, shape (t,)
        First node of each tree.
    feature : ndarray of int16, shape (m,)
        Column that a node asks about, -1 in a leaf.
    threshold : ndarray of float32, shape (m,)
        At most this: go left.
    child : ndarray of int32, shape (m,)
        The left child; in a leaf its row in ``leaves``.
    right : ndarray of int32, shape (m,)
        The right child.
    leaves : ndarray of float32, shape (l, k)
        Class probabilities.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    child: NDArray[np.int32]
    right: NDArray[np.int32]
    leaves: NDArray[np.float32]

    def predict(self, features: ArrayLike) -> Floats:
        """Mean of the trees' probabilities, shape (n, k), for features (n, columns)."""
        filled = np.nan_to_num(np.asarray(features, np.float32), nan=MISSING)
        result: Floats = _descend(filled, self.roots, self.feature, self.threshold, self.child, self.right, self.leaves)
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """For storage; ``Forest(**arrays)`` is its inverse."""
        return {name: getattr(self, name) for name in self.__slots__}


def grow(features: ArrayLike, labels: ArrayLike, weights: ArrayLike, n_classes: int, trees: int, seed: int) -> Forest:
    """A forest of which half the trees are a random forest's and half extremely randomised (Geurts et al. 2006), whose errors differ."""
    filled = np.nan_to_num(np.asarray(features, np.float32), nan=MISSING)
    settings: Mapping[str, Any] = {"n_estimators": trees // 2, "min_samples_leaf": 2, "random_state": seed, "n_jobs": 2}
    grown: list[Any] = []
    for kind, share in ((RandomForestClassifier, 0.3), (ExtraTreesClassifier, 0.4)):
        model = kind(max_features=share, **settings).fit(filled, labels, sample_weight=weights)
        grown += [(e.tree_, model.classes_.astype(int)) for e in model.estimators_]
    return _packed(grown, n_classes)


def _packed(trees: Sequence[tuple[Any, NDArray[np.int64]]], n_classes: int) -> Forest:
    roots, feature, threshold, child, right, leaves = [], [], [], [], [], []
    nodes = leaf_count = 0
    for tree, classes in trees:
        leaf = tree.children_left < 0
        value = np.zeros((leaf.sum(), n_classes), np.float32)
        value[:, classes] = tree.value[leaf, 0] / tree.value[leaf, 0].sum(axis=1, keepdims=True)
        roots.append(nodes)
        feature.append(np.where(leaf, LEAF, tree.feature))
        threshold.append(_rounded_down(np.where(leaf, 0.0, tree.threshold)))
        child.append(np.where(leaf, leaf_count + np.cumsum(leaf) - 1, tree.children_left + nodes))
        right.append(np.where(leaf, 0, tree.children_right + nodes))
        leaves.append(value)
        nodes, leaf_count = nodes + len(leaf), leaf_count + int(leaf.sum())
    whole = [np.concatenate(part) for part in (feature, threshold, child, right, leaves)]
    return Forest(
        np.array(roots, np.int32), whole[0].astype(np.int16), whole[1], whole[2].astype(np.int32), whole[3].astype(np.int32), whole[4]
    )


def _rounded_down(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is at most the threshold: float32 features compare with it as with the threshold itself."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


@njit(cache=True, nogil=True)
def _descend(x, roots, feature, threshold, child, right, leaves):  # type: ignore[no-untyped-def]  # pragma: no cover  # compiled
    result = np.zeros((x.shape[0], leaves.shape[1]))
    for i in range(x.shape[0]):
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = child[node] if x[i, feature[node]] <= threshold[node] else right[node]
            for k in range(leaves.shape[1]):
                result[i, k] += leaves[child[node], k]
    return result / len(roots)
