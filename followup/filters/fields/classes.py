"""What classifiers say: probabilities of classes by any classifier, consensus of all, anomaly score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from classifiers.taxonomy import BRANCH, ours
from followup.batch import Batch
from followup.filters.records import Argument, Field

#: Digits of a probability, and the least that is kept: what is less is 0.
DIGITS, LEAST = 4, 0.005


def _probabilities(batch: Batch, at: float) -> list[dict[str, float]]:
    return [_of(batch[i].probabilities) for i in range(len(batch))]


def _of(said: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """'classifier' -> 1 for each that says something, 'classifier:class' -> probability, and the same for any, every and mean of them."""
    found: dict[str, float] = {}
    by_label: dict[str, list[float]] = defaultdict(list)
    for classifier, by_class in said.items():
        whole = _grouped(by_class)
        if not whole:
            continue
        found[classifier] = 1.0
        for label, probability in whole.items():
            by_label[label].append(probability)
            found[f"{classifier}:{label}"] = probability
    if found:
        found |= {"any": 1.0}
    for label, values in by_label.items():
        # a class that a classifier does not know of is neither for nor against
        found |= {f"any:{label}": max(values), f"every:{label}": min(values), f"mean:{label}": sum(values) / len(values)}
    return {key: round(value, DIGITS) for key, value in found.items() if value >= LEAST}


def _grouped(by_class: Mapping[str, float]) -> dict[str, float]:
    """Probability of each class as its origin writes it, of ours for it, and of the branch of the hierarchy that it is in."""
    whole: dict[str, float] = defaultdict(float)
    for label, probability in by_class.items():
        own = ours(label) or label
        for name in {label, own, BRANCH.get(own, own)}:
            whole[name] += probability
    return whole


def _base(given: Mapping[str, str]) -> str:
    return "any" if given["classifier"] in ("every", "mean") else given["classifier"]


FIELDS = {
    "class": Field(
        "P(class)",
        "probability of a class as its classifier writes it, of ours (SN, AGN, VS, asteroid, bogus, SNIa, ...) or of a branch (Transient, "
        f"Stochastic, Periodic); below {LEAST:g} it is 0; missing where the classifier says nothing",
        values=_probabilities,
        column="classes",
        low=0.0,
        high=1.0,
        arguments={
            "classifier": Argument(
                "a classifier (a broker's: 'alerce lc_classifier'), or any: the highest, every: the lowest, mean: the mean of those that "
                "know the class",
                ("any", "every", "mean", "stamp", "lightcurve"),
                "any",
                open=True,
            ),
            "class": Argument("the class", open=True),
        },
        key=lambda given: f"{given['classifier']}:{given['class']}",
        base=_base,
    ),
    "oddness": Field(
        "anomaly score",
        "share of the training objects of its kind that are less odd, by the light curve",
        values=lambda batch, at: batch.oddness,
        column="oddness",
        low=0.0,
        high=1.0,
    ),
}
