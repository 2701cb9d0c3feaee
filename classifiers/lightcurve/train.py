"""Training: samples, four ensembles of trees, calibration on held-out objects, and the model card.

``python -m classifiers train lightcurve --data DIR`` rebuilds the shipped model; the same seed gives the same file.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from imblearn.ensemble import BalancedRandomForestClassifier
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from .. import calibration, outliers
from ..evaluate import disjoint_folds
from ..taxonomy import BRANCH, LIGHTCURVE
from ..trees import from_boosting, from_forests
from . import features, forest, surroundings
from ._arrays import Floats
from .evaluation import report
from .forest import LEVELS, TOP, Hierarchy, Level
from .samples import Samples, build
from .surroundings import Surroundings

#: Counts and limits say how long and how deep a survey looked, not what the object is; mean magnitudes are left out as ALeRCE does.
NOT_USED = ("n_det", "n_neg", "n_pos", "n_non_det", "MHPS_non_zero", "Mean_", "max_diffmaglim", "median_diffmaglim", "last_diffmaglim")

#: Limits are known for some sources of photometry only, and the sources differ by branch: used among transients alone.
LIMITS = ("dmag_non_det", "dmag_first_det", "last_mjd_before")

#: Families of features that a transient is told by: of the difference flux alone, whatever lies under it.
TRANSIENT_FAMILIES = ("spm", "epochs", "detections")

#: Trees of a forest, least samples of a leaf, deepest level.
FOREST = {"n_estimators": 150, "min_samples_leaf": 2, "max_depth": 12, "max_features": "sqrt"}

#: Levels to which gradient boosting is added, and its settings.
BOOSTED = (TOP, "Transient")
BOOSTING = {
    "max_iter": 120,
    "learning_rate": 0.08,
    "max_leaf_nodes": 15,
    "l2_regularization": 10.0,
    "min_samples_leaf": 20,
    "max_features": 0.3,
}

#: Training weight of a class: its number of objects to this power (0 equal, 1 as found). A forest balances by itself.
BALANCE = {TOP: 0.25, "Transient": 0.5, "Stochastic": 0.25, "Periodic": 0.25}

#: Prior that the probabilities are calibrated for: the number of real objects of a class to this power. Between the equal priors of a
#: balanced forest, which call one SNIa in six a SNIbc, and the mixture of a spectroscopic sample, which would hide the rare classes.
PRIOR = {TOP: 0.1, "Transient": 0.65, "Stochastic": 0.5, "Periodic": 0.5}

#: Real objects count this many times as much as simulated ones.
REAL = 5.0

FOLDS = 5

#: Of the shipped model; to be raised whenever it is trained anew.
VERSION = "1.0"


def columns(level: str, samples: Samples) -> tuple[str, ...]:
    """Names of the features that a level takes."""
    names = features.names_of(*TRANSIENT_FAMILIES) if level == "Transient" else features.names()
    kept = [n for n in names if not n.startswith(NOT_USED if level == "Transient" else NOT_USED + LIMITS)]
    if level == "Transient":
        return tuple(n for n in kept if "_corr" not in n and "reference" not in n)
    if level == "Periodic" and (samples.origins == "vector").any():
        known = np.isfinite(samples.features[samples.origins == "vector"]).any(axis=0)
        kept = [n for n in kept if known[features.names().index(n)]]
    return tuple(kept)


def targets(level: str, samples: Samples) -> NDArray[np.int64]:
    """Column of the true class of each row at a level; -1 where the row does not belong to it."""
    branch = np.array([BRANCH[label] for label in samples.labels.tolist()])
    if level == TOP:
        found = np.array([list(LIGHTCURVE).index(b) for b in branch.tolist()])
        return np.where(samples.origins == "vector", -1, found)
    classes = LEVELS[level]
    return np.array([classes.index(x) if b == level else -1 for x, b in zip(samples.labels.tolist(), branch.tolist(), strict=True)])


def weights(level: str, samples: Samples, target: NDArray[np.int64]) -> Floats:
    """Weight of each row: one object counts once however many copies it has, real ones more, and classes by `BALANCE`."""
    _, inverse, copies = np.unique(samples.objects, return_inverse=True, return_counts=True)
    weight = np.where(samples.origins == "real", REAL, 1.0) / copies[inverse]
    total = np.bincount(target, weight, len(LEVELS[level]))
    balanced = weight / total[target] * np.maximum(total[target], 1e-9) ** BALANCE[level]
    scaled: Floats = balanced / balanced.mean()
    return scaled


def fit_level(level: str, samples: Samples, seed: int) -> Level:
    """One level, not yet calibrated, trained on those of the rows that belong to it."""
    target = targets(level, samples)
    own = samples.take(target >= 0)
    target = target[target >= 0]
    names, chosen = features.names(), columns(level, samples)
    x = own.features[:, [names.index(c) for c in chosen]].astype(np.float32)
    weight = weights(level, own, target)
    k = len(LEVELS[level])
    forest_ = BalancedRandomForestClassifier(**FOREST, sampling_strategy="all", replacement=True, bootstrap=False, random_state=seed)
    ensembles = [from_forests([forest_.fit(x, target, weight)], k)]
    if level in BOOSTED:
        boosting = HistGradientBoostingClassifier(**BOOSTING, early_stopping=False, random_state=seed)
        ensembles.append(from_boosting(boosting.fit(x, target, weight), k))
    return Level(LEVELS[level], chosen, tuple(ensembles))


def fit_levels(parts: list[Samples], seed: int, jobs: int) -> list[dict[str, Level]]:
    """All levels of several training sets, `jobs` at a time, each in a process of its own with one thread."""
    tasks = [(name, part) for part in parts for name in LEVELS]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=threadpool_limits, initargs=(1,)) as pool:
        found = list(pool.map(fit_level, *zip(*tasks, strict=True), [seed] * len(tasks)))
    return [dict(zip(LEVELS, found[i : i + len(LEVELS)], strict=True)) for i in range(0, len(found), len(LEVELS))]


def held_out(samples: Samples, seed: int, jobs: int = 2) -> Iterator[tuple[NDArray[np.int64], dict[str, Floats]]]:
    """Yield (rows, uncalibrated probabilities of each level) of every fold's test objects: copies that are not altered."""
    folds = list(disjoint_folds(samples.labels.tolist(), samples.objects, n_folds=FOLDS, seed=seed))
    for levels, (_, test) in zip(fit_levels([samples.take(known) for known, _ in folds], seed, jobs), folds, strict=True):
        test = test[(samples.copies[test] != "altered") & np.isin(samples.origins[test], ("real", "vector"))]
        yield test, {name: level.raw(samples.features[test], features.names()) for name, level in levels.items()}


