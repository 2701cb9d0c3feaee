"""Figures of merit of the light-curve model.

All figures are over objects with at least `series.MINIMUM` detections, every object once:

- ``recall``, ``precision``, ``f1`` by class, ``balanced_accuracy``: the 15-class answer; ``macro_f1`` averages the classes with at
  least `COMMON` real objects (``classes_in_macro_f1``);
- ``macro_f1_transient``: real transients by the most probable of the four transient classes; ``macro_f1_transient_20d`` the same from
  the light curve up to 20 days after the first detection;
- ``top_macro_recall``: mean recall of transient, stochastic and periodic;
- ``snia_precision``: among everything that is called SNIa in the 15-class answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.hierarchy import branches
from classifiers.models.lightcurve.series import MINIMUM
from classifiers.models.lightcurve.training.samples import Samples
from classifiers.taxonomy import BRANCH, LIGHTCURVE, LIGHTCURVE_CLASSES
from classifiers.training.metrics import metrics

#: Real objects that a class needs to count in the macro average, and days of a young light curve.
COMMON, YOUNG = 20, 20.0

#: Bins of the number of detections.
DETECTIONS = (MINIMUM, 10, 20, 50, 10**9)


def report(samples: Samples, probabilities: Floats) -> dict[str, Any]:
    """Figures of real objects and ALeRCE's vectors, whole and cut, from their probabilities, shape (n, 15)."""
    real = samples.origins == "real"
    whole = real & (samples.copies == "whole")
    labels, counts = np.unique(samples.labels[whole], return_counts=True)
    common = tuple(str(x) for x, n in zip(labels, counts, strict=True) if n >= COMMON)
    result = metrics(samples.labels[whole].tolist(), probabilities[whole], LIGHTCURVE_CLASSES, subsets={"common": common})
    result["macro_f1"], result["ci"]["macro_f1"] = result.pop("macro_f1_common"), result["ci"].pop("macro_f1_common")
    result["classes_in_macro_f1"] = list(common)
    result["snia_precision"] = result["precision"]["SNIa"]
    top = metrics([BRANCH[x] for x in samples.labels[whole].tolist()], branches(probabilities[whole]), tuple(LIGHTCURVE))
    result["top_macro_recall"], result["ci"]["top_macro_recall"] = top["balanced_accuracy"], top["ci"]["balanced_accuracy"]
    result["top_recall"] = top["recall"]
    for suffix, copy in (("", "whole"), ("_20d", f"{YOUNG:g}")):
        found = within(samples, probabilities, "Transient", real & (samples.copies == copy))
        name = f"macro_f1_transient{suffix}"
        result |= {name: found["macro_f1"], f"transient{suffix}": _short(found)}
        result["ci"][name] = found["ci"]["macro_f1"]
    result["by_days"] = {
        copy: _short(within(samples, probabilities, "Transient", real & (samples.copies == copy)))
        for copy in sorted(set(samples.copies[real].tolist()) - {"altered"})
    }
    result["by_detections"] = {
        name: _short(within(samples, probabilities, "Transient", whole & (samples.detections >= low) & (samples.detections < high)))
        for name, low, high in _bins()
    }
    result["top_by_detections"] = {
        name: _recall(samples, probabilities, whole & (samples.detections >= low) & (samples.detections < high))
        for name, low, high in _bins()
    }
    result["by_photometry"] = {
        str(kind): _agreement(samples, probabilities, whole & (samples.kinds == kind)) for kind in np.unique(samples.kinds[whole])
    }
    vectors = within(samples, probabilities, "Periodic", samples.origins == "vector")
    return result | {"alerce_vectors": _short(vectors), "cross_validated": False}


def within(samples: Samples, probabilities: Floats, branch: str, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Metrics among a branch's classes, for the rows of that branch."""
    classes = LIGHTCURVE[branch]
    rows = rows & np.isin(samples.labels, classes)
    part = probabilities[rows][:, [LIGHTCURVE_CLASSES.index(c) for c in classes]]
    return metrics(samples.labels[rows].tolist(), part / part.sum(axis=1, keepdims=True), classes)


def _bins() -> Iterator[tuple[str, int, int]]:
    """Yield (name, least, least of the next bin) of each bin of the number of detections."""
    for low, high in pairwise(DETECTIONS):
        yield (f"{low}-{high - 1}" if high < 10**9 else f"{low}+"), low, high


def _recall(samples: Samples, probabilities: Floats, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Number and recall of the objects of each branch by the most probable branch."""
    true = np.array([BRANCH[x] for x in samples.labels[rows].tolist()], str)
    told = np.array(list(LIGHTCURVE))[branches(probabilities[rows]).argmax(axis=1)]
    return {
        b: {"n": int((true == b).sum()), "recall": float((told[true == b] == b).mean()) if (true == b).any() else None} for b in LIGHTCURVE
    }


def _short(found: dict[str, Any]) -> dict[str, Any]:
    """Subset of metrics that is reported for a part of the objects."""
    return {k: found[k] for k in ("n", "macro_f1", "f1", "recall", "precision", "support")} | {"ci": found["ci"]["macro_f1"]}


def _agreement(samples: Samples, probabilities: Floats, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Number of objects and the share whose class is right."""
    best = np.array(LIGHTCURVE_CLASSES)[probabilities[rows].argmax(axis=1)]
    return {"n": int(rows.sum()), "accuracy": round(float((best == samples.labels[rows]).mean()), 4)}
