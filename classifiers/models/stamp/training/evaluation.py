"""Evaluation of the shipped stamp model on a folder of labelled alerts, or of its recipe by cross-validation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.stamp import storage
from classifiers.models.stamp.training import data as tables
from classifiers.models.stamp.training import trainer
from classifiers.models.stamp.training.card import calibrated, scored
from classifiers.taxonomy import STAMP


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line."""
    parser.add_argument("--image-only", action="store_true", help="use the model that looks at the stamps alone")
    parser.add_argument("--weights", type=Path, default=storage.SHIPPED, metavar="DIR", help="a model other than the shipped one")
    if verb == "evaluate":
        parser.add_argument("--cross-validate", action="store_true", help="train anew in folds that share neither objects nor nights")
        parser.add_argument("--seed", type=int, default=0)
    else:
        parser.add_argument("--out", type=Path, metavar="FILE", help="write a CSV file instead of the probabilities themselves")


def evaluate(
    data: Path, *, image_only: bool = False, weights: Path = storage.SHIPPED, cross_validate: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Evaluate the earliest alert of each labelled object.

    Returns the metrics with ``n_seen_in_training`` and, if some objects were in the training set, metrics of the ``unseen`` ones.
    """
    table = tables.read(data)
    table = table.take(table.first())
    mode = "image_only" if image_only else "full"
    if cross_validate:
        return _cross_validated(data, mode, seed)
    model, seen, card = storage.load(weights)
    result = scored(table, model.predict(table.inputs, mode)) | {"mode": mode, "version": card["version"]}
    known = np.isin(tables.digests(table.objects), seen)
    result["n_seen_in_training"] = int(known.sum())
    if known.any():
        print(f"WARNING: {known.sum()} of {len(table)} objects are in the training set: the figures are too good", file=sys.stderr)
    if known.any() and not known.all():
        unseen = table.take(~known)
        result["unseen"] = scored(unseen, model.predict(unseen.inputs, mode))
    return result


def predict(data: Path, *, image_only: bool = False, weights: Path = storage.SHIPPED, out: Path | None = None) -> dict[str, Any]:
    """Classify the earliest alert of every object, labelled or not."""
    table = tables.read(data)
    table = table.take(table.first(labelled=False))
    model, _, card = storage.load(weights)
    probabilities = model.predict(table.inputs, "image_only" if image_only else "full")
    winners = np.where(np.isfinite(probabilities[:, 0]), np.array(STAMP)[np.nan_to_num(probabilities).argmax(axis=1)], "")
    result: dict[str, Any] = {"version": card["version"], "n": len(table), "classes": list(STAMP)}
    result["predicted"] = {c: int((winners == c).sum()) for c in (*STAMP, "")}
    if out is None:
        rows = [[round(p, 5) for p in row] if np.isfinite(row).all() else None for row in probabilities.tolist()]
        return result | {"probabilities": dict(zip(table.objects.tolist(), rows, strict=True))}
    lines = [",".join(("objectId", "candid", *STAMP))]
    lines += [",".join((o, c, *(f"{p:.6f}" for p in row))) for o, c, row in zip(table.objects, table.candid, probabilities, strict=True)]
    out.write_text("\n".join(lines) + "\n")
    return result | {"file": str(out)}


def _cross_validated(data: Path, mode: str, seed: int) -> dict[str, Any]:
    table = tables.read(data)
    table = table.take((table.labels != "") & table.inputs.usable)
    recipe = trainer.Recipe()
    parts = trainer.cross_validate(table, recipe, trainer.pretrain_networks(recipe, seed), seed)
    first = table.take(table.first())
    result = scored(first, calibrated(first, parts, mode, recipe.folds, seed))
    return result | {"mode": mode, "cross_validated": True, "n_seen_in_training": 0}
