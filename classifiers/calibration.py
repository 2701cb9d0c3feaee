"""Calibration of probabilities, so that of the predictions made with 80 % about 80 % are right.

Temperature scaling with a bias per class (bias-corrected temperature scaling, Alexandari et al. 2020, ICML; without the bias Guo et al.
2017, ICML): p' = softmax(log(p) / T + b). It is fitted to predictions for objects that the model was not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

#: Smaller probabilities count as this one.
FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Calibration:
    """Temperature (> 1 makes predictions less confident) and bias of each class (empty: none)."""

    temperature: float = 1.0
    bias: tuple[float, ...] = ()

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Calibrated probabilities, shape (n, k) as given; NaN rows stay NaN."""
        calibrated: NDArray[np.float64] = softmax(logits(probabilities) / self.temperature + np.asarray(self.bias or 0.0), axis=1)
        return calibrated

    def as_dict(self) -> dict[str, Any]:
        """Dictionary for the model card; ``Calibration(**card['calibration'])`` is the inverse."""
        return {"temperature": self.temperature, "bias": list(self.bias)}


def logits(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Logarithms of probabilities of any shape, the probabilities being at least `FLOOR`."""
    logs: NDArray[np.float64] = np.log(np.maximum(np.asarray(probabilities, float), FLOOR))
    return logs
