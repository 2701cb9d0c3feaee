"""Classifications, ours and the brokers': appended, never changed; the latest of each classifier counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from django.db.models import Exists, Max, OuterRef, QuerySet

from broker_adapters.records import Alert, BrokerLabel
from classifiers import records
from tom_alerce.models import Classification, SkyObject, SurveyObject
from tom_alerce.store.sanitize import json_safe, sanitize_text
from tom_alerce.store.sql import chunks

LOCAL = "local"


def unseen(classifier: str, version: str) -> QuerySet[SkyObject]:
    """Sky objects whose present evidence (`SkyObject.evidence`) this version of a classifier has not classified."""
    done = Classification.objects.filter(
        sky_object=OuterRef("pk"), origin=LOCAL, classifier=classifier, version=version, evidence=OuterRef("evidence")
    )
    return SkyObject.objects.exclude(evidence="").filter(~Exists(done))


def save(result: records.Classification, skies: Sequence[SkyObject]) -> int:
    """Append the classification of n sky objects, row i of object i; return how many rows are new.

    An object that the classifier cannot say anything about gets a row without a label, so that the same evidence is not classified again.
    """
    rows = []
    details = result.details or [{}] * len(skies)
    for sky, label, row, detail_ in zip(skies, result.labels, result.probabilities, details, strict=True):
        probabilities = dict(zip(result.classes, map(float, row), strict=True)) if label else {}
        rows.append(
            Classification(
                sky_object=sky,
                origin=LOCAL,
                classifier=result.classifier,
                version=result.version,
                evidence=sky.evidence,
                label=label or "",
                probability=float(np.max(row)) if label else 0.0,
                probabilities=probabilities,
                details=json_safe(detail_),
                n_detections=sky.n_detections,
            )
        )
    return _append(rows)


def save_labels(alerts: Iterable[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> int:
    """Append the classifications that brokers sent as labels of alerts; return how many are new.

    The input of a broker's classifier is not known: the evidence is a digest of the labels themselves and of the time of the alert.
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
                origin=sanitize_text(broker)[:16],
                classifier=sanitize_text(classifier)[:64],
                version=sanitize_text(version)[:64],
                evidence=hashlib.sha256(text.encode()).hexdigest(),
                label=sanitize_text(best.label)[:64],
                probability=best.probability if np.isfinite(best.probability) else 0.0,
                probabilities=probabilities,
                n_detections=o.n_detections,
            )
            rows[row.sky_object_id, row.origin, row.classifier, row.version, row.evidence] = row
    return _append(list(rows.values()))


def latest(sky_ids: Iterable[int]) -> dict[int, list[Classification]]:
    """Sky object -> the latest classification by each classifier of each origin, if it has a label; ours first, then by name."""
    by_object: dict[int, list[Classification]] = {}
    for part in chunks(sky_ids):
        rows = last(Classification.objects.filter(sky_object__in=part))
        for row in sorted(rows, key=lambda r: (r.origin != LOCAL, r.origin, r.classifier, r.pk)):
            by_object.setdefault(row.sky_object_id, []).append(row)
    return by_object


def detail(classifications: Iterable[Classification], name: str) -> Any:
    """Value of that name in the details of the first of our own classifications that has one; None if none has."""
    return next((row.details[name] for row in classifications if row.origin == LOCAL and row.details.get(name) is not None), None)


def last(rows: QuerySet[Classification]) -> QuerySet[Classification]:
    """The latest of these rows by each classifier of each origin, if it has a label."""
    newest = rows.values("sky_object", "survey_object", "origin", "classifier").annotate(newest=Max("pk"))
    return Classification.objects.filter(pk__in=newest.values("newest")).exclude(label="")


def _by_classifier(labels: Iterable[BrokerLabel]) -> dict[tuple[str, str, str], list[BrokerLabel]]:
    grouped: dict[tuple[str, str, str], list[BrokerLabel]] = {}
    for label in labels:
        grouped.setdefault((label.broker, label.classifier, label.version), []).append(label)
    return grouped


def _append(rows: Sequence[Classification]) -> int:
    """Write rows that are not in the table yet; return how many."""
    new: list[Classification] = []
    for part in chunks(rows, 400):
        same = Classification.objects.filter(sky_object__in={r.sky_object_id for r in part}, evidence__in={r.evidence for r in part})
        stored = set(same.values_list("sky_object_id", "origin", "classifier", "version", "evidence"))
        new += [r for r in part if (r.sky_object_id, r.origin, r.classifier, r.version, r.evidence) not in stored]
    Classification.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return len(new)
