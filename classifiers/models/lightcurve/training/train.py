"""Training of the light-curve model: samples, four levels, calibration on held-out objects, environment, outliers and model card.

``python -m classifiers train lightcurve --data DIR`` rebuilds the shipped model; the same seed gives the same file.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from imblearn.ensemble import BalancedRandomForestClassifier
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from classifiers import population_stability
from classifiers.calibration import Calibration
from classifiers.models.lightcurve import features, hierarchy
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.environment import Environment
from classifiers.models.lightcurve.hierarchy import LEVELS, TOP, Hierarchy, Level, branches
from classifiers.models.lightcurve.training import environment, importance
from classifiers.models.lightcurve.training.drift import watched
from classifiers.models.lightcurve.training.samples import Samples, build
from classifiers.models.lightcurve.training.scores import report
from classifiers.outliers import Known
from classifiers.taxonomy import BRANCH, LIGHTCURVE
from classifiers.training import calibration, networks, outliers
from classifiers.training.folds import disjoint_folds
from classifiers.training.trees import from_boosting, from_forests

#: Families that no level uses: the position is used by `environment`, only some archives have forced points, and power spectrum and
#: random walk of the difference flux and the lens did not improve the model.
LEFT_OUT = ("position", "forced", "microlensing")

#: Features that no level uses: counts and limits describe the survey and not the object; mean magnitudes are left out as in ALeRCE.
NOT_USED = (
    *("n_det", "n_neg", "n_pos", "n_non_det", "MHPS_non_zero", "Mean_", "max_diffmaglim", "median_diffmaglim", "last_diffmaglim"),
    *("MHPS_flux", "GP_DRW_flux"),
)

#: Features of limits, used among transients alone: only some archives have limits, and archives differ by branch.
LIMITS = ("dmag_non_det", "dmag_first_det", "last_mjd_before")

#: Families for the transient level: of the difference flux alone, whatever source lies under it.
TRANSIENT_FAMILIES = ("spm", "epochs", "detections", "tail", "fleet", "colour_variation")

#: Trees of a forest, least samples of a leaf, deepest level.
FOREST = {"n_estimators": 150, "min_samples_leaf": 2, "max_depth": 12, "max_features": "sqrt"}

#: Levels where gradient boosting is better than the forest by more than the error; and its settings.
BOOSTED = (TOP, "Transient")
BOOSTING = {
    "max_iter": 120,
    "learning_rate": 0.08,
    "max_leaf_nodes": 15,
    "l2_regularization": 10.0,
    "min_samples_leaf": 20,
    "max_features": 0.3,
}

#: Level -> networks beside its trees, where they are better together by more than the error.
NETWORKS = {"Transient": 5}

#: Training weight of a class: its number of objects to this power (0 equal, 1 as found). A forest balances by itself.
BALANCE = {TOP: 0.25, "Transient": 0.5, "Stochastic": 0.25, "Periodic": 0.25}

#: Part of the SNIa that the first level is trained on; they are ten times as many as any other class.
SPARED = 0.35

#: Prior of the calibration: the number of real objects of a class to this power. It lies between the equal priors of a balanced forest,
#: with which one SNIa in six is called SNIbc, and the mixture of a spectroscopic sample, in which rare classes would hardly be found.
PRIOR = {TOP: 0.4, "Transient": 0.65, "Stochastic": 0.5, "Periodic": 0.5}

#: Weight of a real object relative to a simulated one.
REAL = {TOP: 15.0, "Transient": 5.0, "Stochastic": 5.0, "Periodic": 5.0}

FOLDS = 5

#: Version of the shipped model; raise it with every new training.
VERSION = "3.0"


def columns(level: str, samples: Samples) -> tuple[str, ...]:
    """Names of the features that a level uses."""
    names = features.names_of(*TRANSIENT_FAMILIES) if level == "Transient" else features.names()
    left_out = features.names_of(*LEFT_OUT)
    kept = [n for n in names if n not in left_out and not n.startswith(NOT_USED if level == "Transient" else NOT_USED + LIMITS)]
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
    """Weights of the rows, shape (n,): every object counts once whatever its number of copies, real ones more, classes by `BALANCE`."""
    _, inverse, copies = np.unique(samples.objects, return_inverse=True, return_counts=True)
    weight = np.where(samples.origins == "real", REAL[level], 1.0) / copies[inverse]
    total = np.bincount(target, weight, len(LEVELS[level]))
    balanced = weight / total[target] * np.maximum(total[target], 1e-9) ** BALANCE[level]
    scaled: Floats = balanced / balanced.mean()
    return scaled


def fit_level(level: str, samples: Samples, seed: int) -> Level:
    """Train one level on the rows that belong to it; it is not yet calibrated."""
    target = targets(level, samples)
    kept = (target >= 0) & ((samples.labels != "SNIa") | (level != TOP) | _spared(samples.objects))
    own, target = samples.take(kept), target[kept]
    names, chosen = features.names(), columns(level, samples)
    x = own.features[:, [names.index(c) for c in chosen]].astype(np.float32)
    weight = weights(level, own, target)
    k = len(LEVELS[level])
    with threadpool_limits(1):
        if level in BOOSTED:
            grown = HistGradientBoostingClassifier(**BOOSTING, early_stopping=False, random_state=seed).fit(x, target, weight)
            more = range(seed, seed + NETWORKS.get(level, 0))
            beside = (networks.fit(x, target, weight, k, more),) if more else ()
            return Level(LEVELS[level], chosen, (from_boosting(grown, k), *beside))
        forest_ = BalancedRandomForestClassifier(**FOREST, sampling_strategy="all", replacement=True, bootstrap=False, random_state=seed)
        return Level(LEVELS[level], chosen, (from_forests([forest_.fit(x, target, weight)], k),))


def _spared(objects: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Whether each object, shape (n,), is in the part `SPARED`, by the digest of its name."""
    names, where = np.unique(objects, return_inverse=True)
    part: NDArray[np.bool_] = (hierarchy.digests(names.tolist()) % 1000 < 1000 * SPARED)[where]
    return part


