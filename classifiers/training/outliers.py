"""Fit of the anomaly score (`classifiers.outliers.Known`), and its test on classes that were left out.

The test leaves one class out of the training and measures how well the score separates it from the others (Sanchez-Saez et al. 2021, AJ
162, 206; Perez-Carrasco et al. 2023, AJ 166, 151); the areas under the ROC curve are in the model card.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from classifiers import quantiles
from classifiers.outliers import QUANTILES, Known, mean_share
from classifiers.training.folds import disjoint_folds
from classifiers.training.trees import from_boosting

#: Settings of the classifier: a larger one finds no more outliers.
BOOSTING = {
    "max_iter": 60,
    "learning_rate": 0.12,
    "max_leaf_nodes": 8,
    "l2_regularization": 10.0,
    "min_samples_leaf": 20,
    "max_features": 0.3,
    "early_stopping": False,
}

#: Number of folds, and least number of objects of a class that is tested.
FOLDS, LEAST = 5, 20


def fit(x: NDArray[Any], labels: NDArray[np.str_], objects: NDArray[np.str_], seed: int = 0) -> Known:
    """Fit the outlier model of features of shape (n, k), with classes (two or more) and object names, each of shape (n,).

    The stored quantiles are of held-out objects, by models of fewer objects, which doubt a little more: scores are rather low than high.
    """
    raw = np.empty((2, len(x)))
    for known, test in disjoint_folds(labels.tolist(), objects, n_folds=FOLDS, seed=seed):
        raw[:, test] = _fitted(x[known], labels[known], seed).raw(x[test])
    parts = np.quantile(raw, QUANTILES, axis=1).T
    final = _fitted(x, labels, seed)
    return Known(final.trees, final.steps, final.axes, np.vstack([parts, np.quantile(mean_share(parts, raw), QUANTILES)]))


def _fitted(x: NDArray[Any], labels: NDArray[np.str_], seed: int) -> Known:
    """Fit the model without its quantiles."""
    classes, truth = np.unique(labels, return_inverse=True)
    steps = quantiles.of(x)
    told = np.where(np.isfinite(steps[:, 0]), x, 0.0).astype(np.float32)
    with threadpool_limits(1):  # sums in another order would change the stored file
        grown = HistGradientBoostingClassifier(**BOOSTING, random_state=seed).fit(told, truth)
        covariance, _ = ledoit_wolf(quantiles.deviates(x, steps).astype(float), assume_centered=True)
        axes = np.linalg.cholesky(np.linalg.inv(covariance)).astype(np.float32)
    return Known(from_boosting(grown, len(classes)), steps, axes, np.zeros((3, 0)))


def leave_one_out(
    x: NDArray[Any], labels: NDArray[np.str_], objects: NDArray[np.str_], real: NDArray[np.bool_], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Area under the ROC curve of separating each class from held-out objects of the others, by a model without that class.

    ``area`` for each class with `LEAST` rows or more, and ``real`` for its real objects alone where they are as many.
    """
    found = {}
    for name in np.unique(labels).tolist():
        odd, others = np.flatnonzero(labels == name), np.flatnonzero(labels != name)
        if len(odd) < LEAST or len(others) < 2 * LEAST or len(np.unique(labels[others])) < 2:
            continue
        known, held = next(iter(disjoint_folds(labels[others].tolist(), objects[others], n_folds=2, seed=seed)))
        model = fit(x[others[known]], labels[others[known]], objects[others[known]], seed)
        rows = np.concatenate([odd, others[held]])
        score, new, own = model.score(x[rows]), labels[rows] == name, real[rows]
        found[name] = {"area": float(roc_auc_score(new, score))}
        if min((new & own).sum(), (own & ~new).sum()) >= LEAST:
            found[name]["real"] = float(roc_auc_score(new[own], score[own]))
    return found
