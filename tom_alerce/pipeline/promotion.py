"""Promotion rules of the settings: which objects become targets of the TOM by themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from classifiers.taxonomy import BRANCH, ours
from tom_alerce import conf
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store import targets
from tom_alerce.store.classifications import LOCAL, latest
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import chunks

logger = logging.getLogger(__name__)

#: Keys of a rule; all that are given must hold. ``origin`` is ours unless it names a broker; ``probability`` is 0.5 unless given.
KEYS = frozenset({"origin", "classifier", "label", "probability", "n_detections"})


def promote(sky_object_ids: Iterable[int]) -> list[str]:
    """Make targets of those of these objects that a rule wants; the names of those that were made or found.

    Once only: whoever deletes the target does not find it made again.
    """
    made = []
    for ids in chunks(sky_object_ids) if conf.get("PROMOTION") else ():
        free = list(SkyObject.objects.filter(pk__in=ids, target=None, moving=False, promoted=False))
        words = latest([one.pk for one in free])
        for one in free:
            if wanted(one, words.get(one.pk, ())):
                try:
                    made.append(targets.promote(one).name)
                except StoreError as error:
                    logger.warning("not promoted: %s", error)
    return made


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
