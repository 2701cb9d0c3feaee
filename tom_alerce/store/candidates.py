"""Sky objects out of the tables, as the records that are ranked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from django.db.models import QuerySet

from followup.records import Candidate
from tom_alerce.models import Classification, SkyObject
from tom_alerce.store.classifications import LOCAL, detail, latest
from tom_alerce.store.sky import load

#: TNS gives the prefix SN to what has a spectrum; before that it is AT.
_SPECTROSCOPIC = re.compile(r"SN\s?(19|20)\d\d[A-Za-z]+")


def candidates(skies: QuerySet[SkyObject]) -> list[Candidate]:
    """A candidate for each object, in the order of their keys."""
    rows = list(skies.select_related("target").prefetch_related("survey_objects").order_by("pk"))
    words = latest([row.pk for row in rows])
    return [
        Candidate(
            key=str(row.pk),
            name=row.name,
            ra=row.ra,
            dec=row.dec,
            detections=one.detections,
            probabilities=_probabilities(words.get(row.pk, ())),
            oddness=_number(detail(words.get(row.pk, ()), "oddness")),
            classified=any(_SPECTROSCOPIC.fullmatch(name) for name in (row.name, *(n for m in row.survey_objects.all() for n in m.names))),
        )
        for row, one in zip(rows, load([row.pk for row in rows]), strict=True)
    ]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _probabilities(words: Iterable[Classification]) -> dict[str, dict[str, float]]:
    """The latest words by classifier, a broker's under ``broker classifier``."""
    return {
        w.classifier if w.origin == LOCAL else f"{w.origin} {w.classifier}": {
            c: float(p) for c, p in w.probabilities.items() if p is not None
        }
        for w in words
    }
