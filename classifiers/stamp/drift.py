"""Do alerts still look like what the model was trained on? Without labels: what it says, how sure it is, and what it is shown.

Each quantity is compared with its distribution over the training set by the population stability index (PSI; Siddiqi 2006, Credit Risk
Scorecards, chapter 8): below 0.1 nothing happened, above 0.25 something did. The sampling error of small nights is subtracted. Classes are
not as frequent on the sky as in a training set: what is expected is the mixture of the training set's classes in which the model takes
these alerts to be, so that a night of asteroids is no drift, and a night whose asteroids look odd is.
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
from .embedding import Embedding
from .ensemble import Ensemble
from .preprocess import Floats, Inputs, normalise

#: Deciles of the training set bound the bins.
BINS = 10
#: Share that an empty bin is taken to have.
FLOOR = 1e-3
#: Above this a quantity has drifted.
ALARM = 0.25
#: What the images are called by how many of them there are.
CHANNELS = {3: ("science", "template", "difference"), 2: ("science", "difference")}


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
    found = of_inputs(tables.read(data).inputs, weights)
    return found | {"alarm": alarm, "drifted": [name for name, psi in found["psi"].items() if psi > alarm]}


def of_inputs(inputs: Inputs, weights: Path = store.SHIPPED, mode: str = "full") -> dict[str, Any]:
    """For the usable ones of these alerts: their number ``n``, the share of each class by the winner, and the ``psi`` of every quantity.

    Raises
    ------
    ClassifierError
        None is usable, or the model's card has no reference.
    """
    model, _, card = store.load(weights)
    if "drift_reference" not in card or model.embedding is None:
        raise WeightsError(f"the card of {weights} has no reference to tell drift by")
    inputs = inputs.take(inputs.usable)
    if not len(inputs):
        raise ClassifierError("none of the alerts has stamps that the model can read")
    return compared(inputs, model, card["drift_reference"], mode)


def compared(inputs: Inputs, model: Ensemble, expected: Mapping[str, Any], mode: str = "full") -> dict[str, Any]:
    """As `of_inputs`, of usable alerts and a model that has an embedding, against a `reference`."""
    assert model.embedding is not None
    probabilities = model.predict(inputs, mode)
    winners = np.bincount(probabilities.argmax(axis=1), minlength=len(STAMP)) / len(inputs)
    psi = stability(quantities(inputs, probabilities, model.embedding), probabilities, expected)
    return {"n": len(inputs), "classes": dict(zip(STAMP, np.round(winners, 4).tolist(), strict=True)), "psi": psi}


def quantities(inputs: Inputs, probabilities: Floats, embedding: Embedding) -> dict[str, Floats]:
    """What is watched, each of shape (n,), of usable alerts: probabilities, confidence, images, embedding, features of the metadata."""
    _, background, noise = normalise(inputs.stamps)
    watched = {f"p({c})": probabilities[:, i] for i, c in enumerate(STAMP)} | {"confidence": probabilities.max(axis=1)}
    for i, channel in enumerate(CHANNELS[inputs.stamps.shape[1]]):
        watched |= {f"{channel} noise": noise[:, i], f"{channel} background": background[:, i]}
    watched |= {f"embedding {i + 1}": place for i, place in enumerate(embedding.of(inputs.stamps).T)}
    columns = metadata.features(inputs.metadata) if inputs.metadata else np.zeros((len(inputs), 0))
    return watched | {name: columns[:, i].astype(float) for i, name in enumerate(metadata.FEATURES) if columns.size}


def reference(watched: Mapping[str, Floats], probabilities: Floats) -> dict[str, Any]:
    """Edges of the bins of the training set, and its shares in them by class, for the model card: small enough for JSON.

    An alert counts for each class as ``probabilities`` (n, 5) say, so that the mixture in its own proportions is the training set.
    """
    result = {}
    for name, values in watched.items():
        known = values[np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.zeros(0)
        edges = np.array([float(f"{e:.6g}") for e in edges])
        shares = [_shares(values, edges, probabilities[:, i]) for i in range(len(STAMP))]
        result[name] = {"edges": edges.tolist(), "shares": np.round(shares, 4).tolist()}
    return result


def stability(watched: Mapping[str, Floats], probabilities: Floats, expected: Mapping[str, Any]) -> dict[str, float]:
    """PSI of each quantity against the reference, largest first; its expectation for a sample of this size is subtracted."""
    found, mixture = {}, probabilities.mean(axis=0)
    for name, bins in expected.items():
        mixed = mixture @ np.asarray(bins["shares"], float)
        values, before = watched[name], np.maximum(mixed, FLOOR)
        now = np.maximum(_shares(values, np.asarray(bins["edges"], float), np.ones(len(values))), FLOOR)
        # of a sample of n from the reference itself n * PSI is about chi-squared with as many degrees of freedom as bins less one
        bias = (np.count_nonzero(mixed > FLOOR) - 1) / max(len(values), 1)
        found[name] = round(float(((now - before) * np.log(now / before)).sum() - bias), 4)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _shares(values: Floats, edges: NDArray[np.float64], weights: Floats) -> Floats:
    """Share of the weighted values in each bin, and last of those that are missing."""
    bins = np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), len(edges) + 1)
    return np.bincount(bins, weights, len(edges) + 2) / max(float(weights.sum()), 1e-9)
