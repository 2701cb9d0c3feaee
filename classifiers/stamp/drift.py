"""Does a night still look like what the model was trained on? Without labels: what it says, how sure it is, and what it is shown.

Each quantity is compared with its distribution over the training set by the population stability index (PSI; Siddiqi 2006, Credit Risk
Scorecards, chapter 8): below 0.1 nothing happened, above 0.25 something did. The sampling error of small nights is subtracted.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.records import ClassifierError, WeightsError
from classifiers.taxonomy import STAMP

from . import data as tables
from . import metadata, store
from .preprocess import Floats, Inputs, normalise

#: Deciles of the training set bound the bins.
BINS = 10
#: Share that an empty bin is taken to have.
FLOOR = 1e-3
#: Above this a quantity has drifted.
ALARM = 0.25


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line."""
    parser.add_argument("--weights", type=Path, default=store.SHIPPED, metavar="DIR", help="a model other than the shipped one")
    parser.add_argument("--alarm", type=float, default=ALARM, help="PSI above which a quantity has drifted")


def drift(data: Path, weights: Path = store.SHIPPED, alarm: float = ALARM) -> dict[str, Any]:
    """PSI of every quantity for all alerts of a folder, labelled or not, and the names of those above the alarm.

    Raises
    ------
    ClassifierError
        The folder is not readable, has no usable alert, or the model's card has no reference.
    """
    model, _, card = store.load(weights)
    if "drift_reference" not in card:
        raise WeightsError(f"the card of {weights} has no reference to tell drift by")
    inputs = tables.read(data).inputs
    inputs = inputs.take(inputs.usable)
    if not len(inputs):
        raise ClassifierError(f"no alert of {data} is usable")
    found = stability(quantities(inputs, model.predict(inputs)), card["drift_reference"])
    return {"n": len(inputs), "alarm": alarm, "drifted": [name for name, psi in found.items() if psi > alarm], "psi": found}


def quantities(inputs: Inputs, probabilities: Floats) -> dict[str, Floats]:
    """What is watched, each of shape (n,), of usable alerts: probabilities, confidence, noise of the images, features of the metadata."""
    _, background, noise = normalise(inputs.stamps)
    watched = {f"p({c})": probabilities[:, i] for i, c in enumerate(STAMP)} | {"confidence": probabilities.max(axis=1)}
    for i, channel in enumerate(("science", "template", "difference")):
        watched |= {f"{channel} noise": noise[:, i], f"{channel} background": background[:, i]}
    columns = metadata.features(inputs.metadata)
    return watched | {name: columns[:, i].astype(float) for i, name in enumerate(metadata.FEATURES)}


def reference(watched: Mapping[str, Floats]) -> dict[str, Any]:
    """Edges and shares of the bins of the training set, for the model card: small enough for JSON."""
    result = {}
    for name, values in watched.items():
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.zeros(0)
        result[name] = {"edges": [round(float(e), 6) for e in edges], "shares": np.round(_shares(values, edges), 5).tolist()}
    return result


def stability(watched: Mapping[str, Floats], expected: Mapping[str, Any]) -> dict[str, float]:
    """PSI of each quantity against the reference, largest first; its expectation for a sample of this size is subtracted."""
    found = {}
    for name, bins in expected.items():
        values, before = watched[name], np.maximum(bins["shares"], FLOOR)
        now = np.maximum(_shares(values, np.asarray(bins["edges"], float)), FLOOR)
        # of a sample of n from the reference itself n * PSI is about chi-squared with as many degrees of freedom as bins less one
        bias = (np.count_nonzero(np.asarray(bins["shares"]) > 0) - 1) / max(len(values), 1)
        found[name] = float(((now - before) * np.log(now / before)).sum() - bias)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _shares(values: Floats, edges: NDArray[np.float64]) -> Floats:
    """Share of the values in each bin, and last of those that are missing."""
    known = np.isfinite(values)
    counts = np.bincount(np.searchsorted(edges, values[known], side="right"), minlength=len(edges) + 1)
    return np.append(counts, (~known).sum()) / max(len(values), 1)
