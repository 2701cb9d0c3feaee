"""Dense networks as arrays: trained with Keras, stored without pickle, evaluated with numpy.

The inputs are each feature as a normal deviate (`quantiles`) and whether it is known. The probabilities of several networks, trained from
different seeds, are averaged. Their errors differ from those of trees, so that the average of both is better than either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from classifiers import quantiles

Floats = NDArray[np.float64]

#: Fields of `Networks`, as they are stored.
ARRAYS = ("quantiles", "first", "first_bias", "second", "second_bias", "last", "last_bias")


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """Weights of m networks with k features and two hidden layers.

    Attributes
    ----------
    quantiles : shape (k, len(quantiles.STEPS))
    first, first_bias : shape (m, 2 k, 256), (m, 1, 256)
    second, second_bias : shape (m, 256, 128), (m, 1, 128)
    last, last_bias : shape (m, 128, classes), (m, 1, classes)
        All float32; weights are stored in half precision.
    """

    quantiles: NDArray[np.float32] = field(repr=False)
    first: NDArray[np.float32] = field(repr=False)
    first_bias: NDArray[np.float32] = field(repr=False)
    second: NDArray[np.float32] = field(repr=False)
    second_bias: NDArray[np.float32] = field(repr=False)
    last: NDArray[np.float32] = field(repr=False)
    last_bias: NDArray[np.float32] = field(repr=False)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; `from_arrays` is the inverse."""
        return {name: getattr(self, name) if name == "quantiles" else getattr(self, name).astype(np.float16) for name in ARRAYS}

    def probabilities(self, x: NDArray[Any]) -> Floats:
        """Mean probabilities, shape (n, classes), of features of shape (n, k)."""
        inputs = shown(x, self.quantiles)
        hidden = _relu(inputs @ self.first + self.first_bias)
        hidden = _relu(hidden @ self.second + self.second_bias)
        mean: Floats = softmax(hidden @ self.last + self.last_bias, axis=2).mean(axis=0, dtype=float)
        return mean


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Networks:
    """Networks from the arrays of `Networks.arrays`."""
    return Networks(**{name: np.asarray(arrays[name], np.float32) for name in ARRAYS})


def shown(x: NDArray[Any], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inputs of a network, shape (n, 2 k)."""
    return np.hstack([quantiles.deviates(x, known), np.isfinite(x).astype(np.float32)])


def _relu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    positive: NDArray[np.float32] = np.maximum(x, 0.0, out=x)
    return positive
