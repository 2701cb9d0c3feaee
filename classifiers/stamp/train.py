"""Training, in one command: ``python -m classifiers train stamp --data DIR``.

Networks first learn from simulated stamps of all classes, then from real ones mixed with them; forests learn from real alerts alone. Every
object counts once however many alerts it has, every class as much as every other, save bogus, whose labels are weak. The same is done in
folds that share neither objects nor nights, which gives the calibration and the figures of the model card.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.evaluate import disjoint_folds
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP

from . import data as tables
from . import images, metadata, network, store, trees
from .card import describe
from .data import Table
from .ensemble import SHARES, Ensemble, combine
from .preprocess import Floats, Images, Inputs
from .weighting import by_class, calibrate

#: Share of the weight of a class that is seen as if it were the first or second detection. Without it a forest learns from ``ndethist``
#: that whatever is new is an asteroid, since the labelled supernovae were rarely recorded on their first night.
FRESH = 0.25

Views = tuple[Images, Images]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """n alerts to draw from: views and log noise, codes and weights."""

    views: Views
    codes: NDArray[np.int64]
    weights: Floats


class School:
    """One compiled network that every training borrows, since compiling takes longer than learning does."""

    def __init__(self) -> None:
        self._model = network.small()
        k = network.keras()
        self._model.compile(k.optimizers.Adam(), loss=k.losses.CategoricalCrossentropy(label_smoothing=0.05))

    def teach(
        self, weights: list[NDArray[np.float32]], batches: Iterator[tuple[Images, Images, Images]], steps: int, rate: float
    ) -> list[NDArray[np.float32]]:
        """The weights after so many steps: cross-entropy with smoothed labels, Adam from a fresh state, a cosine schedule."""
        self._model.set_weights(weights)
        for variable in self._model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        for step, (views, noise, target) in zip(range(steps), batches, strict=False):
            self._model.optimizer.learning_rate = rate * (1 + np.cos(np.pi * step / steps)) / 2
            self._model.train_on_batch([views, noise], target)
        return network.weights_of(self._model)


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """The school, the simulated alerts, and the weights of each network after learning from them."""

    school: School
    simulated: Sample
    weights: list[list[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How much of everything. The defaults take 2 cores some twenty minutes."""

    networks: int = 4
    simulated: int = 12_000
    pretraining: int = 2500
    steps: int = 300
    batch: int = 64
    trees: int = 300
    folds: int = 5
    repeats: int = 2


def add_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Options of the command line: the numbers of the recipe."""
    for name in Recipe.__slots__:
        parser.add_argument(f"--{name}", type=int, default=getattr(Recipe(), name))


def train(data: Path, out: Path, seed: int, **numbers: int) -> dict[str, Any]:
    """Train on the labelled alerts of a folder, write weights and model card to ``out``, return the card."""
    recipe = replace(Recipe(), **numbers)
    table = tables.read(data)
    table = table.take((table.labels != "") & table.inputs.usable)
    starts = pretrained(recipe, seed)
    held_out = [cross_validated(table, recipe, starts, seed + r) for r in range(recipe.repeats)]
    model = fit(table, recipe, starts, seed)
    truth = table.codes[table.first()]
    for mode in SHARES:
        together = np.concatenate([combine(parts, mode) for parts in held_out])
        model.calibrations[mode] = calibrate(together, np.tile(truth, recipe.repeats))
    card = describe(table, held_out, recipe, seed)
    return store.save(model, np.unique(tables.digests(table.objects)), card, out)


def cross_validated(table: Table, recipe: Recipe, starts: Starts, seed: int) -> dict[str, Floats]:
    """Predictions (objects, 5) of each part for the first alert of each object, by models that saw neither the object nor its night."""
    first = table.first()
    held_out = {name: np.full((len(first), len(STAMP)), np.nan) for name in SHARES["full"]}
    for train_rows, test_rows in _folds(table, first, recipe, seed):
        parts = fit(table.take(train_rows), recipe, starts, seed).parts(table.inputs.take(first[test_rows]))
        for name, values in parts.items():
            held_out[name][test_rows] = values
    return held_out


def _folds(table: Table, first: NDArray[np.int64], recipe: Recipe, seed: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """All alerts to train on (mask) and the objects to test on (indices into ``first``)."""
    objects, nights = table.objects, table.nights
    folds = disjoint_folds(table.labels[first].tolist(), nights[first], objects[first], n_folds=recipe.folds, seed=seed)
    for _, test in tqdm(folds, total=recipe.folds, desc="folds", unit="fold", disable=None):
        yield ~(np.isin(nights, nights[first[test]]) | np.isin(objects, objects[first[test]])), test


def fit(table: Table, recipe: Recipe, starts: Starts, seed: int) -> Ensemble:
    """Every part trained on all alerts of a table, all labelled and usable; not calibrated."""
    codes, first = table.codes, table.first()
    _, inverse, count = np.unique(table.objects, return_inverse=True, return_counts=True)
    weights = by_class(codes, 1 / count[inverse])
    normal = images.normalise(table.inputs.stamps)
    looks = images.features(table.inputs.stamps, normal)[1]
    forests = {
        "metadata": trees.grow(*_with_fresh(table.inputs.take(first), codes[first]), len(STAMP), recipe.trees, seed),
        "images": trees.grow(looks, codes, weights, len(STAMP), recipe.trees, seed),
    }
    views = network.scales(normal[0]), np.log(normal[2]).astype(np.float32)
    return Ensemble(forests, _tuned(Sample(views, codes, weights), starts, recipe, seed))


def _with_fresh(inputs: Inputs, codes: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Features, codes and weights of n alerts, followed by those of what is not an asteroid as if on its first detection (see `FRESH`)."""
    old = np.flatnonzero(codes != STAMP.index("asteroid"))
    fresh = inputs.take(old)
    again = dict(fresh.metadata) | {"ndethist": np.where(np.arange(old.size) % 2, 1.0, 2.0)}
    features = np.concatenate([metadata.features(inputs.metadata), metadata.features(again)])
    weights = np.concatenate([np.where(np.isin(np.arange(len(codes)), old), 1 - FRESH, 1.0), np.full(old.size, FRESH)])
    both = np.concatenate([codes, codes[old]])
    return features.astype(float), both, by_class(both, weights)


