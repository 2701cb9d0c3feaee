"""Words of classifiers, ours and the brokers': appended, never changed; the latest word of each counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db.models import Exists, Max, OuterRef, QuerySet

from broker_adapters.records import Alert, BrokerLabel
from classifiers import records
from tom_alerce.models import Classification, SkyObject, SurveyObject
from tom_alerce.store.sanitize import json_safe, plain
from tom_alerce.store.sql import chunks

LOCAL = "local"


def unseen(classifier: str, version: str) -> QuerySet[SkyObject]:
    """Sky objects whose present evidence this version of a classifier has not seen."""
    said = Classification.objects.filter(
        sky_object=OuterRef("pk"), origin=LOCAL, classifier=classifier, version=version, evidence=OuterRef("evidence")
    )
    return SkyObject.objects.exclude(evidence="").filter(~Exists(said))


def save(said: records.Classification, skies: Sequence[SkyObject]) -> int:
    """Append what a classifier said of n sky objects, row i of object i; how many words are new.

    An object of which it cannot say anything gets an empty word, so that the same evidence is not shown to it again.
    """
    rows = []
    details = said.details or [{}] * len(skies)
    for sky, label, row, beside in zip(skies, said.labels, said.probabilities, details, strict=True):
        known = dict(zip(said.classes, map(float, row), strict=True)) if label else {}
        rows.append(
            Classification(
                sky_object=sky,
                origin=LOCAL,
                classifier=said.classifier,
                version=said.version,
                evidence=sky.evidence,
                label=label or "",
                probability=float(np.max(row)) if label else 0.0,
                probabilities=known,
                details=json_safe(beside),
                n_detections=sky.n_detections,
            )
        )
    return _append(rows)


def save_labels(alerts: Iterable[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> int:
    """Append what brokers say in the labels of alerts; how many words are new.

    A broker's word has no evidence that we could see: it is the word itself with the time of the latest detection that it came with.
    """
    rows = {}
    for alert in alerts:
        o = objects[alert.key]
        for (broker, classifier, version), labels in _by_classifier(alert.labels).items():
            probabilities = json_safe({label.label: label.probability for label in labels})
            best = max(labels, key=lambda label: label.probability if np.isfinite(label.probability) else -1.0)
            text = f"{o.survey} {o.object_id} {alert.mjd:.6f} {sorted(probabilities.items())}"
            row = Classification(
                sky_object_id=o.sky_object_id,
                survey_object=o,
                origin=plain(broker)[:16],
                classifier=plain(classifier)[:64],
                version=plain(version)[:64],
                evidence=hashlib.sha256(text.encode()).hexdigest(),
                label=plain(best.label)[:64],
                probability=best.probability if np.isfinite(best.probability) else 0.0,
                probabilities=probabilities,
                n_detections=o.n_detections,
            )
            rows[row.sky_object_id, row.origin, row.classifier, row.version, row.evidence] = row
    return _append(list(rows.values()))


def latest(sky_ids: Iterable[int]) -> dict[int, list[Classification]]:
    """Sky object -> the latest word of each classifier of each origin, without those that cannot say; ours first, then by name."""
    words: dict[int, list[Classification]] = {}
    for part in chunks(sky_ids):
        found = last(Classification.objects.filter(sky_object__in=part))
        for word in sorted(found, key=lambda w: (w.origin != LOCAL, w.origin, w.classifier, w.pk)):
            words.setdefault(word.sky_object_id, []).append(word)
    return words


def detail(words: Iterable[Classification], name: str) -> Any:
    """What one of our own classifiers says under that name beside the class; None where none of these words has it."""
    return next((w.details[name] for w in words if w.origin == LOCAL and w.details.get(name) is not None), None)


def last(words: QuerySet[Classification]) -> QuerySet[Classification]:
    """Of these words the latest of each classifier of each origin, without those that cannot say."""
    newest = words.values("sky_object", "survey_object", "origin", "classifier").annotate(newest=Max("pk"))
    return Classification.objects.filter(pk__in=newest.values("newest")).exclude(label="")


def _by_classifier(labels: Iterable[BrokerLabel]) -> dict[tuple[str, str, str], list[BrokerLabel]]:
    grouped: dict[tuple[str, str, str], list[BrokerLabel]] = {}
    for label in labels:
        grouped.setdefault((label.broker, label.classifier, label.version), []).append(label)
    return grouped


def _append(rows: Sequence[Classification]) -> int:
    """Write words that are not there yet."""
    new: list[Classification] = []
    for part in chunks(rows, 400):
        there = Classification.objects.filter(sky_object__in={r.sky_object_id for r in part}, evidence__in={r.evidence for r in part})
        known = set(there.values_list("sky_object_id", "origin", "classifier", "version", "evidence"))
        new += [r for r in part if (r.sky_object_id, r.origin, r.classifier, r.version, r.evidence) not in known]
    Classification.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return len(new)
