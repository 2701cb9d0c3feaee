"""Model card of the stamp classifier: recipe, figures on nights that it was not trained on, and failures.

It is stored beside the weights as JSON; `markdown` makes a page of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from classifiers.models.stamp.ensemble import SHARES, combine
from classifiers.models.stamp.preprocess import Floats
from classifiers.models.stamp.training.data import Table
from classifiers.models.stamp.training.weighting import calibrate
from classifiers.taxonomy import STAMP
from classifiers.training.folds import disjoint_folds
from classifiers.training.metrics import metrics

NAME, VERSION = "stamp", "1.0"
#: Classes with strong labels: spectra, catalogues of variables, orbits. Those of bogus are from another classifier's score.
STRONG = STAMP[:4]

WHAT = """\
An average of small convolutional networks on two scales of the stamps, pretrained on simulated alerts, and of two forests on the
metadata. It uses no position, time, depth of the night, count of visits, real-bogus score or solar-system match. Probabilities hold
for equal frequencies of the classes (bogus: less); multiply by those of your stream and normalise where they are known. Alerts of other
surveys, and stamps that are incomplete or clipped, are not classified."""
CAVEATS = """\
Most AGN, and a third of all objects, come from one night, so that a fold without that night learns AGN from ten real objects and the
simulation. The simulation's distributions of brightness, host and distance were measured on alerts of these same classes, those held out
among them, and variants of the recipe were compared on these same folds before one was chosen: the figures are slightly too good for
both reasons, and only objects outside the data can show by how much. Catalogues disagree on about 1 % of the labels."""
ABLATIONS = """\
Single networks (rows that begin with *one network* or *the paper's network*) are evaluated alone, in one orientation. The paper's
network (Carrasco-Davis et al. 2021: 21 × 21 × 3 pixels, four rotations, cyclic pooling, metadata joined after batch normalisation,
entropy regularisation 0.5) was trained here, on the same folds, with 21 of our features in place of its metadata, and with or
without simulated alerts first. *Entropy regularised* is one of our networks with that loss in place of smoothed labels."""
REALISM = """\
**Realism of the simulation.** Area under the ROC curve of a random forest that separates real alerts of one class from simulated
ones: 0.5 if it cannot, 1 if it always can. Epochs, for comparison: the same for the earlier and the later half of the real alerts."""


def scored(table: Table, probabilities: Floats) -> dict[str, Any]:
    """Metrics of predictions for the alerts of a table."""
    return judged(table.labels.tolist(), probabilities)


def judged(labels: list[str], probabilities: Floats) -> dict[str, Any]:
    """Metrics (`classifiers.training.metrics`), also over the classes with strong labels alone."""
    return metrics(labels, probabilities, STAMP, subsets={"strong": STRONG})


def describe(table: Table, held_out: list[dict[str, Floats]], unadapted: Floats, recipe: dict[str, Any]) -> dict[str, Any]:
    """Card of a model trained on a table.

    Parameters
    ----------
    table : Table
        Training set.
    held_out : list of dict
        For each repeat, predictions (objects, 5) of its parts for objects and nights held out (`trainer.cross_validate`).
    unadapted : ndarray, shape (objects, 5)
        Predictions of the networks before fine-tuning on real alerts.
    recipe : dict
        Parameters of the training.
    """
    first = table.take(table.first())
    fresh = [parts | {name[6:]: p for name, p in parts.items() if name.startswith("fresh ")} for parts in held_out]
    ways = {mode: _calibrated(first, held_out, mode, recipe) for mode in SHARES}
    ways["full, as if first detected"] = _calibrated(first, fresh, "full", recipe, held_out)
    ways |= {f"{name} alone": [parts[name] for parts in held_out] for name in SHARES["full"]}
    ways["networks before any real alert"] = [unadapted]
    figures = {}
    for name, repeats in ways.items():
        each = [scored(first, p) for p in repeats]
        figures[name] = each[0] | {"balanced_accuracy_strong_by_repeat": [e["balanced_accuracy_strong"] for e in each]}
    return {
        "classifier": NAME,
        "version": VERSION,
        "data": {
            "objects": len(first),
            "alerts": len(table),
            "nights": len(np.unique(table.nights)),
            "by_class": {c: int((first.labels == c).sum()) for c in STAMP},
        },
        "recipe": recipe,
        "folds": "no object and no night on both sides; calibration of each fold from the others",
        "cross_validation": figures,
    }


def _calibrated(
    first: Table, held_out: list[dict[str, Floats]], mode: str, recipe: dict[str, Any], by: list[dict[str, Floats]] | None = None
) -> list[Floats]:
    pairs = zip(held_out, by or held_out, strict=True)
    return [calibrated(first, parts, mode, recipe["folds"], recipe["seed"] + r, of) for r, (parts, of) in enumerate(pairs)]


def calibrated(first: Table, parts: dict[str, Floats], mode: str, folds: int, seed: int, by: dict[str, Floats] | None = None) -> Floats:
    """Held-out predictions (n, 5), each calibrated on those (of ``by``, if given) for other nights and objects."""
    raw, source = combine(parts, mode), combine(by or parts, mode)
    result = np.full_like(raw, np.nan)
    for others, these in disjoint_folds(first.labels.tolist(), first.nights, n_folds=folds, seed=seed):
        result[these] = calibrate(source[others], first.codes[others]).apply(raw[these])
    return result


def compared(card: dict[str, Any], name: str, table: Table, probabilities: Floats) -> dict[str, Any]:
    """Add to the card the figures of another model on the same alerts, ``table.first()``."""
    figures = scored(table.take(table.first()), probabilities)
    return card | {"comparison": card.get("comparison", {}) | {name: figures}}


def markdown(card: dict[str, Any]) -> str:
    """Page of the card, as Markdown."""
    data, figures = card["data"], card["cross_validation"]
    counts = ", ".join(f"{n} {c}" for c, n in data["by_class"].items())
    rows = [*figures.items(), *card.get("ablations", {}).items(), *card.get("comparison", {}).items()]
    lines = [
        f"# Stamp classifier {card['version']}",
        "",
        "Written by `python -m classifiers train stamp --readable FILE`; do not edit.",
        "",
        "**Model.** " + " ".join((WHAT, f"{card['bytes'] / 1e6:.1f} MB, SHA-256 `{card['sha256'][:16]}…`.")),
        "",
        f"**Data.** {data['objects']} labelled ZTF objects ({counts}; {data['alerts']} alerts, {data['nights']} nights) and "
        f"{card['recipe']['simulated']} simulated alerts. {CAVEATS}",
        "",
        f"**Evaluation.** One alert, the earliest, per object; {card['recipe']['folds']} folds, {card['folds']}. "
        "Intervals are 95 %, bootstrap over objects. The strong classes are all but bogus, whose labels are another classifier's scores.",
        "",
        "| model | AGN | SN | VS | asteroid | bogus | balanced, strong | 95 % | repeats | balanced, all | macro F1 | ECE | ECE, equal |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(name, result) for name, result in rows),
        "",
        "Columns by class are recalls. ECE: expected calibration error on these objects, then as if all classes were as frequent.",
        "",
        *([ABLATIONS, ""] if "ablations" in card else []),
        "**Most frequent confusions** (full model, first repeat): " + "; ".join(_failures(figures["full"])) + ".",
        "",
        "**Reliability** (full model, first repeat):",
        "",
        "| confidence | accuracy | objects |",
        "|---|---|---|",
        *(f"| {b['confidence']:.3f} | {b['accuracy']:.3f} | {b['n']:.0f} |" for b in figures["full"]["reliability"]),
        "",
        *(_realism(card["realism"]) if "realism" in card else []),
        "**Recipe.** " + ", ".join(f"{k} {v}" for k, v in card["recipe"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _realism(found: dict[str, float]) -> list[str]:
    """Table of the realism of the simulation."""
    rows = ((c, *(f"{found[f'auc_{what}_{c}']:.2f}" for what in ("images", "metadata", "epochs"))) for c in STAMP if f"n_{c}" in found)
    head = [REALISM, "", "| class | by images | by metadata | epochs, by images |", "|---|---|---|---|"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _row(name: str, result: dict[str, Any]) -> str:
    low, high = result["ci"]["balanced_accuracy_strong"]
    repeats = ", ".join(f"{r:.3f}" for r in result.get("balanced_accuracy_strong_by_repeat", ()))
    recalls = (f"{result['recall'][c]:.3f}" for c in STAMP)
    averages = (f"{result[k]:.3f}" for k in ("balanced_accuracy", "macro_f1", "ece", "ece_balanced"))
    cells = (name, *recalls, f"{result['balanced_accuracy_strong']:.3f}", f"{low:.3f} to {high:.3f}", repeats, *averages)
    return f"| {' | '.join(cells)} |"


def _failures(result: dict[str, Any], n: int = 5) -> list[str]:
    """The n most frequent confusions by share of the true class."""
    counts = np.array(result["confusion"])[:, : len(STAMP)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(share, 0)
    worst = np.argsort(share, axis=None)[::-1][:n]
    pairs = [divmod(int(i), len(STAMP)) for i in worst]
    return [f"{STAMP[t]} taken for {STAMP[p]} {share[t, p]:.0%} ({counts[t, p]})" for t, p in pairs if counts[t, p]]
