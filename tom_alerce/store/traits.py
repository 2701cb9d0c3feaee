"""Stores what filters ask of objects, so that a search over all of them reads no light curve."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
from django.db import transaction
from django.db.models import F, Q, QuerySet

from followup import filters
from followup.filters import Columns
from tom_alerce.clock import now
from tom_alerce.models import SkyObject, Traits
from tom_alerce.store.candidates import candidates
from tom_alerce.store.sql import begin_write, chunks, insert_ignore

#: Columns that fields have; marks are looked up.
STORED = tuple(sorted({field.name for field in Traits._meta.concrete_fields} - {"sky_object", "mjd", "evidence"}))
#: Objects whose light curves are in memory together.
AT_ONCE = 500


def refresh(sky_object_ids: Iterable[int], at: float | None = None) -> Iterator[tuple[list[int], Columns]]:
    """Work out and store what is known of these objects now; keys and columns of each part, as filters read them.

    Known solar-system objects are left out. ``at`` (MJD, UTC) is for tests.
    """
    at = now() if at is None else at
    for part in chunks(sorted(set(sky_object_ids)), AT_ONCE):
        skies = SkyObject.objects.filter(pk__in=part, moving=False)
        evidence = dict(skies.values_list("pk", "evidence"))
        if not evidence:
            continue
        batch = candidates(SkyObject.objects.filter(pk__in=list(evidence)), at)
        keys = [int(one.key) for one in batch]
        columns = filters.of(batch, at)
        _write(keys, columns, evidence, at)
        yield keys, columns


def stale(at: float, days: float, every: float) -> QuerySet[SkyObject]:
    """Objects that have to be looked at: with another evidence than then, or seen within ``days`` and not looked at for ``every`` days."""
    known = Q(traits__evidence=F("evidence")) & (Q(traits__mjd__gte=at - every) | ~Q(last_mjd__gte=at - days))
    return SkyObject.objects.filter(moving=False).exclude(evidence="").exclude(pk__in=SkyObject.objects.filter(known).values("pk"))


def _write(keys: Sequence[int], columns: Columns, evidence: Mapping[int, str], at: float) -> None:
    cells = zip(keys, *(_cells(columns[name]) for name in STORED), strict=True)
    with transaction.atomic():
        begin_write()
        there = set(SkyObject.objects.filter(pk__in=keys).select_for_update().values_list("pk", flat=True))
        Traits.objects.filter(pk__in=keys).delete()
        rows = [(key, at, evidence[key], *values) for key, *values in cells if key in there]
        insert_ignore(Traits, ("sky_object", "mjd", "evidence", *STORED), rows)


def _cells(column: Any) -> list[Any]:
    """Values of a column for the table: None where a number is not known, JSON of numbers by key."""
    if isinstance(column, np.ndarray):
        return [None if np.isnan(value) else value for value in cast(list[float], column.tolist())]
    return [one if isinstance(one, str) else json.dumps(one) for one in column]
