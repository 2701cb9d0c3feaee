"""Rows about the stamp classifier itself: how far nights are from what it was trained on, and what it looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tom_alerce.models import Drift, Explanation, Stamps

#: Side of a map, and how it is stored.
SIDE, STORED = 63, np.dtype("<f2")


def save_drift(classifier: str, version: str, night: dt.date, found: Mapping[str, Any]) -> Drift:
    """Keep what `classifiers.models.stamp.drift` found in a night; a later look at the same night replaces it."""
    values = {name: found[name] for name in ("n", "classes", "psi")}
    row, _ = Drift.objects.update_or_create(classifier=classifier, version=version, night=night, defaults=values)
    return row


def save_explanation(row: Stamps, classifier: str, version: str, said: tuple[str, float], weights: NDArray[np.float64]) -> Explanation:
    """Keep the map (63, 63) of what spoke for the class that the images were given (its name and probability)."""
    label, probability = said
    values = {"label": label, "probability": probability, "weights": np.asarray(weights, STORED).tobytes()}
    key = {"stamps": row, "source_id": row.source_id, "classifier": classifier, "version": version}
    made, _ = Explanation.objects.update_or_create(**key, defaults=values)
    return made


def weights(row: Explanation) -> NDArray[np.float64]:
    """The map (63, 63) of an explanation, first row at the bottom as FITS has it."""
    return np.frombuffer(bytes(row.weights), STORED).reshape(SIDE, SIDE).astype(float)
