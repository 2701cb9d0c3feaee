"""Drift of a folder of alerts, and of the single nights of a training set from the whole of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.models.stamp import storage
from classifiers.models.stamp.drift import compared, of_inputs
from classifiers.models.stamp.ensemble import Ensemble
from classifiers.models.stamp.training import data as tables
from classifiers.population_stability import ALARM, Reference

#: Least number of alerts of a night that is compared.
LEAST = 30


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line."""
    parser.add_argument("--weights", type=Path, default=storage.SHIPPED, metavar="DIR", help="a model other than the shipped one")
    parser.add_argument("--alarm", type=float, default=ALARM, help="PSI above which a quantity has drifted")


def drift(data: Path, weights: Path = storage.SHIPPED, alarm: float = ALARM) -> dict[str, Any]:
    """PSI of every quantity for all alerts of a folder, labelled or not, and the names of those above the alarm.

    Raises
    ------
    ClassifierError
        The folder is not readable, has no usable alert, or the model has no reference.
    """
    found = of_inputs(tables.read(data).inputs, weights)
    return found | {"alarm": alarm, "drifted": [name for name, psi in found["psi"].items() if psi > alarm]}


def usual(table: tables.Table, model: Ensemble, expected: Reference) -> dict[str, float]:
    """Largest PSI of each quantity among the single nights of a table, labelled or not, with at least `LEAST` objects."""
    table = table.take(table.inputs.usable)
    found: dict[str, float] = {}
    for night, n in zip(*np.unique(table.nights, return_counts=True), strict=True):
        own = table.take(table.nights == night)
        own = own.take(own.first(labelled=False))
        if n >= LEAST and len(own) >= LEAST:
            for name, psi in compared(own.inputs, model, expected)["psi"].items():
                found[name] = max(found.get(name, 0.0), psi)
    return found
