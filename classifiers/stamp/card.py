"""The model card: what the shipped model is, how good it is on nights that it never saw, and where it fails."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from classifiers.evaluate import disjoint_folds, metrics
from classifiers.taxonomy import STAMP

from .data import Table
from .ensemble import SHARES, combine
from .preprocess import Floats
from .weighting import calibrate

if TYPE_CHECKING:
    from .train import Recipe

NAME, VERSION = "stamp", "1.0"
#: The classes whose labels are strong: spectra, catalogues of variables, orbits. Those of bogus come from another classifier's score.
STRONG = STAMP[:4]


def scored(table: Table, probabilities: Floats) -> dict[str, Any]:
    """`classifiers.evaluate.metrics` with the classes of strong labels apart."""
    return metrics(table.labels.tolist(), probabilities, STAMP, subsets={"strong": STRONG})


def describe(table: Table, held_out: list[dict[str, Floats]], recipe: Recipe, seed: int) -> dict[str, Any]:
    """The card of a model trained on a table, from the predictions of its parts for objects and nights held out, one dict per repeat."""
    first = table.take(table.first())
    ways = {mode: [calibrated(first, parts, mode, recipe.folds, seed + r) for r, parts in enumerate(held_out)] for mode in SHARES}
    ways |= {f"{name} alone": [parts[name] for parts in held_out] for name in held_out[0]}
    figures = {}
    for name, repeats in ways.items():
        each = [scored(first, p) for p in repeats]
        figures[name] = each[0] | {"balanced_accuracy_strong_by_repeat": [e["balanced_accuracy_strong"] for e in each]}
    return {
        "classifier": NAME,
        "version": VERSION,
        "data": {
            "objects": len(first),
            "alerts": len(table),
            "nights": len(np.unique(table.nights)),
            "by_class": {c: int((first.labels == c).sum()) for c in STAMP},
        },
        "recipe": asdict(recipe) | {"seed": seed},
        "folds": "no object and no night on both sides; calibration of each fold from the others",
        "cross_validation": figures,
    }


def calibrated(first: Table, parts: dict[str, Floats], mode: str, folds: int, seed: int) -> Floats:
    """Held-out predictions (n, 5), each calibrated by those for other nights and objects."""
    raw = combine(parts, mode)
    result = np.full_like(raw, np.nan)
    for others, these in disjoint_folds(first.labels.tolist(), first.nights, n_folds=folds, seed=seed):
        result[these] = calibrate(raw[others], first.codes[others]).apply(raw[these])
    return result