def fit_levels(parts: list[Samples], seed: int, jobs: int) -> list[dict[str, Level]]:
    """Train all levels of several training sets, `jobs` at a time, each in a process of its own."""
    tasks = [(name, part) for part in parts for name in LEVELS]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(fit_level, *zip(*tasks, strict=True), [seed] * len(tasks)))
    return [dict(zip(LEVELS, found[i : i + len(LEVELS)], strict=True)) for i in range(0, len(found), len(LEVELS))]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Held-out predictions for n real light curves and ALeRCE's vectors, whole and cut.

    Attributes
    ----------
    rows, fold : shape (n,)
        Rows of the training set, and the fold in which they were held out.
    raw : dict
        Level -> uncalibrated probabilities, shape (n, k).
    importance : dict
        Level -> family of features -> importance in the first fold (`importance.by_family`).
    """

    rows: NDArray[np.int64]
    fold: NDArray[np.int64]
    raw: dict[str, Floats]
    importance: dict[str, dict[str, float]]


def held_out(samples: Samples, seed: int, jobs: int = 2) -> HeldOut:
    """Cross-validate in folds that share no object; predictions are for copies that are not altered."""
    rows, raw, weighed = [], [], {}
    folds = list(disjoint_folds(samples.labels.tolist(), samples.objects, n_folds=FOLDS, seed=seed))
    for levels, (_, test) in zip(fit_levels([samples.take(known) for known, _ in folds], seed, jobs), folds, strict=True):
        rows.append(test[(samples.copies[test] != "altered") & np.isin(samples.origins[test], ("real", "vector"))])
        part = samples.take(rows[-1])
        raw.append({name: level.raw(part.features, features.names()) for name, level in levels.items()})
        own = {name: targets(name, part) for name in levels} if len(rows) == 1 else {}
        for name, target in own.items():
            if (target >= 0).any():
                weighed[name] = importance.by_family(levels[name], part.features[target >= 0], target[target >= 0], seed)
    fold = np.concatenate([np.full(len(r), i) for i, r in enumerate(rows)])
    return HeldOut(np.concatenate(rows), fold, {name: np.concatenate([p[name] for p in raw]) for name in LEVELS}, weighed)


def calibrations(samples: Samples, rows: NDArray[np.int64], raw: dict[str, Floats]) -> dict[str, Calibration]:
    """Fit the calibrations of the levels to held-out probabilities of whole and cut light curves, each for its `PRIOR`."""
    part, found = samples.take(rows), {}
    for level in LEVELS:
        target = targets(level, part)
        own = target >= 0
        classes = np.bincount(target[own], minlength=len(LEVELS[level]))
        weight = np.maximum(classes[target[own]], 1.0) ** (PRIOR[level] - 1)
        found[level] = calibration.fit(raw[level][own], target[own], weight)
    return found


def nested(samples: Samples, held: HeldOut) -> tuple[Floats, Floats]:
    """Held-out probabilities, shape (n, 15), without and with the environment; each fold is calibrated by the others."""
    alone, placed = (np.empty((len(held.rows), len(BRANCH))) for _ in range(2))
    for i in np.unique(held.fold):
        others, own = held.fold != i, held.fold == i
        fitted = calibrations(samples, held.rows[others], {level: p[others] for level, p in held.raw.items()})
        alone[own] = hierarchy.combined({level: fitted[level].apply(p[own]) for level, p in held.raw.items()})
        placed[own] = fit_environment(samples.take(held.rows[others])).apply(alone[own], samples.known[held.rows[own]])
    return alone, placed


def train(data: Path, out: Path, seed: int = 0, jobs: int = 2) -> dict[str, Any]:
    """Train on a folder of real data and write the model and its card to `out`; returns the figures of the card."""
    samples = build(data, seed, jobs)
    held = held_out(samples, seed, jobs)
    alone, placed = nested(samples, held)
    calibrated = calibrations(samples, held.rows, held.raw)
    (fitted,) = fit_levels([samples], seed, jobs)
    levels = {name: replace(level, calibration=calibrated[name]) for name, level in fitted.items()}
    seen = hierarchy.digests(np.unique(samples.objects[samples.origins != "simulated"]).tolist())
    figures = report(samples.take(held.rows), placed)
    known, areas = fit_outliers(samples, levels, seed)
    card = described(samples, seed) | {
        "cross_validation": figures,
        "light_curve_alone": report(samples.take(held.rows), alone),
        "importance": held.importance,
        "outliers": areas,
    }
    expected = reference(samples, held.rows, placed)
    hierarchy.save(Hierarchy(levels, seen, known, fit_environment(samples), expected), out, card)
    return figures


def reference(samples: Samples, rows: NDArray[np.int64], probabilities: Floats) -> population_stability.Reference:
    """Reference of `drift`: whole real light curves, held out."""
    whole = (samples.copies[rows] == "whole") & (samples.origins[rows] == "real")
    said = probabilities[whole]
    return population_stability.reference(watched(samples.features[rows[whole]], said), branches(said))


def fit_environment(samples: Samples) -> Environment:
    """Fit the environment to every real object once."""
    once = samples.take((samples.origins == "real") & (samples.copies == "whole"))
    return environment.fit(once.known, once.labels.tolist())


def fit_outliers(samples: Samples, levels: dict[str, Level], seed: int) -> tuple[dict[str, Known], dict[str, Any]]:
    """Fit the outlier model of each branch to one light curve of each object, and test it by leaving out each class."""
    found, areas = {}, {}
    whole = samples.take((samples.copies == "whole") & np.isin(samples.origins, ("real", "simulated")))
    for branch in LIGHTCURVE:
        part = whole.take(np.isin(whole.labels, LIGHTCURVE[branch]))
        x = part.features[:, [features.names().index(c) for c in levels[branch].columns]]
        found[branch] = outliers.fit(x, part.labels, part.objects, seed)
        areas[branch] = outliers.leave_one_out(x, part.labels, part.objects, part.origins == "real", seed)
    return found, areas


def described(samples: Samples, seed: int) -> dict[str, Any]:
    """Description of the training set for the model card: rows, and objects by class and origin."""
    counts: dict[str, dict[str, int]] = {}
    for origin in np.unique(samples.origins).tolist():
        own = samples.take(samples.origins == origin)
        counts[origin] = {c: len(np.unique(own.objects[own.labels == c])) for c in BRANCH if (own.labels == c).any()}
    return {"name": "lightcurve", "version": VERSION, "seed": seed, "objects": counts, "rows": len(samples.labels)}
