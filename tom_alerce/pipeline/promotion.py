"""Promotion rules of the settings and of profiles: which objects become targets of the TOM automatically."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from typing import Any

from classifiers.taxonomy import BRANCH, ours
from tom_alerce import conf
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store import profiles, saved, targets
from tom_alerce.store.classifications import LOCAL, latest
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import chunks

logger = logging.getLogger(__name__)


def promote(sky_object_ids: Iterable[int], refused: MutableMapping[str, StoreError] | None = None) -> list[str]:
    """Make targets of the objects that meet a rule; return the names of their targets.

    An object is promoted once: a target that somebody deletes is not made again. An object that cannot be a target, or at which a hook of
    the TOM fails, is left out and added to ``refused`` with the reason; the others are promoted.
    """
    promoted, used = [], rules()
    for ids in chunks(sky_object_ids) if used else ():
        free = list(SkyObject.objects.filter(pk__in=ids, target=None, moving=False, promoted=False))
        classifications, passed = latest([one.pk for one in free]), saved.passed(one.pk for one in free)
        for one in free:
            if wanted(one, classifications.get(one.pk, ()), used, passed.get(one.pk, ())):
                try:
                    promoted.append(targets.promote(one).name)
                except StoreError as error:
                    logger.warning("not promoted: %s", error)
                    if refused is not None:
                        refused[one.name] = error
    return promoted


def rules() -> list[Mapping[str, Any]]:
    """Rules of the profiles by which this TOM ranks (``PROFILES``), each once; one without rules of its own has those of the settings."""
    every, found = profiles.every(), list[Mapping[str, Any]]()
    for name in conf.get("PROFILES"):
        own = every[name].promotion if name in every else None
        found += [rule for rule in (conf.get("PROMOTION") if own is None else own) if rule not in found]
    return found


def wanted(
    one: SkyObject,
    classifications: Iterable[Classification],
    used: Sequence[Mapping[str, Any]] | None = None,
    passed: Collection[str] = (),
) -> bool:
    """Whether an object with these latest classifications, which has passed these filters, meets any of these rules, None for `rules`."""
    classifications = list(classifications)
    used = rules() if used is None else used
    return any(rule.get("filter") in (None, *passed) and _applies(rule, one, classifications) for rule in used)


def probability(classification: Classification, label: str) -> float:
    """Probability of one of our classes, of a branch of the light-curve hierarchy, or of a label as its origin writes it."""
    items = classification.probabilities.items()
    return float(sum(p for c, p in items if p is not None and label in (c, ours(c), BRANCH.get(ours(c) or c))))


def _applies(rule: Mapping[str, Any], one: SkyObject, classifications: Iterable[Classification]) -> bool:
    if one.n_seen < rule.get("n_detections", 0):
        return False
    if "label" not in rule:
        return "n_detections" in rule or "filter" in rule
    return any(
        classification.origin == rule.get("origin", LOCAL)
        and rule.get("classifier") in (None, classification.classifier)
        and probability(classification, rule["label"]) >= rule.get("probability", 0.5)
        for classification in classifications
    )
