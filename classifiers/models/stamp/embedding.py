"""Embedding of stamps: principal axes of the training alerts in the last hidden layer of a network.

The network was trained on simulated alerts only, so that it does not know the real training alerts better than others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.models.stamp import network
from classifiers.models.stamp.preprocess import Floats, Images


@dataclass(slots=True, eq=False)
class Embedding:
    """Network, and the axes (k, 64) onto which its hidden layer, less the mean (64,), is projected."""

    weights: list[NDArray[np.float32]]
    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    _hidden: Callable[[Images, Images], NDArray[np.float32]] | None = field(default=None, repr=False)

    def of(self, stamps: Images) -> Floats:
        """Coordinates (n, k), in standard deviations of the training alerts, of stamps (n, c, 63, 63)."""
        self._hidden = self._hidden or network.embedded(self.weights)
        places: Floats = ((self._hidden(*network.views(stamps)) - self.mean) @ self.axes.T).astype(float)
        return places

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for storage; `from_arrays` is the inverse."""
        return {"mean": self.mean, "axes": self.axes} | {f"{i:03}": w for i, w in enumerate(self.weights)}


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Embedding:
    """Embedding from the arrays of `Embedding.arrays`."""
    return Embedding([arrays[k] for k in sorted(arrays) if k.isdecimal()], arrays["mean"], arrays["axes"])
