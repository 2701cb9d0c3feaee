"""Fitted trees of scikit-learn and imbalanced-learn as `classifiers.trees.Trees`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.trees import Floats, Trees


def from_forests(forests: Sequence[Any], classes: int) -> Trees:
    """Trees of fitted forests of scikit-learn or imbalanced-learn with labels among 0 ... classes - 1.

    Leaves are class fractions. A tree of imbalanced-learn may lack classes.
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
    """Trees of a fitted ``HistGradientBoostingClassifier`` of numerical features; of two classes the first has score zero."""
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
    """Concatenate the nodes of many trees; a part is feature, threshold, missing_left, children, is_leaf and values of one tree."""
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
    """Largest float32 up to the threshold: comparisons with float32 features stay the same."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
