"""Training steps of the stamp models: pretraining on simulated alerts, fine-tuning, forests, cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from classifiers.keras_loader import keras
from classifiers.models.stamp import metadata, network
from classifiers.models.stamp.ensemble import READS, Ensemble
from classifiers.models.stamp.preprocess import Floats, Images, Inputs, from_table
from classifiers.models.stamp.training.data import Table
from classifiers.models.stamp.training.forests import grow
from classifiers.models.stamp.training.weighting import by_class
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP
from classifiers.training.folds import disjoint_folds

#: Part of the weight of a class that is presented as a first or second detection. Without it a forest learns from ``ndethist`` that every
#: new source is an asteroid, since the labelled supernovae were rarely recorded on their first night.
FRESH = 0.25

#: Weight of all simulated alerts relative to all real ones in the forest that learns from both.
SIMULATED = 0.15

#: Simulated alerts per batch.
CHUNK = 480

Weights: TypeAlias = list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Training alerts: the two inputs of the network (views and log noise), codes and weights."""

    views: tuple[Images, Images]
    codes: NDArray[np.int64]
    weights: Floats


class Trainer:
    """One compiled network that all trainings use in turn, since compiling takes longer than training.

    Parameters
    ----------
    model : Keras model
    loss : callable, optional
        Keras loss; cross-entropy with smoothed labels by default.
    """

    def __init__(self, model: Any, loss: Any = None) -> None:
        self._model = model
        k = keras()
        self._model.compile(k.optimizers.Adam(), loss=loss or k.losses.CategoricalCrossentropy(label_smoothing=0.05))

    def fit(self, weights: Weights, data: Iterator[tuple[Images, Images, Images]], steps: int, rate: float) -> Weights:
        """Train from given weights with Adam, its state reset, on a cosine schedule; returns the new weights."""
        self._model.set_weights(weights)
        for variable in self._model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        for step, (shown, noise, target) in zip(range(steps), data, strict=False):
            self._model.optimizer.learning_rate = rate * (1 + np.cos(np.pi * step / steps)) / 2
            self._model.train_on_batch([shown, noise], target)
        return network.weights_of(self._model)

    def predict(self, weights: Weights, shown: Images, noise: Images) -> Floats:
        """Probabilities (n, 5) by the network with these weights."""
        self._model.set_weights(weights)
        return np.asarray(self._model.predict([shown, noise], batch_size=256, verbose=0), float)


@dataclass(frozen=True, slots=True, eq=False)
class Pretrained:
    """Trainer, simulated alerts and their metadata, and the weights of each network that was pretrained on them."""

    trainer: Trainer
    simulated: Sample
    metadata: dict[str, Floats]
    weights: list[Weights]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Numbers of the training. The defaults take a quarter of an hour on two free cores."""

    networks: int = 3
    simulated: int = 12_000
    pretraining: int = 2000
    steps: int = 250
    batch: int = 64
    trees: int = 160
    folds: int = 5
    repeats: int = 2


def pretrain_networks(recipe: Recipe, seed: int) -> Pretrained:
    """Simulate alerts and pretrain networks on them: the start of every fold."""
    simulated, columns = simulate_batch(recipe.simulated, seed, lambda inputs: network.views(inputs.stamps))
    trainer = Trainer(network.small())
    numbers = tqdm(range(recipe.networks), desc="networks on simulation", unit="network", disable=None)
    return Pretrained(trainer, simulated, columns, [pretrain(trainer, simulated, recipe, seed + i) for i in numbers])


def simulate_batch(n: int, seed: int, show: Callable[[Inputs], tuple[Images, Images]]) -> tuple[Sample, dict[str, Floats]]:
    """Simulate n ZTF alerts, equally many of each class: the two inputs that ``show`` makes of them, and their metadata."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % len(STAMP)
    shown, columns = [], []
    for start in tqdm(range(0, n, CHUNK), desc="simulated stamps", unit="batch", disable=None):
        alerts = simulate([STAMP[c] for c in codes[start : start + CHUNK]], rng)
        inputs = from_table(alerts.stamps, alerts.columns)
        shown.append(show(inputs))
        columns.append(inputs.metadata)
    together = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    first, second = (np.concatenate([pair[i] for pair in shown]) for i in (0, 1))
    return Sample((first, second), codes, np.ones(n)), together


def pretrain(trainer: Trainer, simulated: Sample, recipe: Recipe, seed: int, make: Callable[[], Any] = network.small) -> Weights:
    """Pretrain a network on simulated alerts; returns its weights."""
    keras().utils.set_random_seed(seed)
    start = network.weights_of(make())
    return trainer.fit(start, batches([(simulated, recipe.batch)], seed), recipe.pretraining, 2e-3)


