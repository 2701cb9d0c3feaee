"""The light-curve classifier: features of merged light curves into a hierarchical forest.

Objects with fewer than `MINIMUM` detections in the g-like and r-like bands together get an all-NaN row: nothing can be said yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from broker_adapters.records import SkyObject

from ..records import Classification
from ..taxonomy import LIGHTCURVE_CLASSES
from . import features, forest
from ._arrays import Floats
from .samples import MINIMUM
from .series import light_curve


class Model:
    """The shipped forest, or that of a folder with ``model.npz`` and ``card.json``.

    Raises
    ------
    WeightsError
        A file is missing, damaged or changed since its card was written.
    """

    name = "lightcurve"
    classes = LIGHTCURVE_CLASSES

    def __init__(self, weights: Path | None = None) -> None:
        self._model, card = forest.load(weights or Path(__file__).parents[1] / "weights" / "lightcurve")
        self.version: str = card["version"]

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects from their merged detections; row i belongs to object i."""
        return self.assess(objects)[0]

    def assess(self, objects: Sequence[SkyObject]) -> tuple[Classification, Floats]:
        """The classification, and how odd each object is among those of its branch: shape (n,), in [0, 1], NaN where it cannot be said."""
        curves = [light_curve(o.detections) for o in objects]
        enough = np.array([c.n_detections >= MINIMUM for c in curves], bool)
        probabilities, oddness = np.full((len(objects), len(self.classes)), np.nan), np.full(len(objects), np.nan)
        if enough.any():
            values = features.matrix([c for c, e in zip(curves, enough, strict=True) if e])
            probabilities[enough] = self.probabilities(values)
            oddness[enough] = self._model.oddness(values, features.names(), probabilities[enough])
        return Classification(self.name, self.version, self.classes, probabilities), oddness

    def probabilities(self, values: Floats) -> Floats:
        """Probabilities, shape (n, 15), of features of shape (n, len(features.names()))."""
        return self._model.probabilities(values, features.names())

    @staticmethod
    def surveys(objects: Sequence[SkyObject]) -> tuple[tuple[str, ...], ...]:
        """The surveys whose detections each answer rests upon, for n objects."""
        return tuple(light_curve(o.detections).surveys for o in objects)
