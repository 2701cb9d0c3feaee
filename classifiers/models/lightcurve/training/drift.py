"""Drift of light curves from the training set, measured without labels on features, probabilities and confidence.

Each feature is compared, by the population stability index (`classifiers.population_stability`), with its distribution over the training
set in the mixture of branches that the model predicts.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from classifiers import population_stability
from classifiers.models.lightcurve import features, hierarchy
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.series import MINIMUM, light_curve
from classifiers.models.lightcurve.training import data as tables
from classifiers.models.lightcurve.training import environment
from classifiers.records import ClassifierError, WeightsError
from classifiers.taxonomy import LIGHTCURVE


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line."""
    parser.add_argument("--weights", type=Path, default=hierarchy.SHIPPED, metavar="DIR", help="a model other than the shipped one")
    parser.add_argument("--alarm", type=float, default=population_stability.ALARM, help="PSI above which a quantity has drifted")
    parser.add_argument("--jobs", type=int, default=2, help="processes")


def drift(data: Path, weights: Path = hierarchy.SHIPPED, alarm: float = population_stability.ALARM, jobs: int = 2) -> dict[str, Any]:
    """Measure the drift of all objects of a folder, labelled or not.

    Returns their number ``n``, the share of each branch, the ``psi`` of every quantity, and the names of those above the alarm.

    Raises
    ------
    ClassifierError
        The folder is not readable, has no object with enough detections, or the model has no reference.
    """
    model, _ = hierarchy.load(weights)
    if model.reference is None:
        raise WeightsError(f"the model in {weights} has no reference to measure drift against")
    found = tables.everything(data)
    curves = {name: light_curve(rows) for name, (_, _, rows) in found.items()}
    enough = [name for name, curve in curves.items() if curve.n_detections >= MINIMUM]
    if not enough:
        raise ClassifierError(f"no object in {data} has {MINIMUM} detections")
    values = features.matrix([curves[name] for name in enough], jobs)
    said = model.probabilities(values, features.names(), environment.of_folder(data, enough))
    branches = hierarchy.branches(said)
    psi = population_stability.stability(watched(values, said), branches, model.reference)
    shares = dict(zip(LIGHTCURVE, branches.mean(axis=0).round(4).tolist(), strict=True))
    return {"n": len(enough), "branches": shares, "psi": psi, "alarm": alarm, "drifted": [k for k, v in psi.items() if v > alarm]}


def watched(values: Floats, probabilities: Floats) -> dict[str, Floats]:
    """Quantities that are compared, each of shape (n,): every feature, and the highest of the probabilities (n, 15)."""
    return dict(zip(features.names(), np.asarray(values, float).T, strict=True)) | {"confidence": probabilities.max(axis=1)}
