"""Weights of alerts in training and calibration: all classes alike, except bogus, whose labels are weak."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import Calibration
from classifiers.models.stamp.preprocess import Floats
from classifiers.taxonomy import STAMP
from classifiers.training import calibration

#: Weight of the bogus class, whose labels are from another classifier's score, relative to the others.
WEAK = 0.3


def by_class(codes: NDArray[np.int64], weights: Floats) -> Floats:
    """Weights scaled so that each class has the same total, bogus `WEAK` of it; mean 1."""
    total = np.bincount(codes, weights, len(STAMP))[codes]
    scaled = weights / total * np.where(codes == STAMP.index("bogus"), WEAK, 1.0)
    mean_one: Floats = scaled / scaled.mean()
    return mean_one


def calibrate(probabilities: Floats, truth: NDArray[np.int64]) -> Calibration:
    """Fit the calibration for equal frequencies of the classes (bogus: `WEAK`) of held-out predictions (n, 5)."""
    return calibration.fit(probabilities, truth, by_class(truth, np.ones(len(truth))))
