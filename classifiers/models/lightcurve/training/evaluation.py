"""Evaluation of the shipped model on a folder of labelled light curves, or of its recipe by cross-validation."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.lightcurve import features, hierarchy
from classifiers.models.lightcurve.hierarchy import SHIPPED
from classifiers.models.lightcurve.series import MINIMUM, light_curve
from classifiers.models.lightcurve.training import data as tables
from classifiers.models.lightcurve.training import environment, samples, train
from classifiers.models.lightcurve.training.samples import held_against
from classifiers.models.lightcurve.training.scores import YOUNG, report
from classifiers.taxonomy import LIGHTCURVE_CLASSES


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line."""
    parser.add_argument("--weights", type=Path, default=SHIPPED, metavar="DIR", help="a model other than the shipped one")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    if verb == "evaluate":
        parser.add_argument("--cross-validate", action="store_true", help="train anew in folds that share no object")
        parser.add_argument("--seed", type=int, default=0)
    else:
        parser.add_argument("--out", type=Path, metavar="FILE", help="write a CSV file instead of the probabilities themselves")


def evaluate(data: Path, *, weights: Path = SHIPPED, cross_validate: bool = False, seed: int = 0, jobs: int = 2) -> dict[str, Any]:
    """Evaluate a model: figures, ``n_seen_in_training`` and, if some objects were in the training set, figures of the ``unseen`` ones."""
    if cross_validate:
        built = samples.build(data, seed, jobs)
        held = train.held_out(built, seed, jobs)
        return report(built.take(held.rows), train.nested(built, held)[1]) | {"cross_validated": True, "n_seen_in_training": 0}
    model, card = hierarchy.load(weights)
    part, few = held_against(data, YOUNG, jobs)
    probabilities = model.probabilities(part.features, features.names(), part.known)
    seen = model.was_trained_on(part.objects.tolist())
    whole = (part.copies == "whole") & (part.origins == "real")
    result = report(part, probabilities) | {"n_too_few_detections": few, "n_seen_in_training": int((seen & whole).sum())}
    result["version"] = card["version"]
    if seen.any():
        print(
            f"WARNING: {(seen & whole).sum()} of {whole.sum()} objects are in the training set: the figures are too good", file=sys.stderr
        )
    if seen[whole].any() and not seen[whole].all():
        result["unseen"] = report(part.take(~seen), probabilities[~seen])
    return result


def predict(data: Path, *, weights: Path = SHIPPED, out: Path | None = None, jobs: int = 2) -> dict[str, Any]:
    """Classify every labelled object of a folder; None for those with too few detections."""
    model, card = hierarchy.load(weights)
    found = tables.read(data)
    curves = [light_curve(s.rows) for s in found]
    probabilities = np.full((len(found), len(LIGHTCURVE_CLASSES)), np.nan)
    enough = np.array([c.n_detections >= MINIMUM for c in curves], bool)
    if enough.any():
        values = features.matrix([c for c, e in zip(curves, enough, strict=True) if e], jobs)
        known = environment.of_folder(data, [s.object_id for s in found])[enough]
        probabilities[enough] = model.probabilities(values, features.names(), known)
    result: dict[str, Any] = {"version": card["version"], "n": len(found), "classes": list(LIGHTCURVE_CLASSES)}
    if out is None:
        rows = [[round(p, 5) for p in row] if np.isfinite(row).all() else None for row in probabilities.tolist()]
        return result | {"probabilities": {s.object_id: row for s, row in zip(found, rows, strict=True)}}
    lines = [",".join(("objectId", *LIGHTCURVE_CLASSES))]
    lines += [",".join((s.object_id, *(f"{p:.6f}" for p in row))) for s, row in zip(found, probabilities.tolist(), strict=True)]
    out.write_text("\n".join(lines) + "\n")
    return result | {"file": str(out)}
