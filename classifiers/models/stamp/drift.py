"""Drift of alerts from the training set, measured without labels on probabilities, confidence, images and metadata.

Each quantity is compared with its distribution over the training set by the population stability index (`population_stability`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.stamp import metadata, storage
from classifiers.models.stamp.embedding import Embedding
from classifiers.models.stamp.ensemble import Ensemble
from classifiers.models.stamp.preprocess import Floats, Inputs, normalise
from classifiers.population_stability import Reference, stability
from classifiers.records import ClassifierError, WeightsError
from classifiers.taxonomy import STAMP

#: Names of the images, by their number.
CHANNELS = {3: ("science", "template", "difference"), 2: ("science", "difference")}


def of_inputs(inputs: Inputs, weights: Path = storage.SHIPPED, mode: str = "full") -> dict[str, Any]:
    """Measure the drift of the usable alerts: their number ``n``, the share of each predicted class, and the ``psi`` of every quantity.

    ``beyond`` is the excess of the PSI over the largest one among single nights of the training folder (`usual`), largest first: a single
    night always differs from many nights together.

    Raises
    ------
    ClassifierError
        None is usable, or the model has no reference.
    """
    model, _, card = storage.load(weights)
    if model.reference is None or model.embedding is None:
        raise WeightsError(f"the model in {weights} has no reference to measure drift against")
    inputs = inputs.take(inputs.usable)
    if not len(inputs):
        raise ClassifierError("none of the alerts has stamps that the model can read")
    found = compared(inputs, model, model.reference, mode)
    usually = card.get("drift_usual", {})
    beyond = {name: round(psi - max(usually.get(name, 0.0), 0.0), 4) for name, psi in found["psi"].items()}
    return found | {"beyond": dict(sorted(beyond.items(), key=lambda item: -item[1]))}


def compared(inputs: Inputs, model: Ensemble, expected: Reference, mode: str = "full") -> dict[str, Any]:
    """Compare usable alerts with a `reference`, as `of_inputs` does; the model must have an embedding."""
    assert model.embedding is not None
    probabilities = model.predict(inputs, mode)
    winners = np.bincount(probabilities.argmax(axis=1), minlength=len(STAMP)) / len(inputs)
    psi = stability(quantities(inputs, probabilities, model.embedding), probabilities, expected)
    return {"n": len(inputs), "classes": dict(zip(STAMP, np.round(winners, 4).tolist(), strict=True)), "psi": psi}


def quantities(inputs: Inputs, probabilities: Floats, embedding: Embedding) -> dict[str, Floats]:
    """Quantities that are compared, each of shape (n,): probabilities, confidence, images, embedding, features of the metadata."""
    _, background, noise = normalise(inputs.stamps)
    watched = {f"p({c})": probabilities[:, i] for i, c in enumerate(STAMP)} | {"confidence": probabilities.max(axis=1)}
    for i, channel in enumerate(CHANNELS[inputs.stamps.shape[1]]):
        watched |= {f"{channel} noise": noise[:, i], f"{channel} background": background[:, i]}
    watched |= {f"embedding {i + 1}": place for i, place in enumerate(embedding.of(inputs.stamps).T)}
    columns = metadata.features(inputs.metadata) if inputs.metadata else np.zeros((len(inputs), 0))
    return watched | {name: columns[:, i].astype(float) for i, name in enumerate(metadata.FEATURES) if columns.size}