def calibrations(samples: Samples, rows: NDArray[np.int64], raw: dict[str, Floats]) -> dict[str, calibration.Calibration]:
    """Calibrations of the levels from held-out probabilities, each for its `PRIOR`, from whole and cut light curves alike."""
    part, found = samples.take(rows), {}
    for level in LEVELS:
        target = targets(level, part)
        own = target >= 0
        classes = np.bincount(target[own], minlength=len(LEVELS[level]))
        weight = np.maximum(classes[target[own]], 1.0) ** (PRIOR[level] - 1)
        found[level] = calibration.fit(raw[level][own], target[own], weight)
    return found


def cross_validated(samples: Samples, seed: int, jobs: int = 2) -> tuple[NDArray[np.int64], Floats, dict[str, Floats]]:
    """Rows that were held out, their calibrated probabilities (n, 15), and the uncalibrated ones of the levels.

    The calibration of a fold is fitted to the held-out probabilities of the others.
    """
    folds = list(held_out(samples, seed, jobs))
    rows = np.concatenate([r for r, _ in folds])
    fold = np.concatenate([np.full(len(r), i) for i, (r, _) in enumerate(folds)])
    raw = {level: np.concatenate([p[level] for _, p in folds]) for level in LEVELS}
    return rows, nested(samples, rows, fold, raw), raw


def nested(samples: Samples, rows: NDArray[np.int64], fold: NDArray[np.int64], raw: dict[str, Floats]) -> Floats:
    """Probabilities, shape (n, 15), each fold by the calibration and the surroundings of the others."""
    probabilities = np.empty((len(rows), len(BRANCH)))
    for i in np.unique(fold):
        others, own = fold != i, fold == i
        fitted = calibrations(samples, rows[others], {level: p[others] for level, p in raw.items()})
        told = forest.combined({level: fitted[level].apply(p[own]) for level, p in raw.items()})
        probabilities[own] = located(samples.take(rows[others])).apply(told, samples.known[rows[own]])
    return probabilities


def train(data: Path, out: Path, seed: int = 0, jobs: int = 2) -> dict[str, Any]:
    """Train on a folder of real data, write the model and its card to `out`, and give the card's figures."""
    samples = build(data, seed, jobs)
    rows, probabilities, raw = cross_validated(samples, seed, jobs)
    calibrated = calibrations(samples, rows, raw)
    (fitted,) = fit_levels([samples], seed, jobs)
    levels = {name: replace(level, calibration=calibrated[name]) for name, level in fitted.items()}
    seen = forest.digests(np.unique(samples.objects[samples.origins != "simulated"]).tolist())
    figures = report(samples.take(rows), probabilities)
    isolation, areas = isolated(samples, levels, seed)
    card = described(samples, seed) | {"cross_validation": figures, "outliers": areas}
    forest.save(Hierarchy(levels, seen, isolation, located(samples)), out, card)
    return figures


def located(samples: Samples) -> Surroundings:
    """Where the classes lie, from every real object once."""
    once = samples.take((samples.origins == "real") & (samples.copies == "whole"))
    return surroundings.fit(once.known, once.labels.tolist())


def isolated(samples: Samples, levels: dict[str, Level], seed: int) -> tuple[dict[str, outliers.Isolation], dict[str, Any]]:
    """An isolation forest of each branch from one light curve of each object, and the areas of leaving each class out."""
    found, areas = {}, {}
    whole = samples.take((samples.copies == "whole") & np.isin(samples.origins, ("real", "simulated")))
    for branch in LIGHTCURVE:
        part = whole.take(np.isin(whole.labels, LIGHTCURVE[branch]))
        x = part.features[:, [features.names().index(c) for c in levels[branch].columns]]
        found[branch] = outliers.fit(x, seed)
        areas[branch] = outliers.leave_one_out(x, part.labels, seed=seed)
    return found, areas


def described(samples: Samples, seed: int) -> dict[str, Any]:
    """What the model card says of the training set: rows and objects by class and origin."""
    counts: dict[str, dict[str, int]] = {}
    for origin in np.unique(samples.origins).tolist():
        own = samples.take(samples.origins == origin)
        counts[origin] = {c: len(np.unique(own.objects[own.labels == c])) for c in BRANCH if (own.labels == c).any()}
    return {"name": "lightcurve", "version": VERSION, "seed": seed, "objects": counts, "rows": len(samples.labels)}
