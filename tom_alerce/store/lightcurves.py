"""Light curves into and out of the table of detections, as arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import DETECTION, Detections
from tom_alerce.models import Detection
from tom_alerce.store.sql import chunks, insert_ignore

_NAMES: tuple[str, ...] = DETECTION.names or ()
_OWNED = np.dtype([("owner", "i8"), *DETECTION.descr])


def insert(rows: Detections, owner: NDArray[np.int64]) -> int:
    """Write rows, shape (n,), of the survey objects ``owner``, shape (n,); how many were new.

    Of repeats of (survey, source id) the first is kept. Rows go in the order of their identity, the same in every worker, so that two
    workers with the same rows never wait for one another in a circle.
    """
    order = np.lexsort((rows["source_id"], rows["survey"]))
    columns = [owner[order].tolist(), *(_column(rows[name][order]) for name in _NAMES)]
    return insert_ignore(Detection, ("survey_object", *_NAMES), list(zip(*columns, strict=True)))


def read(owners: Iterable[int]) -> NDArray[np.void]:
    """All measurements of survey objects, ordered by object and time: an array of `DETECTION` with the field ``owner`` before it."""
    found: list[tuple[object, ...]] = []
    for ids in chunks(sorted(owners)):
        query = Detection.objects.filter(survey_object__in=ids).order_by("survey_object_id", "mjd", "source_id")
        found += query.values_list("survey_object_id", *_NAMES)
    return np.array(found, dtype=_OWNED)


def split(rows: NDArray[np.void]) -> dict[int, Detections]:
    """Owner -> its rows, without the owner, from the answer of `read`."""
    bare = np.empty(len(rows), DETECTION)
    for name in _NAMES:
        bare[name] = rows[name]
    owners, starts = np.unique(rows["owner"], return_index=True)
    return dict(zip(owners.tolist(), np.split(bare, starts[1:]), strict=True)) if len(rows) else {}


def _column(values: NDArray[np.generic]) -> list[object]:
    """Python values of a column, None for NaN, which PostgreSQL would keep as a number."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    column = values.astype(object)
    column[np.isnan(values)] = None
    return list(column)
