"""Light curves into and out of the table of detections, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from broker_adapters.merge import best_copies, improves
from broker_adapters.records import DETECTION, Detections, blank, frozen
from tom_alerce.models import Detection
from tom_alerce.store.sql import chunks, insert_ignore

_NAMES: tuple[str, ...] = DETECTION.names or ()
_OWNED = np.dtype([("owner", "i8"), *DETECTION.descr])


def save(rows: Detections, owner: NDArray[np.int64]) -> int:
    """Write rows, shape (n,), of the survey objects ``owner``, shape (n,); the number of measurements that were new.

    Of copies of one measurement the most complete is kept (`broker_adapters.merge`), whether they come in one batch or one after the
    other. Rows are written in the order of their identity, the same in every worker, so that two workers with the same rows never wait
    for one another in a circle.
    """
    best = best_copies(rows)
    rows, owner = rows[best], owner[best]
    known, copies, stored = _stored(rows, np.unique(owner).tolist())
    better = improves(rows[copies], stored)
    _replace(rows[copies[better]], [known[i] for i in np.flatnonzero(better)])
    fresh = np.ones(len(rows), bool)
    fresh[copies] = False
    columns = [owner[fresh].tolist(), *(_column(rows[name][fresh]) for name in _NAMES)]
    return insert_ignore(Detection, ("survey_object", *_NAMES), list(zip(*columns, strict=True)))


def _stored(rows: Detections, owners: Sequence[int]) -> tuple[list[int], NDArray[np.intp], Detections]:
    """The stored copies of rows that are there already: their primary keys, the index of each in ``rows``, and the copies."""
    place = {key: i for i, key in enumerate(zip(rows["survey"].tolist(), rows["source_id"].tolist(), strict=True))}
    known: list[int] = []
    index: list[int] = []
    copies: list[tuple[object, ...]] = []
    for ids in chunks(owners):
        for pk, *values in Detection.objects.filter(survey_object__in=ids).values_list("pk", *_NAMES):
            i = place.get((values[0], values[1]))
            if i is not None:
                known.append(pk)
                index.append(i)
                copies.append(tuple(values))
    return known, np.array(index, np.intp), np.array(copies, DETECTION)


def _replace(rows: Detections, keys: Sequence[int]) -> None:
    """Overwrite the measurements with these primary keys, but not what identifies them."""
    names = _NAMES[2:]
    columns = [_column(rows[name]) for name in names]
    for key, *values in zip(keys, *columns, strict=True):
        Detection.objects.filter(pk=key).update(**dict(zip(names, values, strict=True)))


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


def merged(curves: Mapping[int, Detections], owners: Iterable[int]) -> Detections:
    """The light curve of the survey objects of one source, in time order, read-only, out of what `split` gives."""
    return frozen(np.concatenate([blank(0), *(curves[owner] for owner in owners if owner in curves)]))


def _column(values: NDArray[np.generic]) -> list[object]:
    """Python values of a column, None for NaN, which PostgreSQL would keep as a number."""
    if values.dtype.kind != "f":
        return list(values.tolist())
    column = values.astype(object)
    column[np.isnan(values)] = None
    return list(column)
