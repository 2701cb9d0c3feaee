"""What the model would be without a part of it, or with what was left out: held-out predictions on the same folds, for the model card.

Among them the network of Carrasco-Davis et al. 2021, trained here: with and without simulated alerts.
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
from classifiers.models.stamp.training.train import (
    Recipe,
    Sample,
    School,
    Starts,
    Weights,
    batches,
    beginner,
    drawn,
    folds,
    once,
    tuned,
    with_fresh,
)
from classifiers.taxonomy import STAMP

#: A network that starts from nothing learns for so many times the steps, at this rate.
LONGER, RATE = 3, 2e-3
#: Weight of the entropy that the paper subtracts from the loss (beta of the network that ALeRCE deployed).
ENTROPY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pupil:
    """A network to be taught on each fold: what it is shown, its school, its first weights, its recipe, and simulated alerts, if any."""

    show: Callable[[Inputs], tuple[Images, Images]]
    school: School
    start: Weights
    recipe: Recipe
    simulated: Sample | None = None


def ablated(table: Table, held_out: dict[str, Floats], recipe: Recipe, starts: Starts, seed: int) -> dict[str, Any]:
    """Figures by name: the full model with positions, and single networks that learnt otherwise."""
    first = table.take(table.first())
    placed = held_out | {"metadata": with_positions(table, recipe, seed)}
    figures = {"full, with positions": scored(first, calibrated(first, placed, "full", recipe.folds, seed))}
    for name, pupil in {**_ours(recipe, starts, seed), **_papers(recipe, seed)}.items():
        answers = {"networks": taught(table, pupil, seed)}
        figures[name] = scored(first, calibrated(first, answers, "image_only", recipe.folds, seed))
    return figures


def _ours(recipe: Recipe, starts: Starts, seed: int) -> dict[str, Pupil]:
    """One of our networks: as it ships, with entropy regularisation, and without simulation."""

    def show(inputs: Inputs) -> tuple[Images, Images]:
        return network.views(inputs.stamps)

    unsure = School(network.small(), entropic)
    keras().utils.set_random_seed(seed)
    return {
        "one network": Pupil(show, starts.school, starts.weights[0], recipe, starts.simulated),
        "one network, entropy regularised": Pupil(show, unsure, beginner(unsure, starts.simulated, recipe, seed), recipe, starts.simulated),
        "one network without simulation": Pupil(show, starts.school, network.weights_of(network.small()), recipe),
    }


def _papers(recipe: Recipe, seed: int) -> dict[str, Pupil]:
    """The paper's network with its loss, half our batch, and 21 of our features for metadata (no positions, no counts of visits)."""
    recipe = replace(recipe, batch=recipe.batch // 2)

    def make() -> Any:
        return network.paper(len(metadata.SIMULATED))

    def raw(inputs: Inputs) -> tuple[Images, Images]:
        return network.unit_crop(inputs.stamps), metadata.features(inputs.metadata, metadata.SIMULATED)

    simulated, _ = drawn(recipe.simulated, seed, raw)
    mean, deviation = np.nanmean(simulated.views[1], axis=0), np.nanstd(simulated.views[1], axis=0)

    def normal(shown: tuple[Images, Images]) -> tuple[Images, Images]:
        return shown[0], np.nan_to_num((shown[1] - mean) / deviation).astype(np.float32)

    def show(inputs: Inputs) -> tuple[Images, Images]:
        return normal(raw(inputs))

    simulated = replace(simulated, views=normal(simulated.views))
    school = School(make(), entropic)
    start = beginner(school, simulated, recipe, seed, make)
    return {
        "the paper's network": Pupil(show, school, start, recipe, simulated),
        "the paper's network without simulation": Pupil(show, school, network.weights_of(make()), recipe),
    }


def entropic(truth: Any, p: Any) -> Any:
    """The paper's loss: cross-entropy less `ENTROPY` times the entropy of the answer, a mean over the batch."""
    ops = keras().ops
    logs = ops.log(ops.clip(p, 1e-7, 1.0))
    return ops.mean(ops.sum((ENTROPY * p - truth) * logs, axis=-1))


def taught(table: Table, pupil: Pupil, seed: int) -> Floats:
    """What a network says of the first alert of each object, (objects, 5), when it learnt from the other folds."""
    first, recipe = table.first(), pupil.recipe
    shown = pupil.show(table.inputs)
    result = np.full((len(first), len(STAMP)), np.nan)
    for train_rows, test in folds(table, first, recipe, seed):
        known = table.take(train_rows)
        real = Sample((shown[0][train_rows], shown[1][train_rows]), known.codes, once(known))
        if pupil.simulated is None:
            weights = pupil.school.teach(pupil.start, batches([(real, recipe.batch)], seed), LONGER * recipe.steps, RATE)
        else:
            weights = tuned(pupil.school, pupil.start, real, pupil.simulated, recipe, seed)
        result[test] = pupil.school.answers(weights, shown[0][first[test]], shown[1][first[test]])
    return result


def with_positions(table: Table, recipe: Recipe, seed: int) -> Floats:
    """The forest on real metadata if it knew ecliptic and galactic coordinates too, (objects, 5)."""
    first = table.first()
    place = _places(table.sky[first])
    result = np.full((len(first), len(STAMP)), np.nan)
    codes, inputs = table.codes[first], table.inputs.take(first)
    for train_rows, test in folds(table, first, recipe, seed):
        known = np.flatnonzero(train_rows[first])
        x, y, w = with_fresh(inputs.take(known), codes[known], READS["metadata"])
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
