"""Calibration: probabilities that mean what they say.

Temperature scaling with a bias per class (bias-corrected temperature scaling, Alexandari et al. 2020, ICML; without the bias Guo et al.
2017, ICML): p' = softmax(log(p) / T + b). It is fitted to predictions for objects that the model was not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

#: Probabilities below this are not told apart.
FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature (> 1 makes the predictions humbler) and a bias per class (empty: none)."""

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n, k) as given; NaN rows stay NaN."""
        calibrated: NDArray[np.float64] = softmax(_logits(probabilities) / self.temperature + np.asarray(self.bias or 0.0), axis=1)
        return calibrated

    def as_dict(self) -> dict[str, Any]:
        """For the model card; ``Calibration(**card['calibration'])`` is its inverse."""
        return {"temperature": self.temperature, "bias": list(self.bias)}


def fit(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None, *, bias: bool = True, penalty: float = 1e-2
) -> Calibration:
    """The calibration that minimises the (weighted) cross-entropy of held-out predictions.

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
        Ridge on log temperature and biases, which keeps a rare class from running away.
    """
    p, true = np.asarray(probabilities, float), np.asarray(truth, int)
    w = np.ones(len(true)) if weights is None else np.asarray(weights, float)
    known = np.isfinite(p).all(axis=1)
    logits, true, w = _logits(p[known]), true[known], w[known] / w[known].sum()

    def loss(x: NDArray[np.float64]) -> float:
        scaled = log_softmax(logits * np.exp(-x[0]) + (x[1:] if bias else 0.0), axis=1)
        return float(-(w * scaled[np.arange(len(true)), true]).sum() + penalty * (x**2).sum())

    best = minimize(loss, np.zeros(1 + (p.shape[1] if bias else 0)), method="L-BFGS-B").x
    return Calibration(float(np.exp(best[0])), tuple(float(b) for b in best[1:]))


def _logits(probabilities: ArrayLike) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = np.log(np.maximum(np.asarray(probabilities, float), FLOOR))
    return logits
