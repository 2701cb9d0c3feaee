"""Promotion rules of the settings: which objects become targets of the TOM by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from classifiers.taxonomy import BRANCH, ours
from tom_alerce import conf
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store.classifications import LOCAL

#: Keys of a rule; all that are given must hold. ``origin`` is ours unless it names a broker; ``probability`` is 0.5 unless given.
KEYS = frozenset({"origin", "classifier", "label", "probability", "n_detections"})


def wanted(one: SkyObject, words: Iterable[Classification]) -> bool:
    """Whether any rule makes this object, of which the classifiers' latest words are ``words``, a target."""
    words = list(words)
    return any(_applies(rule, one, words) for rule in conf.get("PROMOTION"))


def probability(word: Classification, label: str) -> float:
    """Probability of one of our classes, of a branch of the light-curve hierarchy, or of a label in the words of the origin."""
    return float(sum(p for c, p in word.probabilities.items() if p is not None and label in (c, ours(c), BRANCH.get(ours(c) or c))))


def _applies(rule: Mapping[str, Any], one: SkyObject, words: Iterable[Classification]) -> bool:
    if one.n_detections < rule.get("n_detections", 0):
        return False
    if "label" not in rule:
        return "n_detections" in rule
    return any(
        word.origin == rule.get("origin", LOCAL)
        and rule.get("classifier") in (None, word.classifier)
        and probability(word, rule["label"]) >= rule.get("probability", 0.5)
        for word in words
    )
