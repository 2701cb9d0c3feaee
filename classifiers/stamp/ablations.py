"""What the model would be without a part of it, or with what was left out: held-out predictions on the same folds, for the model card."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from numpy.typing import NDArray

from classifiers.taxonomy import STAMP

from . import forest, metadata, network
from .card import calibrated, scored
from .data import Table
from .ensemble import READS, Ensemble, views
from .preprocess import Floats
from .train import Recipe, Sample, School, batches, folds, with_fresh
from .weighting import by_class

#: Steps and learning rate of a network that starts from nothing.
STEPS, RATE = 800, 2e-3


def ablated(table: Table, held_out: dict[str, Floats], recipe: Recipe, school: School, seed: int) -> dict[str, Any]:
    """Figures of the full model with positions, and of a network that never saw a simulated stamp, by name."""
    first = table.take(table.first())
    placed = held_out | {"metadata": with_positions(table, recipe, seed)}
    return {
        "full, with positions": scored(first, calibrated(first, placed, "full", recipe.folds, seed)),
        "one network without simulation": scored(first, without_simulation(table, recipe, school, seed)),
    }


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
        grown = forest.grow(np.concatenate([x, repeated], axis=1), y, w, len(STAMP), recipe.trees, seed)
        result[test] = grown.probabilities(np.concatenate([metadata.features(inputs.take(test).metadata), place[test]], axis=1))
    return result


def _places(sky: Floats) -> NDArray[np.float32]:
    """Ecliptic and galactic latitude and longitude in degrees, (n, 4), of right ascension and declination (n, 2)."""
    at = SkyCoord(sky * units.deg)
    ecliptic, galactic = at.transform_to(BarycentricMeanEcliptic(equinox="J2000")), at.galactic
    places: NDArray[np.float32] = np.stack([ecliptic.lat.deg, ecliptic.lon.deg, galactic.b.deg, galactic.l.deg], axis=1).astype(np.float32)
    return places


def without_simulation(table: Table, recipe: Recipe, school: School, seed: int) -> Floats:
    """One network that learnt from real stamps alone, (objects, 5)."""
    first = table.first()
    shown, noise = views(table.inputs.stamps)
    result = np.full((len(first), len(STAMP)), np.nan)
    network.keras().utils.set_random_seed(seed)
    start = network.weights_of(network.small())
    for train_rows, test in folds(table, first, recipe, seed):
        real = table.take(train_rows)
        _, inverse, count = np.unique(real.objects, return_inverse=True, return_counts=True)
        sample = Sample((shown[train_rows], noise[train_rows]), real.codes, by_class(real.codes, 1 / count[inverse]))
        weights = school.teach(start, batches([(sample, recipe.batch)], seed), STEPS, RATE)
        result[test] = Ensemble({}, [weights]).look(shown[first[test]], noise[first[test]])
    return result
