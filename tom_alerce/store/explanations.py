"""Maps of the pixels that spoke for or against a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tom_alerce.models import Explanation, Stamps

#: Side of a map in pixels, and its type in the table.
SIDE, STORED = 63, np.dtype("<f2")


def save(stamps: Stamps, classifier: str, version: str, result: tuple[str, float], weights: NDArray[np.float64]) -> Explanation:
    """Keep a map, shape (63, 63), with the class that the images were given (``result``: its name and probability)."""
    label, probability = result
    values = {"label": label, "probability": probability, "weights": np.asarray(weights, STORED).tobytes()}
    row, _ = Explanation.objects.update_or_create(
        stamps=stamps, source_id=stamps.source_id, classifier=classifier, version=version, defaults=values
    )
    return row


def weights(row: Explanation) -> NDArray[np.float64]:
    """The map of an explanation, shape (63, 63), first row at the bottom as in FITS."""
    return np.frombuffer(bytes(row.weights), STORED).reshape(SIDE, SIDE).astype(float)
