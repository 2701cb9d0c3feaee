"""The hierarchical model: transient, stochastic or periodic first, then the classes of each (Sanchez-Saez et al. 2021, sec. 5).

Each of the four levels averages ensembles of trees (and networks) and has its own columns and its own calibration; p(class) =
p(branch) p(class | branch), times the likelihood of the environment of the object (`environment`). On disk a model is one ``model.npz`` of
plain arrays (no pickle) whose SHA-256 is in the model card.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers import networks, outliers
from classifiers.calibration import Calibration
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.environment import Environment
from classifiers.networks import Networks
from classifiers.population_stability import Reference
from classifiers.records import WEIGHTS_ROOT, WeightsError
from classifiers.taxonomy import BRANCH, LIGHTCURVE, LIGHTCURVE_CLASSES
from classifiers.trees import Trees

#: Name of the first level; the others have the names of the branches.
TOP = "top"

#: Level -> its classes.
LEVELS = {TOP: tuple(LIGHTCURVE)} | dict(LIGHTCURVE)

#: Folder of the shipped model.
SHIPPED = WEIGHTS_ROOT / "lightcurve"

#: Files of a model.
FILE, CARD = "model.npz", "card.json"


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One of the four classifiers of the hierarchy.

    Attributes
    ----------
    classes, columns : tuple of str
        Names of the outputs, and of the features that are used.
    ensembles : tuple of Trees or Networks
        Their probabilities are averaged.
    calibration : Calibration
    """

    classes: tuple[str, ...]
    columns: tuple[str, ...]
    ensembles: tuple[Trees | Networks, ...] = field(repr=False)
    calibration: Calibration = field(default_factory=Calibration)

    def raw(self, x: Floats, names: Sequence[str]) -> Floats:
        """Uncalibrated probabilities, shape (n, k), of features of shape (n, len(names))."""
        place = {name: j for j, name in enumerate(names)}
        own = x[:, [place[c] for c in self.columns]]
        total: Floats = sum((e.probabilities(own) for e in self.ensembles), np.zeros((len(x), len(self.classes))))
        return total / len(self.ensembles)


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The light-curve model.

    Attributes
    ----------
    levels : dict
        Name -> Level, the names being those of `LEVELS`.
    seen : uint64, shape (n,)
        `digests` of the objects of the training set.
    known : dict
        Branch -> outlier model.
    environment : Environment, optional
    reference : Reference, optional
        Distributions of the training set, by branch, that drift is measured against.
    """

    levels: dict[str, Level]
    seen: NDArray[np.uint64] = field(repr=False)
    known: dict[str, outliers.Known] = field(default_factory=dict, repr=False)
    environment: Environment | None = field(default=None, repr=False)
    reference: Reference | None = field(default=None, repr=False)

    def probabilities(self, x: Floats, names: Sequence[str], known: Floats | None = None) -> Floats:
        """Probabilities of the classes, shape (n, 15), of features of shape (n, len(names)).

        ``known``, shape (n, len(environment.KNOWN)), is the environment; without it the light curve alone decides.
        """
        told = combined({name: level.calibration.apply(level.raw(x, names)) for name, level in self.levels.items()})
        return told if known is None or self.environment is None else self.environment.apply(told, known)

    def anomaly_score(self, x: Floats, names: Sequence[str], probabilities: Floats) -> Floats:
        """Anomaly score of each object within its branch (`classifiers.outliers`), shape (n,), in [0, 1]; NaN if none was fitted."""
        place = {name: j for j, name in enumerate(names)}
        total = np.full(len(x), 0.0 if self.known else np.nan)
        for branch, known in self.known.items():
            share = probabilities[:, [LIGHTCURVE_CLASSES.index(c) for c in LIGHTCURVE[branch]]].sum(axis=1)
            total += share * known.score(x[:, [place[c] for c in self.levels[branch].columns]])
        return total

    def was_trained_on(self, object_ids: Iterable[str]) -> NDArray[np.bool_]:
        """Whether each object was in the training set, shape (n,)."""
        return np.isin(digests(object_ids), self.seen)


def combined(parts: dict[str, Floats]) -> Floats:
    """Probabilities p(branch) p(class | branch), shape (n, 15), from those of the levels."""
    columns = [parts[TOP][:, [i]] * parts[branch] for i, branch in enumerate(LIGHTCURVE)]
    product: Floats = np.concatenate(columns, axis=1)
    assert product.shape[1] == len(LIGHTCURVE_CLASSES)
    return product


def branches(probabilities: Floats) -> Floats:
    """Probabilities of the branches, shape (n, 3): sums of those of the classes, shape (n, 15)."""
    branch = np.array([BRANCH[c] for c in LIGHTCURVE_CLASSES])
    return np.stack([probabilities[:, branch == b].sum(axis=1) for b in LIGHTCURVE], axis=1)


def digests(object_ids: Iterable[str]) -> NDArray[np.uint64]:
    """Digests of object names, shape (n,): the first 8 bytes of their SHA-256."""
    return np.array([int.from_bytes(hashlib.sha256(i.encode()).digest()[:8], "big") for i in object_ids], np.uint64)


def save(model: Hierarchy, folder: Path, card: dict[str, Any]) -> None:
    """Write the model and its card, to which SHA-256, columns and calibrations are added."""
    arrays: dict[str, NDArray[Any]] = {"seen": model.seen}
    for name, level in model.levels.items():
        for i, ensemble in enumerate(level.ensembles):
            arrays |= {f"{name}/{i}/{a}": v for a, v in ensemble.arrays().items()}
    for branch, known in model.known.items():
        arrays |= {f"{branch}/outliers/{a}": v for a, v in known.arrays().items()}
    if model.environment is not None:
        arrays |= {f"environment/{a}": v for a, v in model.environment.arrays().items()}
    if model.reference is not None:
        arrays |= {f"drift/{a}": v for a, v in model.reference.arrays().items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(stream.getvalue())
    levels = {
        name: {
            "classes": list(level.classes),
            "columns": list(level.columns),
            "ensembles": len(level.ensembles),
            "calibration": level.calibration.as_dict(),
        }
        for name, level in model.levels.items()
    }
    card = card | {"sha256": hashlib.sha256(stream.getvalue()).hexdigest(), "bytes": len(stream.getvalue()), "levels": levels}
    (folder / CARD).write_text(json.dumps(card, indent=1, allow_nan=False) + "\n")


def load(folder: Path) -> tuple[Hierarchy, dict[str, Any]]:
    """Read the model and the card of a folder.

    Raises
    ------
    WeightsError
        A file is missing, damaged or changed since its card was written.
    """
    try:
        card = json.loads((folder / CARD).read_text())
        content = (folder / FILE).read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(f"no light-curve model in {folder}: {error}") from error
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise WeightsError(f"{folder / FILE} is not the file that its card describes (SHA-256 differs)")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            levels = {name: _level(arrays, name, card["levels"][name]) for name in LEVELS}
            stored = {branch: _part(arrays, f"{branch}/outliers") for branch in LIGHTCURVE}
            known = {branch: outliers.from_arrays(found) for branch, found in stored.items() if found}
            where, expected = _part(arrays, "environment"), _part(arrays, "drift")
            environment, reference = Environment(**where) if where else None, Reference(**expected) if expected else None
            return Hierarchy(levels, arrays["seen"], known, environment, reference), card
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{folder / FILE} is not a light-curve model: {error}") from error


def _part(arrays: Any, of: str) -> dict[str, NDArray[Any]]:
    """Arrays stored under a name."""
    return {key.rpartition("/")[2]: arrays[key] for key in arrays.files if key.rpartition("/")[0] == of}


def _level(arrays: Any, name: str, description: dict[str, Any]) -> Level:
    parts = [_part(arrays, f"{name}/{i}") for i in range(description["ensembles"])]
    ensembles = tuple(Trees(**part) if "roots" in part else networks.from_arrays(part) for part in parts)
    calibration = Calibration(description["calibration"]["temperature"], tuple(description["calibration"]["bias"]))
    return Level(tuple(description["classes"]), tuple(description["columns"]), ensembles, calibration)
