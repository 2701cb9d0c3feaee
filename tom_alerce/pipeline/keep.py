"""The keep rules of the settings: which alerts of a stream are stored, and of which a light row is enough.

An alert is kept if it meets every condition of one of the rules; without rules all are kept. What its packet and its classification say is
judged first, beside the database (`judge`); the conditions that ask the tables are judged for those alerts alone for which they decide
(`settle`). Everything is done for all alerts of a batch at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters import photometry, significance
from broker_adapters.crossmatch import separation, unit_vectors
from broker_adapters.records import Alert
from classifiers.records import Classification
from classifiers.taxonomy import BRANCH, ours
from followup import filters
from tom_alerce.store import passed, saved, targets, watch
from tom_alerce.store.arriving import arriving
from tom_alerce.store.awaited import Named
from tom_alerce.store.classifications import LOCAL

logger = logging.getLogger(__name__)

Mask = NDArray[np.bool_]
Rule = Mapping[str, Any]
Classified = Mapping[str, Classification]

#: The classifier of a rule that names none.
CLASSIFIER = "stamp"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What is known of n alerts.

    Attributes
    ----------
    kept : ndarray of bool, shape (n,)
        Those that meet a rule already.
    open : sequence of (rule, mask of shape (n,))
        Rules that ask the tables, and the alerts that meet all their other conditions.
    reasons : ndarray of str, shape (n,)
        The first condition that failed, of the rule of which most held; '' where none has failed.
    """

    kept: Mask
    open: Sequence[tuple[Rule, Mask]]
    reasons: NDArray[np.str_]

    def take(self, rows: NDArray[np.intp]) -> Verdict:
        """The same of some of the alerts."""
        return Verdict(self.kept[rows], [(rule, met[rows]) for rule, met in self.open], self.reasons[rows])


def judge(rules: Sequence[Rule], alerts: Sequence[Alert], classified: Classified) -> Verdict:
    """Judge n alerts, whose histories are not needed, with the classification of alert i in row i; without rules all are kept."""
    kept, most = np.full(len(alerts), not rules), np.full(len(alerts), -1)
    reasons = np.full(len(alerts), "", "U16")
    waiting = []
    for rule in rules:
        met, held = np.ones(len(alerts), bool), np.zeros(len(alerts), int)
        failed = np.full(len(alerts), "", "U16")
        for name, condition in _OF_ALERTS.items():
            if name in rule:
                holds = condition(rule, alerts, classified)
                failed[met & ~holds] = name
                met &= holds
                held += met
        better = held > most
        reasons[better], most[better] = failed[better], held[better]
        if rule.keys() & _OF_TABLES.keys():
            waiting.append((rule, met))
        else:
            kept |= met
    return Verdict(kept, waiting, reasons)


def settle(verdict: Verdict, alerts: Sequence[Alert]) -> Verdict:
    """Ask the tables about the alerts that are neither kept nor refused yet."""
    kept, reasons = verdict.kept.copy(), verdict.reasons.copy()
    for rule, met in verdict.open:
        asked = np.flatnonzero(met & ~kept)
        for name, condition in _OF_TABLES.items():
            if name in rule and asked.size:
                holds = condition(rule[name], [alerts[i] for i in asked])
                reasons[asked[~holds]] = name
                asked = asked[holds]
        kept[asked] = True
    return Verdict(kept, (), reasons)


def incomplete(alerts: Sequence[Alert]) -> list[Named]:
    """Objects of alerts that are kept, to be fetched from a broker: those that are new here, and were seen before their packet says how."""
    there = passed.stored([a.key for a in alerts])
    if not (new := [a for a in alerts if a.key not in there]):
        return []
    nights = passed.nights_before(new)
    return [
        Named(a.survey, a.object_id, "keep rules", "it was seen before it was kept: its packet lacks the beginning of its light curve")
        for a, n in zip(new, nights.tolist(), strict=True)
        if (n and len(a.detections) == 1) or _lacks(a)
    ]


def _lacks(alert: Alert) -> bool:
    """Whether the survey states a detection a day or more before the first in the packet."""
    seen = alert.detections["mjd"][significance.alerts(alert.detections)]
    stated = None if alert.lifetime is None else alert.lifetime.first_mjd
    return stated is not None and len(seen) > 0 and bool(stated < seen.min() - 1.0)


