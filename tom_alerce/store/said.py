"""What classifiers had said of objects by a moment of the past."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from broker_adapters.times import mjd_from_datetime
from tom_alerce.models import Classification
from tom_alerce.store.classifications import LOCAL
from tom_alerce.store.sql import chunks


@dataclass(frozen=True, slots=True)
class Said:
    """One classification: when it was stored (MJD, UTC), by which classifier, its probabilities and the anomaly score, NaN without one."""

    mjd: float
    classifier: str
    probabilities: Mapping[str, float]
    oddness: float


def history(sky_ids: Iterable[int]) -> dict[int, list[Said]]:
    """Sky object -> everything that classifiers said of it, in the order in which it was stored."""
    found: dict[int, list[Said]] = {}
    columns = ("sky_object_id", "created", "origin", "classifier", "probabilities", "details")
    for part in chunks(sky_ids):
        rows = Classification.objects.filter(sky_object__in=part).exclude(label="").order_by("created", "pk")
        for key, created, origin, classifier, probabilities, details in rows.values_list(*columns):
            odd = details.get("oddness") if origin == LOCAL else None
            found.setdefault(key, []).append(
                Said(
                    mjd_from_datetime(created),
                    classifier if origin == LOCAL else f"{origin} {classifier}",
                    {c: float(p) for c, p in probabilities.items() if p is not None},
                    math.nan if odd is None else float(odd),
                )
            )
    return found
