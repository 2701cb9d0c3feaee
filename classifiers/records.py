"""The nouns of ``classifiers``: what goes into a model and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import SkyObject

#: Folder of the shipped models: one folder for each classifier, with its arrays and its model card.
WEIGHTS_ROOT = Path(__file__).resolve().parent / "weights"


class ClassifierError(Exception):
    """Base class of the errors that ``classifiers`` raises."""


class WeightsError(ClassifierError):
    """A model file is missing, was changed, or has another format than its card says."""


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """Probabilities of n objects over k classes.

    Attributes
    ----------
    classifier, version : str
    classes : tuple of str, length k
    probabilities : ndarray of float, shape (n, k)
        Rows sum to 1; an all-NaN row means "cannot say".
    details : sequence of mappings, length n, or empty
        Further results for each object, as plain JSON. ``oddness``, where given, is the anomaly score in [0, 1]: the share of the
        training objects that are less anomalous.
    """

    classifier: str
    version: str
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    details: Sequence[Mapping[str, Any]] = ()

    @property
    def labels(self) -> tuple[str | None, ...]:
        """The most probable class of each object, None where the classifier cannot say."""
        known = np.isfinite(self.probabilities).all(axis=1)
        best = np.argmax(np.nan_to_num(self.probabilities), axis=1)
        return tuple(self.classes[b] if k else None for b, k in zip(best, known, strict=True))


class Classifier(Protocol):
    """Protocol of a classifier: the class ``Model`` of a module (or package) in ``classifiers.models``, or of a third party's module.

    Without arguments ``Model()`` has the shipped weights.
    """

    name: str
    version: str
    classes: tuple[str, ...]

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects; row i belongs to object i. Objects that the model was not made for get an all-NaN row."""
