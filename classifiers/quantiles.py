"""Features as normal deviates by their quantiles, whatever their units and tails: for what adds or multiplies them.

The quantile of a value among the training values becomes that of a normal distribution; what is not known is 0, the middle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

#: Quantiles that are kept of each feature, and the normal deviates that they become: in the tails values are not told apart.
STEPS = np.linspace(0, 1, 33)
DEVIATES = ndtri(np.clip(STEPS, 0.002, 0.998))

#: The fewest values that make a feature known.
LEAST = 20


def of(x: NDArray[Any]) -> NDArray[np.float32]:
    """Quantiles of each of the k columns of x, shape (k, len(STEPS)); NaN for a column that is hardly ever known."""
    columns = (column[np.isfinite(column)] for column in x.T)
    return np.array([np.quantile(c, STEPS) if len(c) >= LEAST else np.full(len(STEPS), np.nan) for c in columns], np.float32)


def deviates(x: NDArray[Any], quantiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normal deviates, shape (n, k), of features of shape (n, k); of values that many share the middle, 0 where not known."""
    found = np.empty((len(quantiles), len(x)), np.float32)
    for row, column, q in zip(found, np.asarray(x, np.float32).T, quantiles, strict=True):
        row[:] = np.interp(column, q, DEVIATES)
        if (q[1:] == q[:-1]).any():
            row[:] = (row - np.interp(-column, -q[::-1], -DEVIATES[::-1])) / 2
    return np.nan_to_num(found.T)