def fine_tune(trainer: Trainer, weights: Weights, real: Sample, simulated: Sample, recipe: Recipe, seed: int) -> Weights:
    """Fine-tune a network on batches that are half real and half simulated alerts; returns its weights."""
    half = recipe.batch // 2
    return trainer.fit(weights, batches([(real, half), (simulated, recipe.batch - half)], seed), recipe.steps, 7e-4)


def batches(sources: list[tuple[Sample, int]], seed: int) -> Iterator[tuple[Images, Images, Images]]:
    """Yield batches without end: alerts of each sample drawn by weight, in a random orientation, with jittered noise levels."""
    rng = np.random.default_rng(seed)
    one_hot = np.eye(len(STAMP), dtype=np.float32)
    while True:
        drawn = [(s, rng.choice(len(s.codes), n, p=s.weights / s.weights.sum())) for s, n in sources]
        shown, noise = (np.concatenate([s.views[part][rows] for s, rows in drawn]) for part in (0, 1))
        jitter = rng.normal(0, 0.05, noise.shape).astype(np.float32)
        turned = np.ascontiguousarray(network.orient(shown, int(rng.integers(network.ORIENTATIONS))))
        yield turned, noise + jitter, one_hot[np.concatenate([s.codes[rows] for s, rows in drawn])]


def fit(table: Table, recipe: Recipe, pretrained: Pretrained, seed: int) -> Ensemble:
    """Train all parts of the model on a table of labelled, usable alerts; it is not yet calibrated."""
    codes, first = table.codes, table.first()
    forests = {}
    for name, columns in READS.items():
        x, y, w = with_first_detections(table.inputs.take(first), codes[first], columns)
        if name == "simulated metadata":
            more = metadata.features(pretrained.metadata, columns)
            x, y = np.concatenate([x, more]), np.concatenate([y, pretrained.simulated.codes])
            w = np.concatenate([w, np.full(len(more), SIMULATED * w.sum() / len(more))])
        forests[name] = grow(x, y, w, len(STAMP), recipe.trees, seed)
    real = Sample(network.views(table.inputs.stamps), codes, object_weights(table))
    return Ensemble(
        forests, [fine_tune(pretrained.trainer, w, real, pretrained.simulated, recipe, seed + i) for i, w in enumerate(pretrained.weights)]
    )


def object_weights(table: Table) -> Floats:
    """Weights (n,) of the alerts: every object counts once whatever its number of alerts, classes by `by_class`."""
    _, inverse, count = np.unique(table.objects, return_inverse=True, return_counts=True)
    return by_class(table.codes, 1 / count[inverse])


def with_first_detections(
    inputs: Inputs, codes: NDArray[np.int64], columns: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.int64], Floats]:
    """Features, codes and weights of n alerts, and again of those that are no asteroids as first or second detections (see `FRESH`)."""
    old = np.flatnonzero(codes != STAMP.index("asteroid"))
    again = dict(inputs.take(old).metadata) | {"ndethist": np.where(np.arange(old.size) % 2, 1.0, 2.0)}
    features = np.concatenate([metadata.features(m, columns) for m in (inputs.metadata, again)])
    weights = np.concatenate([np.where(np.isin(np.arange(len(codes)), old), 1 - FRESH, 1.0), np.full(old.size, FRESH)])
    both = np.concatenate([codes, codes[old]])
    return features, both, by_class(both, weights)


def cross_validate(table: Table, recipe: Recipe, pretrained: Pretrained, seed: int) -> dict[str, Floats]:
    """Held-out predictions (objects, 5) of each part for the first alert of each object; neither object nor night was trained on.

    ``fresh <forest>`` are the predictions of the forests if each alert were the first detection of its object.
    """
    first = table.first()
    held_out: dict[str, Floats] = {}
    for train_rows, test_rows in folds(table, first, recipe, seed):
        model = fit(table.take(train_rows), recipe, pretrained, seed)
        inputs = table.inputs.take(first[test_rows])
        fresh = replace(inputs, metadata=dict(inputs.metadata) | {"ndethist": np.ones(len(inputs))})
        parts = model.parts(inputs) | {f"fresh {name}": p for name, p in model.parts(fresh, tuple(READS)).items()}
        for name, values in parts.items():
            held_out.setdefault(name, np.full((len(first), len(STAMP)), np.nan))[test_rows] = values
    return held_out


def folds(table: Table, first: NDArray[np.int64], recipe: Recipe, seed: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Yield the mask of the alerts to train on, and the objects to test on (indices into ``first``)."""
    objects, nights = table.objects, table.nights
    parts = disjoint_folds(table.labels[first].tolist(), nights[first], objects[first], n_folds=recipe.folds, seed=seed)
    for _, test in tqdm(parts, total=recipe.folds, desc="folds", unit="fold", disable=None):
        yield ~(np.isin(nights, nights[first[test]]) | np.isin(objects, objects[first[test]])), test
