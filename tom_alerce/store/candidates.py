"""Reads sky objects as candidates, the records that are ranked."""

from __future__ import annotations

import math
from collections.abc import Iterable

from django.db.models import QuerySet

from broker_adapters import tns
from followup.records import Candidate
from tom_alerce import visible
from tom_alerce.clock import now
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store import marks
from tom_alerce.store.classifications import LOCAL, detail, latest
from tom_alerce.store.sky import load


def candidates(skies: QuerySet[SkyObject]) -> list[Candidate]:
    """Candidates of these objects, in the order of their keys."""
    rows = list(skies.prefetch_related("survey_objects", visible.seen_target(None)).order_by("pk"))
    classifications = latest([row.pk for row in rows])
    marked = marks.of([row.pk for row in rows], now())
    return [
        Candidate(
            key=str(row.pk),
            name=row.name,
            ra=row.ra,
            dec=row.dec,
            detections=one.detections,
            first_seen=_number(row.first_seen_mjd),
            n_seen=row.n_seen,
            probabilities=_probabilities(classifications.get(row.pk, ())),
            oddness=_number(detail(classifications.get(row.pk, ()), "oddness")),
            marks=marked.get(row.pk, ()),
            classified=any(tns.spectroscopic(name) for name in (row.name, *(n for m in row.survey_objects.all() for n in m.names))),
        )
        for row, one in zip(rows, load([row.pk for row in rows]), strict=True)
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _probabilities(classifications: Iterable[Classification]) -> dict[str, dict[str, float]]:
    """Class probabilities by classifier; a broker's classifier is named ``broker classifier``."""
    return {
        one.classifier if one.origin == LOCAL else f"{one.origin} {one.classifier}": {
            c: float(p) for c, p in one.probabilities.items() if p is not None
        }
        for one in classifications
    }
