"""Ablations for the model card: held-out predictions, on the same folds, of models with parts removed or added.

Among them is the network of Carrasco-Davis et al. 2021, trained here with and without simulated alerts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from numpy.typing import NDArray

from classifiers.keras_loader import keras
from classifiers.models.stamp import metadata, network
from classifiers.models.stamp.ensemble import READS
from classifiers.models.stamp.preprocess import Floats, Images, Inputs
from classifiers.models.stamp.training import forests
from classifiers.models.stamp.training.card import calibrated, scored
from classifiers.models.stamp.training.data import Table
from classifiers.models.stamp.training.trainer import (
    Pretrained,
    Recipe,
    Sample,
    Trainer,
    Weights,
    batches,
    fine_tune,
    folds,
    object_weights,
    pretrain,
    simulate_batch,
    with_first_detections,
)
from classifiers.taxonomy import STAMP

#: Factor on the steps, and learning rate, of a network without pretraining.
LONGER, RATE = 3, 2e-3
#: Weight of the entropy that the paper subtracts from the loss (beta of the network that ALeRCE deployed).
ENTROPY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A network to train on each fold: its inputs, trainer, initial weights and recipe, and simulated alerts, if any."""

    show: Callable[[Inputs], tuple[Images, Images]]
    trainer: Trainer
    start: Weights
    recipe: Recipe
    simulated: Sample | None = None


def evaluate_variants(table: Table, held_out: dict[str, Floats], recipe: Recipe, pretrained: Pretrained, seed: int) -> dict[str, Any]:
    """Figures by name: the full model with positions, and single networks trained in other ways."""
    first = table.take(table.first())
    placed = held_out | {"metadata": with_positions(table, recipe, seed)}
    figures = {"full, with positions": scored(first, calibrated(first, placed, "full", recipe.folds, seed))}
    for name, variant in {**_ours(recipe, pretrained, seed), **_papers(recipe, seed)}.items():
        answers = {"networks": cross_validate(table, variant, seed)}
        figures[name] = scored(first, calibrated(first, answers, "image_only", recipe.folds, seed))
    return figures


def _ours(recipe: Recipe, pretrained: Pretrained, seed: int) -> dict[str, Variant]:
    """One of our networks: as shipped, with entropy regularisation, and without simulation."""

    def show(inputs: Inputs) -> tuple[Images, Images]:
        return network.views(inputs.stamps)

    unsure = Trainer(network.small(), entropic)
    keras().utils.set_random_seed(seed)
    start = pretrain(unsure, pretrained.simulated, recipe, seed)
    return {
        "one network": Variant(show, pretrained.trainer, pretrained.weights[0], recipe, pretrained.simulated),
        "one network, entropy regularised": Variant(show, unsure, start, recipe, pretrained.simulated),
        "one network without simulation": Variant(show, pretrained.trainer, network.weights_of(network.small()), recipe),
    }


def _papers(recipe: Recipe, seed: int) -> dict[str, Variant]:
    """Network of the paper with its loss, half our batch, and 21 of our features for metadata (no positions, no counts of visits)."""
    recipe = replace(recipe, batch=recipe.batch // 2)

    def make() -> Any:
        return network.paper(len(metadata.SIMULATED))

    def raw(inputs: Inputs) -> tuple[Images, Images]:
        return network.unit_crop(inputs.stamps), metadata.features(inputs.metadata, metadata.SIMULATED)

    simulated, _ = simulate_batch(recipe.simulated, seed, raw)
    mean, deviation = np.nanmean(simulated.views[1], axis=0), np.nanstd(simulated.views[1], axis=0)

    def normal(shown: tuple[Images, Images]) -> tuple[Images, Images]:
        return shown[0], np.nan_to_num((shown[1] - mean) / deviation).astype(np.float32)

    def show(inputs: Inputs) -> tuple[Images, Images]:
        return normal(raw(inputs))

    simulated = replace(simulated, views=normal(simulated.views))
    trainer = Trainer(make(), entropic)
    start = pretrain(trainer, simulated, recipe, seed, make)
    return {
        "the paper's network": Variant(show, trainer, start, recipe, simulated),
        "the paper's network without simulation": Variant(show, trainer, network.weights_of(make()), recipe),
    }


def entropic(truth: Any, p: Any) -> Any:
    """Loss of the paper: cross-entropy less `ENTROPY` times the entropy of the prediction, averaged over the batch."""
    ops = keras().ops
    logs = ops.log(ops.clip(p, 1e-7, 1.0))
    return ops.mean(ops.sum((ENTROPY * p - truth) * logs, axis=-1))


def cross_validate(table: Table, variant: Variant, seed: int) -> Floats:
    """Held-out predictions (objects, 5) of a network for the first alert of each object."""
    first, recipe = table.first(), variant.recipe
    shown = variant.show(table.inputs)
    result = np.full((len(first), len(STAMP)), np.nan)
    for train_rows, test in folds(table, first, recipe, seed):
        known = table.take(train_rows)
        real = Sample((shown[0][train_rows], shown[1][train_rows]), known.codes, object_weights(known))
        if variant.simulated is None:
            weights = variant.trainer.fit(variant.start, batches([(real, recipe.batch)], seed), LONGER * recipe.steps, RATE)
        else:
            weights = fine_tune(variant.trainer, variant.start, real, variant.simulated, recipe, seed)
        result[test] = variant.trainer.predict(weights, shown[0][first[test]], shown[1][first[test]])
    return result


def with_positions(table: Table, recipe: Recipe, seed: int) -> Floats:
    """Held-out predictions (objects, 5) of the forest on real metadata with ecliptic and galactic coordinates added."""
    first = table.first()
    place = _places(table.sky[first])
    result = np.full((len(first), len(STAMP)), np.nan)
    codes, inputs = table.codes[first], table.inputs.take(first)
    for train_rows, test in folds(table, first, recipe, seed):
        known = np.flatnonzero(train_rows[first])
        x, y, w = with_first_detections(inputs.take(known), codes[known], READS["metadata"])
        repeated = np.concatenate([place[known], place[known][codes[known] != STAMP.index("asteroid")]])
        grown = forests.grow(np.concatenate([x, repeated], axis=1), y, w, len(STAMP), recipe.trees, seed)
        result[test] = grown.probabilities(np.concatenate([metadata.features(inputs.take(test).metadata), place[test]], axis=1))
    return result


def _places(sky: Floats) -> NDArray[np.float32]:
    """Ecliptic and galactic latitude and longitude in degrees, (n, 4), of right ascension and declination (n, 2)."""
    at = SkyCoord(sky * units.deg)
    ecliptic, galactic = at.transform_to(BarycentricMeanEcliptic(equinox="J2000")), at.galactic
    places: NDArray[np.float32] = np.stack([ecliptic.lat.deg, ecliptic.lon.deg, galactic.b.deg, galactic.l.deg], axis=1).astype(np.float32)
    return places
