"""Classifications, ours and the brokers': appended, never changed; that of the present evidence counts.

Evidence comes and goes: two objects are linked and unlinked, a broker takes a label back. The current row of one of our classifiers is
that of the evidence which the object has now, even if another was classified since; as long as the present evidence has not been
classified, the newest row stands in. The current row of a broker's classifier is about the latest alert, and of several about one alert
it is what the broker said last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.fields.json import KT
from django.db.models.functions import RowNumber

from broker_adapters.records import Alert, BrokerLabel
from classifiers import records
from followup.cycles import Cycle
from tom_alerce.models import Classification, SkyObject, SurveyObject
from tom_alerce.store import reclassified
from tom_alerce.store.sanitize import json_safe, sanitize_text
from tom_alerce.store.sql import begin_write, chunks

LOCAL = "local"


@dataclass(slots=True)
class Opinion:
    """What classifiers say of one object: class probabilities by classifier, and of ours the first anomaly score and cycle, if any."""

    probabilities: dict[str, dict[str, float]]
    oddness: float | None = None
    cycle: Cycle | None = None


#: Of an object of which nobody says anything.
SILENT = Opinion({})

#: What a broker's label is about: survey object, origin, classifier, time of the alert.
_Subject = tuple[int | None, str, str, float | None]

_GROUP = ("sky_object", "survey_object", "origin", "classifier")
_IDENTITY = ("sky_object", "origin", "classifier", "version", "evidence")
#: Order of the rows of a group: the current one is first.
_CURRENT = (
    Case(When(evidence=F("sky_object__evidence"), then=Value(0)), default=Value(1), output_field=IntegerField()).asc(),
    F("mjd").desc(nulls_last=True),
    F("pk").desc(),
)


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
    keys = reclassified.asked(rows)
    of_them = Classification.objects.filter(sky_object__in=keys, origin=LOCAL, classifier=result.classifier)
    with transaction.atomic():
        begin_write()
        before = {(row.sky_object_id, row.classifier): row for row in last(of_them)} if keys else {}
        added = _append(rows)
        reclassified.note(rows, before, keys)
    return added


def save_labels(alerts: Iterable[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> int:
    """Append the classifications that brokers sent as labels of alerts; return how many are new.

    The input of a broker's classifier is not known: the evidence is a digest of the labels themselves and of the time of the alert.
    """
    rows: dict[tuple[object, ...], Classification] = {}
    for alert in alerts:
        o = objects[alert.key]
        for (broker, classifier, version), labels in _by_classifier(alert.labels).items():
            probabilities = json_safe({label.label: label.probability for label in labels})
            best = max(labels, key=lambda label: (label.probability if np.isfinite(label.probability) else -1.0, label.label))
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
                mjd=alert.mjd,
            )
            rows.pop(_identity(row), None)
            rows[_identity(row)] = row
    _take_back(list(rows.values()))
    return _append(list(rows.values()))


def latest(sky_ids: Iterable[int]) -> dict[int, list[Classification]]:
    """Sky object -> the current classification by each classifier of each origin, if it has a label; ours first, then by name."""
    by_object: dict[int, list[Classification]] = {}
    for part in chunks(sky_ids):
        rows = last(Classification.objects.filter(sky_object__in=part))
        for row in sorted(rows, key=lambda r: (r.origin != LOCAL, r.origin, r.classifier, r.mjd or 0.0, r.pk)):
            by_object.setdefault(row.sky_object_id, []).append(row)
    return by_object


def spoken(sky_ids: Iterable[int], *, details: bool = True) -> tuple[dict[int, list[Classification]], dict[int, list[Classification]]]:
    """Sky object -> what `latest` gives, and -> answers "cannot say" of ours about the present evidence, unless another version has one.

    Where the ``details`` are not asked for they are not read: a forecast is long.
    """
    said: dict[int, list[Classification]] = {}
    silent: dict[int, list[Classification]] = {}
    mute = Q(label="", origin=LOCAL, evidence=F("sky_object__evidence"))
    for part in chunks(sky_ids):
        every = Classification.objects.filter(sky_object__in=part)
        ordered = every.annotate(place=Window(RowNumber(), partition_by=list(_GROUP), order_by=list(_CURRENT)))
        rows = every.filter(mute | (Q(pk__in=ordered.filter(place=1).values("pk")) & ~Q(label="")))
        rows = rows if details else rows.defer("details")
        for row in sorted(rows, key=lambda r: (r.origin != LOCAL, r.origin, r.classifier, r.mjd or 0.0, r.pk)):
            (said if row.label else silent).setdefault(row.sky_object_id, []).append(row)
    for key, own in silent.items():
        answered = {row.classifier for row in said.get(key, ()) if row.origin == LOCAL}
        last = {row.classifier: row for row in own if row.classifier not in answered}
        silent[key] = list(last.values())
    return said, silent


def opinions(skies: QuerySet[SkyObject]) -> dict[int, Opinion]:
    """Sky object -> what its current classifications say (`latest`), ours first; a broker's classifier is named ``broker classifier``."""
    names = ("sky_object_id", "origin", "classifier", "mjd", "pk", "probabilities")
    details = (KT("details__oddness"), KT("details__cycle"))
    rows = last(Classification.objects.filter(sky_object__in=skies.values("pk"))).values_list(*names, *details)
    found: dict[int, Opinion] = {}
    ordered = sorted(rows, key=lambda r: (r[1] != LOCAL, r[1], r[2], r[3] or 0.0, r[4]))
    for sky, origin, classifier, _, _, probabilities, odd, cycle in ordered:
        one = found.setdefault(sky, Opinion({}))
        name = classifier if origin == LOCAL else f"{origin} {classifier}"
        one.probabilities[name] = {c: float(p) for c, p in probabilities.items() if p is not None}
        if one.oddness is None and origin == LOCAL and odd is not None:
            one.oddness = float(odd)
        if one.cycle is None and origin == LOCAL and cycle is not None:
            one.cycle = Cycle.of(json.loads(cycle))
    return found


