"""Reads and classifies the packets of a stream, without the database: what one thread does while another stores the batch before.

Where there are keep rules (`tom_alerce.pipeline.keep`), alerts are read without their histories, and whole only if they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from broker_adapters.records import Alert, SkyObject
from broker_adapters.sources.archives import Packet, records
from classifiers.records import Classification, Classifier, ClassifierError
from tom_alerce import conf
from tom_alerce.pipeline import classify, items, keep
from tom_alerce.pipeline.items import Item
from tom_alerce.store.dead_letters import Refused
from tom_alerce.store.passed import Passed


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A batch that is ready for the database.

    Attributes
    ----------
    items : sequence of Item
        Alerts to be stored, with their histories, and what could not be read.
    heads : sequence of Item
        Alerts, without their histories, that no rule has kept so far.
    passed : sequence of Passed
        What is left of each of the heads if the tables do not keep it.
    verdict : Verdict
        About the heads.
    ruled : bool
        Whether there are rules.
    """

    items: Sequence[Item]
    heads: Sequence[Item]
    passed: Sequence[Passed]
    verdict: keep.Verdict
    ruled: bool = False


def prepare(packets: Sequence[Packet], rules: Sequence[keep.Rule] | None = None) -> Prepared:
    """Read packets, classify their alerts as far as the keep rules ask, and judge them; the rules are those of the settings if not given.

    Raises
    ------
    ClassifierError
        A classifier that the rules name cannot be loaded.
    """
    rules = conf.get("KEEP") if rules is None else rules
    found = [items.read(packet, history=not rules) for whole in packets for packet in records(whole)]
    if not rules:
        return Prepared(found, (), (), keep.judge((), (), {}))
    heads, others = [item for item in found if item.alert is not None], [item for item in found if item.alert is None]
    alerts = _alerts(heads)
    classified, failed = dict[str, Classification](), dict[int, Exception]()
    for name in keep.classifiers_of(rules):
        classified[name], wrong = _classified(_model(name), alerts)
        failed |= wrong
    verdict = keep.judge(rules, alerts, classified)
    sound = np.array([i not in failed for i in range(len(heads))], bool)
    others += [Item(heads[i].packet, refused=Refused.of(*heads[i].packet, error)) for i, error in failed.items()]
    others += [items.read(heads[i].packet) for i in np.flatnonzero(verdict.kept & sound)]
    rest = np.flatnonzero(~verdict.kept & sound)
    passed = _passed(alerts, next(iter(classified.values()), None))
    return Prepared(others, [heads[i] for i in rest], [passed[i] for i in rest], verdict.take(rest), ruled=True)


def _model(name: str) -> Classifier:
    try:
        return classify.classifier(name)
    except LookupError as error:
        raise ClassifierError(str(error)) from error


def _alerts(found: Sequence[Item]) -> list[Alert]:
    return [item.alert for item in found if item.alert is not None]


def _classified(model: Classifier, alerts: Sequence[Alert]) -> tuple[Classification, dict[int, Exception]]:
    """The classification of n alerts as objects of their own, and those at which the classifier fails, alone, by index."""
    if not alerts:
        return Classification(model.name, model.version, model.classes, np.empty((0, len(model.classes)))), {}
    try:
        return model.predict([_alone(alert) for alert in alerts]), {}
    except ClassifierError:
        raise
    except Exception as error:  # noqa: BLE001  # the boundary of classification: whatever is wrong with one alert, the rest is classified
        if len(alerts) == 1:
            return Classification(model.name, model.version, model.classes, np.full((1, len(model.classes)), np.nan)), {0: error}
    half = len(alerts) // 2
    (first, failed), (second, also) = _classified(model, alerts[:half]), _classified(model, alerts[half:])
    rows = np.concatenate([first.probabilities, second.probabilities])
    return Classification(model.name, model.version, model.classes, rows), failed | {half + i: error for i, error in also.items()}


def _alone(alert: Alert) -> SkyObject:
    return SkyObject(alert.ra, alert.dec, alert.position_err, alert.detections, (alert,), (alert.key,))


def _passed(alerts: Sequence[Alert], by: Classification | None) -> list[Passed]:
    if by is None:
        return [Passed(alert) for alert in alerts]
    best = np.nan_to_num(by.probabilities).max(axis=1, initial=0.0).tolist()
    return [Passed(alert, label or "", p) for alert, label, p in zip(alerts, by.labels, best, strict=True)]