def pretrained(recipe: Recipe, seed: int) -> Starts:
    """What every fold starts from: simulated views and codes, and networks that learnt from them."""
    rng = np.random.default_rng(seed)
    codes = np.arange(recipe.simulated) % len(STAMP)
    views: list[Views] = []
    for start in tqdm(range(0, recipe.simulated, 480), desc="simulated stamps", unit="batch", disable=None):
        drawn = simulate([STAMP[c] for c in codes[start : start + 480]], rng)
        scaled, _, noise = images.normalise(drawn.stamps)
        views.append((network.scales(scaled), np.log(noise).astype(np.float32)))
    simulated = Sample((np.concatenate([v for v, _ in views]), np.concatenate([n for _, n in views])), codes, np.ones(len(codes)))
    school, weights = School(), []
    for i in tqdm(range(recipe.networks), desc="networks on simulation", unit="network", disable=None):
        network.keras().utils.set_random_seed(seed + i)
        start_weights = network.weights_of(network.small())
        weights.append(school.teach(start_weights, _batches([(simulated, recipe.batch)], seed + i), recipe.pretraining, 2e-3))
    return Starts(school, simulated, weights)


def _tuned(real: Sample, starts: Starts, recipe: Recipe, seed: int) -> list[list[NDArray[np.float32]]]:
    """Weights of each network after learning from real views, half and half with simulated ones."""
    half = recipe.batch // 2
    sources = [(real, half), (starts.simulated, recipe.batch - half)]
    return [starts.school.teach(w, _batches(sources, seed + i), recipe.steps, 7e-4) for i, w in enumerate(starts.weights)]


def _batches(sources: list[tuple[Sample, int]], seed: int) -> Iterator[tuple[Images, Images, Images]]:
    """Endless batches, so many from each sample, drawn by weight, the whole batch in a random orientation, its noise levels jittered."""
    rng = np.random.default_rng(seed)
    one_hot = np.eye(len(STAMP), dtype=np.float32)
    while True:
        drawn = [(s, rng.choice(len(s.codes), n, p=s.weights / s.weights.sum())) for s, n in sources]
        views, noise = (np.concatenate([s.views[part][rows] for s, rows in drawn]) for part in (0, 1))
        jitter = rng.normal(0, 0.05, noise.shape).astype(np.float32)
        turned = np.ascontiguousarray(network.orient(views, int(rng.integers(network.ORIENTATIONS))))
        yield turned, noise + jitter, one_hot[np.concatenate([s.codes[rows] for s, rows in drawn])]
