"""Where stamps lie in what a network has learnt to see: its last hidden layer, seen along the axes in which training alerts differ most.

The network is one that has seen no real alert, so that it knows those that the model was trained on no better than others.
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
    """A network and the axes (k, 64) along which its hidden layer, less the mean (64,), is projected."""

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
        """For storage; `from_arrays` is its inverse."""
        return {"mean": self.mean, "axes": self.axes} | {f"{i:03}": w for i, w in enumerate(self.weights)}


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Embedding:
    """The embedding that `Embedding.arrays` described."""
    return Embedding([arrays[k] for k in sorted(arrays) if k.isdecimal()], arrays["mean"], arrays["axes"])
