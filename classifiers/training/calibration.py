"""Fits of a calibration to held-out predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from classifiers.calibration import Calibration, logits


def fit(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None, *, bias: bool = True, penalty: float = 1e-2
) -> Calibration:
    """Calibration that minimises the (weighted) cross-entropy of held-out predictions.

    Parameters
    ----------
    probabilities : array_like, shape (n, k)
        Out-of-fold predictions; rows with NaN are left out.
    truth : array_like of int, shape (n,)
        Columns of the true classes.
    weights : array_like, shape (n,), optional
        For instance inverse class frequencies, so that the result holds for equal priors.
    bias : bool
        Whether a bias per class is fitted too.
    penalty : float
        Ridge on log temperature and biases, which bounds the bias of a rare class.
    """
    p, true = np.asarray(probabilities, float), np.asarray(truth, int)
    w = np.ones(len(true)) if weights is None else np.asarray(weights, float)
    known = np.isfinite(p).all(axis=1)
    scores, true, w = logits(p[known]), true[known], w[known] / w[known].sum()

    def loss(x: NDArray[np.float64]) -> float:
        scaled = log_softmax(scores * np.exp(-x[0]) + (x[1:] if bias else 0.0), axis=1)
        return float(-(w * scaled[np.arange(len(true)), true]).sum() + penalty * (x**2).sum())

    best = minimize(loss, np.zeros(1 + (p.shape[1] if bias else 0)), method="L-BFGS-B").x
    return Calibration(float(np.exp(best[0])), tuple(float(b) for b in best[1:]))
