"""Occlusion map: how much of the probability of the predicted class depends on each part of a stamp."""

from __future__ import annotations

import numpy as np

from classifiers.models.stamp.ensemble import Ensemble
from classifiers.models.stamp.preprocess import SIDE, Floats, Inputs, normalise
from classifiers.taxonomy import STAMP

#: Side in pixels of the patch that is hidden, and its step.
PATCH, STEP = 9, 3


def explained(model: Ensemble, inputs: Inputs) -> tuple[tuple[str, float], Floats]:
    """Explain one usable alert: the class predicted from the images, its probability, and the map of `occlusion`."""
    p = model.predict(inputs, "image_only")[0]
    return (STAMP[int(p.argmax())], float(p.max())), occlusion(model, inputs)


def occlusion(model: Ensemble, inputs: Inputs) -> Floats:
    """Map (63, 63) of the drop in the predicted class's probability when pixels are hidden; NaN if the alert is not usable.

    A patch of all three images is replaced by their background, wherever it fits on a grid; a pixel's value is the mean over the patches
    that cover it (Zeiler & Fergus 2014, ECCV). Positive pixels support the class, negative ones contradict it.

    Parameters
    ----------
    model : Ensemble
        Only its networks are used, since metadata have no place in the image.
    inputs : Inputs
        One alert.
    """
    if not inputs.usable.all() or len(inputs) != 1:
        return np.full((SIDE, SIDE), np.nan)
    _, background, _ = normalise(inputs.stamps)
    corners = [(y, x) for y in range(0, SIDE - PATCH + 1, STEP) for x in range(0, SIDE - PATCH + 1, STEP)]
    hidden = np.repeat(inputs.stamps, len(corners) + 1, axis=0)
    for image, (y, x) in zip(hidden[1:], corners, strict=True):
        image[:, y : y + PATCH, x : x + PATCH] = background[0][:, None, None]
    many = Inputs(hidden, {k: np.repeat(v, len(hidden)) for k, v in inputs.metadata.items()}, np.ones(len(hidden), bool))
    p = model.predict(many, "image_only")
    loss = p[0].max() - p[1:, p[0].argmax()]
    total, count = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for value, (y, x) in zip(loss, corners, strict=True):
        total[y : y + PATCH, x : x + PATCH] += value
        count[y : y + PATCH, x : x + PATCH] += 1
    return total / count
