"""Metrics of a classifier and their errors, defined alike for all classifiers.

One row is one object. An all-NaN row of probabilities ("cannot say") counts as a miss, so that declining to answer raises no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Bins of confidence in reliability diagrams and in the expected calibration error.
BINS = 10


def confusion(truth: Sequence[str], probabilities: ArrayLike, classes: Sequence[str]) -> NDArray[np.int64]:
    """Confusion counts, shape (k, k + 1): rows are true classes, columns predicted classes, the last column is "cannot say"."""
    p = np.asarray(probabilities, float)
    rows = np.array([classes.index(t) for t in truth], int)
    columns = np.where(np.isfinite(p).all(axis=1), np.argmax(np.nan_to_num(p), axis=1), len(classes))
    counts = np.zeros((len(classes), len(classes) + 1), int)
    np.add.at(counts, (rows, columns), 1)
    return counts


def rates(counts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Recall, precision and F1 by class, each of shape (..., k), of confusion counts (..., k, k + 1); NaN for a class without objects.

    The precision of a class that is never predicted is 0 by convention, as in scikit-learn.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(float)
    true = counts.sum(axis=-1)
    predicted = counts[..., :-1].sum(axis=-2)
    recall = np.divide(hits, true, out=np.full(hits.shape, np.nan), where=true > 0)
    precision = hits / np.maximum(predicted, 1)
    f1 = np.where(true > 0, 2 * hits / np.maximum(true + predicted, 1), np.nan)
    return recall, precision, f1


def reliability(
    truth: Sequence[str], probabilities: ArrayLike, classes: Sequence[str], weights: ArrayLike | None = None
) -> list[dict[str, float]]:
    """Reliability diagram of the predicted class: n, confidence and accuracy of each of `BINS` bins of confidence that is not empty.

    With weights, shape (n,), all three are weighted.
    """
    p = np.asarray(probabilities, float)
    known = np.isfinite(p).all(axis=1)
    w = np.ones(int(known.sum())) if weights is None else np.asarray(weights, float)[known]
    right = np.array([classes[b] for b in p[known].argmax(axis=1)], object) == np.asarray(truth, object)[known]
    confidence = p[known].max(axis=1)
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    totals = (np.bincount(which, v, BINS) for v in (w, w * confidence, w * right))
    rows = zip(*(t.tolist() for t in totals), strict=True)
    return [{"n": round(n, 3), "confidence": c / n, "accuracy": r / n} for n, c, r in rows if n > 0]


def expected_calibration_error(diagram: Sequence[dict[str, float]]) -> float:
    """Mean of |accuracy - confidence| over the bins of a reliability diagram, weighted by their counts (Guo et al. 2017, eq. 3)."""
    n = sum(b["n"] for b in diagram)
    return sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in diagram) / n if n else float("nan")


def metrics(
    truth: Sequence[str],
    probabilities: ArrayLike,
    classes: Sequence[str],
    *,
    subsets: dict[str, Sequence[str]] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Any]:
    """All metrics of one set of predictions, ready for JSON.

    Parameters
    ----------
    truth : sequence of str, length n
        True classes.
    probabilities : array_like, shape (n, k)
        Predictions; an all-NaN row is a miss.
    classes : sequence of str, length k
        Names of the columns.
    subsets : dict, optional
        Suffix -> classes: ``balanced_accuracy_<suffix>`` and ``macro_f1_<suffix>`` are the means over these classes alone (all classes
        can still win).
    resamples, seed : int
        Number and seed of the bootstrap resamples of objects, stratified by true class. Resampling objects of one class with
        replacement is a multinomial draw from its row of the confusion matrix.

    Returns
    -------
    dict
        n, n_cannot_say, recall, precision, f1 and support by class, accuracy, balanced_accuracy, macro_f1, confusion, ece (and
        ``ece_balanced``, as if all classes were equally frequent), reliability; ``ci`` has the 95 % interval of each averaged score and
        of each recall.
    """
    classes = list(classes)
    counts = confusion(truth, probabilities, classes)
    columns = {suffix: [classes.index(c) for c in names] for suffix, names in (subsets or {}).items()}

    def scores(m: NDArray[Any]) -> dict[str, NDArray[Any]]:
        recall, _, f1 = rates(m)
        averaged = {"balanced_accuracy": _mean(recall), "macro_f1": _mean(f1)}
        averaged |= {f"balanced_accuracy_{suffix}": _mean(recall[..., which]) for suffix, which in columns.items()}
        averaged |= {f"macro_f1_{suffix}": _mean(f1[..., which]) for suffix, which in columns.items()}
        return averaged | {f"recall {c}": recall[..., i] for i, c in enumerate(classes)}

    recall, precision, f1 = rates(counts)
    support = counts.sum(axis=1)
    rng = np.random.default_rng(seed)
    drawn = np.stack(
        [rng.multinomial(n, row / n if n else _unit(row.size), size=resamples) for n, row in zip(support, counts, strict=True)], axis=1
    )
    intervals = {
        name: [_number(q) for q in np.quantile(v, (0.025, 0.975))] if np.isfinite(v).all() else [None, None]
        for name, v in scores(drawn).items()
    }
    diagram = reliability(truth, probabilities, classes)
    equal = reliability(truth, probabilities, classes, [1 / support[classes.index(t)] for t in truth])
    result: dict[str, Any] = {"n": len(truth), "n_cannot_say": int(counts[:, -1].sum())}
    for name, values in (("recall", recall), ("precision", precision), ("f1", f1), ("support", support)):
        result[name] = {c: _number(v) for c, v in zip(classes, values, strict=True)}
    result["accuracy"] = _number(np.trace(counts) / max(len(truth), 1))
    result |= {name: _number(v) for name, v in scores(counts).items() if not name.startswith("recall ")}
    result |= {"ece": _number(expected_calibration_error(diagram)), "ece_balanced": _number(expected_calibration_error(equal))}
    return result | {"ci": intervals, "classes": classes, "confusion": counts.tolist(), "reliability": diagram}


def _mean(values: NDArray[Any]) -> NDArray[Any]:
    """Mean of the finite values along the last axis; NaN where there are none."""
    known = np.isfinite(values)
    mean: NDArray[Any] = np.where(known, values, 0).sum(axis=-1) / np.where(known.any(axis=-1), known.sum(axis=-1), np.nan)
    return mean


def _unit(size: int) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = np.eye(1, size)[0]
    return unit


def _number(value: Any) -> float | int | None:
    """Number for JSON, rounded to 1e-5; None for NaN."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    return round(float(value), 5) if np.isfinite(value) else None


def table(result: dict[str, Any]) -> str:
    """Table of the metrics as text: one line per class, then the averages."""
    lines = [f"{'class':16} {'n':>6} {'recall':>7} {'precision':>9} {'F1':>6}"]
    for c in result["classes"]:
        values = (f"{v:.3f}" if v is not None else "-" for v in (result[name][c] for name in ("recall", "precision", "f1")))
        lines.append("{:16} {:>6} {:>7} {:>9} {:>6}".format(c, result["support"][c], *values))
    for name in (n for n in result if n.startswith("balanced_accuracy") or n in ("macro_f1", "ece", "ece_balanced")):
        low, high = result["ci"].get(name, (None, None))
        between = f"  (95 %: {low:.3f} to {high:.3f})" if low is not None else ""
        lines.append(f"{name} {result[name]:.3f}{between}" if result[name] is not None else f"{name} -")
    return "\n".join(lines)