def classifiers_of(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Names of the classifiers of ours that the rules ask."""
    local = (rule for rule in rules if "label" in rule and rule.get("origin", LOCAL) == LOCAL)
    return tuple(dict.fromkeys(rule.get("classifier", CLASSIFIER) for rule in local))


def _survey(rule: Rule, alerts: Sequence[Alert], _: Classified) -> Mask:
    return np.array([alert.survey == rule["survey"] for alert in alerts], bool)


def _still(rule: Rule, alerts: Sequence[Alert], _: Classified) -> Mask:
    return np.array([alert.moving == rule["moving"] for alert in alerts], bool)


def _label(rule: Rule, alerts: Sequence[Alert], classified: Classified) -> Mask:
    label, least, origin = rule["label"], rule.get("probability", 0.5), rule.get("origin", LOCAL)
    if origin != LOCAL:
        return np.array([_said(alert, origin, rule) >= least for alert in alerts], bool)
    by = classified[rule.get("classifier", CLASSIFIER)]
    columns = [i for i, name in enumerate(by.classes) if label in (name, ours(name), BRANCH.get(ours(name) or name))]
    enough: Mask = np.nan_to_num(by.probabilities[:, columns].sum(axis=1)) >= least
    return enough


def _said(alert: Alert, origin: str, rule: Rule) -> float:
    """Probability that a broker gives the label of a rule in the alert itself."""
    given = (one for one in alert.labels if one.broker == origin and rule.get("classifier") in (None, one.classifier))
    return float(np.nansum([one.probability for one in given if rule["label"] in (one.label, ours(one.label))]))


def _own(alerts: Sequence[Alert], name: str) -> NDArray[np.float64]:
    """A column of the measurement that raised each alert, shape (n,); NaN where the alert has none."""
    values = np.full(len(alerts), np.nan)
    for i, alert in enumerate(alerts):
        found = alert.detections[name][alert.detections["source_id"] == (alert.source_id or "")]
        if found.size:
            values[i] = found[0]
    return values


def _reliability(rule: Rule, alerts: Sequence[Alert], _: Classified) -> Mask:
    with np.errstate(invalid="ignore"):
        enough: Mask = _own(alerts, "reliability") >= rule["reliability"]
    return enough


def _magnitude(rule: Rule, alerts: Sequence[Alert], _: Classified) -> Mask:
    with np.errstate(invalid="ignore"):
        bright: Mask = photometry.magnitude_from_flux(np.abs(_own(alerts, "flux"))) <= rule["magnitude"]
    return bright


def _regions(rule: Rule, alerts: Sequence[Alert], _: Classified) -> Mask:
    places = unit_vectors(np.array([a.ra for a in alerts]), np.array([a.dec for a in alerts]))
    inside = np.zeros(len(alerts), bool)
    for ra, dec, radius in rule["regions"]:
        inside |= separation(places, unit_vectors(np.array([ra]), np.array([dec]))) <= 3600.0 * radius
    return inside


#: Key of a rule -> what its packet and its classification must say, in the order in which it is judged.
_OF_ALERTS: Mapping[str, Callable[[Rule, Sequence[Alert], Classified], Mask]] = MappingProxyType(
    {"survey": _survey, "moving": _still, "reliability": _reliability, "magnitude": _magnitude, "regions": _regions, "label": _label}
)


def _target(wanted: bool, alerts: Sequence[Alert]) -> Mask:
    near = targets.nearby([a.ra for a in alerts], [a.dec for a in alerts])
    return np.array([bool(found) == wanted for found in near], bool)


def _stored(wanted: bool, alerts: Sequence[Alert]) -> Mask:
    there = passed.stored([a.key for a in alerts])
    return np.array([(a.key in there) == wanted for a in alerts], bool)


def _before(least: int, alerts: Sequence[Alert]) -> Mask:
    enough: Mask = passed.nights_before(alerts) >= least
    return enough


def _watched(wanted: bool, alerts: Sequence[Alert]) -> Mask:
    inside = watch.inside([a.ra for a in alerts], [a.dec for a in alerts], [a.object_id for a in alerts])
    return inside if wanted else ~inside


def _filter(name: str, alerts: Sequence[Alert]) -> Mask:
    """Alerts that pass a saved filter that is on, by what each says itself: without the history, and without our classifications."""
    tree = saved.tree_of(name)
    if tree is None:
        logger.warning("a keep rule names the filter %r, which is not on or cannot be read: it keeps nothing", name)
        return np.zeros(len(alerts), bool)
    at = max(alert.mjd for alert in alerts)
    return filters.passing(tree, filters.of(arriving(alerts), at, filters.used(tree)), at)


#: Key of a rule -> what the tables must say.
_OF_TABLES: Mapping[str, Callable[[Any, Sequence[Alert]], Mask]] = MappingProxyType(
    {"stored": _stored, "target": _target, "watched": _watched, "before": _before, "filter": _filter}
)
