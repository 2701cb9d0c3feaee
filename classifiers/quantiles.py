"""Features as normal deviates, whatever their units and tails, for models that add or multiply them.

The quantile of a value among the training values becomes that of a normal distribution; an unknown value becomes 0, the median.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

#: Quantiles that are stored of each feature, and their normal deviates, which are cut in the tails.
STEPS = np.linspace(0, 1, 33)
DEVIATES = ndtri(np.clip(STEPS, 0.002, 0.998))

#: Least number of known values of a feature; with fewer it is not used.
LEAST = 20


def of(x: NDArray[Any]) -> NDArray[np.float32]:
    """Quantiles of the k columns of x, shape (k, len(STEPS)); NaN for a column with fewer than `LEAST` values."""
    columns = (column[np.isfinite(column)] for column in x.T)
    return np.array([np.quantile(c, STEPS) if len(c) >= LEAST else np.full(len(STEPS), np.nan) for c in columns], np.float32)


def deviates(x: NDArray[Any], quantiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normal deviates, shape (n, k), of features of shape (n, k): the middle one of a value that is shared, 0 of an unknown one."""
    found = np.empty((len(quantiles), len(x)), np.float32)
    for row, column, q in zip(found, np.asarray(x, np.float32).T, quantiles, strict=True):
        row[:] = np.interp(column, q, DEVIATES)
        if (q[1:] == q[:-1]).any():
            row[:] = (row - np.interp(-column, -q[::-1], -DEVIATES[::-1])) / 2
    return np.nan_to_num(found.T)