def detail(classifications: Iterable[Classification], name: str) -> Any:
    """Value of that name in the details of the first of our own classifications that has one; None if none has."""
    return next((row.details[name] for row in classifications if row.origin == LOCAL and row.details.get(name) is not None), None)


def last(rows: QuerySet[Classification]) -> QuerySet[Classification]:
    """The current ones of these rows by each classifier of each origin, if they have a label."""
    ordered = rows.annotate(place=Window(RowNumber(), partition_by=list(_GROUP), order_by=list(_CURRENT)))
    return Classification.objects.filter(pk__in=ordered.filter(place=1).values("pk")).exclude(label="")


def is_current() -> ExpressionWrapper[Q]:
    """Database expression: whether a row of the table is the current one of its classifier."""
    same = {name: OuterRef(name) for name in _GROUP if name != "survey_object"}
    about = Q(survey_object=OuterRef("survey_object")) | Q(survey_object=None, origin=LOCAL)
    first = Classification.objects.filter(about, **same).order_by(*_CURRENT).values("pk")[:1]
    return ExpressionWrapper(Q(pk=Subquery(first)), output_field=BooleanField())


def hand_over(giver: SkyObject, taker: SkyObject, **which: Any) -> None:
    """Give one sky object's classifications (those for which ``which`` holds) to another that has not got the same."""
    got = {name: OuterRef(name) for name in _IDENTITY if name != "sky_object"}
    same = Classification.objects.filter(sky_object=taker, **got)
    keys = giver.classifications.filter(~Exists(same), **which).values_list("pk", flat=True)
    for part in chunks(list(keys)):
        Classification.objects.filter(pk__in=part).update(sky_object=taker)


def _by_classifier(labels: Iterable[BrokerLabel]) -> dict[tuple[str, str, str], list[BrokerLabel]]:
    grouped: dict[tuple[str, str, str], list[BrokerLabel]] = {}
    for label in labels:
        grouped.setdefault((label.broker, label.classifier, label.version), []).append(label)
    return grouped


def _identity(row: Classification) -> tuple[object, ...]:
    return row.sky_object_id, row.origin, row.classifier, row.version, row.evidence


def _subject(row: Classification) -> _Subject:
    return row.survey_object_id, row.origin, row.classifier, row.mjd


def _take_back(rows: Sequence[Classification]) -> None:
    """Remove stored copies of labels that a broker has replaced and now says again, about the same alert: they become the last word.

    Of several labels about one alert in ``rows`` the last one counts.
    """
    said: dict[_Subject, list[str]] = {}
    for row in rows:
        said.setdefault(_subject(row), []).append(row.evidence)
    for part in chunks(said.items(), 200):
        about = Classification.objects.filter(survey_object__in={key[0] for key, _ in part}, mjd__in={key[3] for key, _ in part})
        stored: dict[_Subject, dict[str, int]] = {}
        for row in about.only("evidence", "survey_object_id", "origin", "classifier", "mjd").order_by("pk"):
            stored.setdefault(_subject(row), {})[row.evidence] = row.pk
        replaced = [
            known[evidences[-1]]
            for subject, evidences in part
            if evidences[-1] in (known := stored.get(subject, {}))
            and (list(known)[-1] != evidences[-1] or not known.keys() >= set(evidences))
        ]
        Classification.objects.filter(pk__in=replaced).delete()


def _append(rows: Sequence[Classification]) -> int:
    """Write rows that are not in the table yet; return how many."""
    new: list[Classification] = []
    for part in chunks(rows, 400):
        same = Classification.objects.filter(sky_object__in={r.sky_object_id for r in part}, evidence__in={r.evidence for r in part})
        stored = set(same.values_list("sky_object_id", "origin", "classifier", "version", "evidence"))
        new += [r for r in part if _identity(r) not in stored]
    Classification.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return len(new)
