"""Light curves into and out of the table of detections, as arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from broker_adapters.merge import best_copies, improves
from broker_adapters.records import DETECTION, Detections, blank, frozen
from followup.curves import Curves
from tom_alerce.models import Detection, SkyObject
from tom_alerce.store.sql import chunks, fetch, insert_ignore

_NAMES: tuple[str, ...] = DETECTION.names or ()
#: Columns that a ranking reads.
_READ = ("survey", "band", "kind", "mjd", "flux", "flux_err", "ref_flux")
_OWNED = np.dtype([("owner", "i8"), *DETECTION.descr])


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """What `save` did: how many measurements were new, the identities (survey, source id) of those that are new or replaced, and what
    `read` gives now.
    """

    added: int
    changed: frozenset[tuple[str, str]]
    curves: NDArray[np.void]


def save(rows: Detections, owner: NDArray[np.int64]) -> Written:
    """Write rows, shape (n,), of the survey objects ``owner``, shape (n,).

    Of copies of one measurement the most complete is kept (`broker_adapters.merge`), whether they come in one batch or one after the
    other. Rows are written in the order of their identity, the same in every worker, so that two workers with the same rows never wait
    for one another in a circle.
    """
    best, owners = best_copies(rows), np.unique(owner).tolist()
    rows, owner = rows[best], owner[best]
    keys, stored = _stored(owners)
    index, copies = _same(rows, stored)
    better = improves(rows[copies], stored[list(_NAMES)][index])
    _replace(rows[copies[better]], [keys[i] for i in index[better]])
    fresh = np.ones(len(rows), bool)
    fresh[copies] = False
    columns = [owner[fresh].tolist(), *(_column(rows[name][fresh]) for name in _NAMES)]
    added = insert_ignore(Detection, ("survey_object", *_NAMES), list(zip(*columns, strict=True)))
    touched = fresh.copy()
    touched[copies[better]] = True
    changed = frozenset(zip(rows["survey"][touched].tolist(), rows["source_id"][touched].tolist(), strict=True))
    if added < fresh.sum():  # some are another object's
        return Written(added, changed, read(owners))
    new = np.empty(added, _OWNED)
    new["owner"] = owner[fresh]
    for name in _NAMES:
        new[name] = rows[name][fresh]
        stored[name][index[better]] = rows[name][copies[better]]
    return Written(added, changed, _ordered(np.concatenate([stored, new])))


def _stored(owners: Iterable[int]) -> tuple[list[int], NDArray[np.void]]:
    """Primary keys of all measurements of survey objects, and the measurements, in no order."""
    found: list[tuple[object, ...]] = []
    keys: list[int] = []
    for ids in chunks(sorted(owners)):
        for pk, *values in Detection.objects.filter(survey_object__in=ids).values_list("pk", "survey_object_id", *_NAMES):
            keys.append(pk)
            found.append(tuple(values))
    return keys, np.array(found, _OWNED)


def _same(rows: Detections, stored: NDArray[np.void]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index into the stored measurements, and into rows, of those that are in both, shape (m,) each."""
    place = {key: i for i, key in enumerate(zip(rows["survey"].tolist(), rows["source_id"].tolist(), strict=True))}
    found = [place.get(key, -1) for key in zip(stored["survey"].tolist(), stored["source_id"].tolist(), strict=True)]
    copies = np.array(found, np.intp)
    return np.flatnonzero(copies >= 0), copies[copies >= 0]


def _replace(rows: Detections, keys: Sequence[int]) -> None:
    """Overwrite the measurements with these primary keys, but not what identifies them."""
    names = _NAMES[2:]
    columns = [_column(rows[name]) for name in names]
    for key, *values in zip(keys, *columns, strict=True):
        Detection.objects.filter(pk=key).update(**dict(zip(names, values, strict=True)))


def read(owners: Iterable[int]) -> NDArray[np.void]:
    """All measurements of survey objects, ordered by object and time: an array of `DETECTION` with the field ``owner`` before it."""
    return _ordered(_stored(owners)[1])


def _ordered(rows: NDArray[np.void]) -> NDArray[np.void]:
    ordered: NDArray[np.void] = rows[np.lexsort((rows["source_id"], rows["mjd"], rows["owner"]))]
    return ordered


def split(rows: NDArray[np.void]) -> dict[int, Detections]:
    """Owner -> its rows, without the owner, from the answer of `read`."""
    bare = np.empty(len(rows), DETECTION)
    for name in _NAMES:
        bare[name] = rows[name]  # PostgreSQL tells -0.0 from 0.0, and SQLite does not
        if DETECTION[name].kind == "f":
            bare[name] += 0.0
    owners, starts = np.unique(rows["owner"], return_index=True)
    return dict(zip(owners.tolist(), np.split(bare, starts[1:]), strict=True)) if len(rows) else {}


def digests(rows: NDArray[np.void]) -> dict[int, str]:
    """Owner -> digest of the contents of all its measurements, from the answer of `read`."""
    return {owner: hashlib.sha256(curve.tobytes()).hexdigest() for owner, curve in split(rows).items()}


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


def columns(skies: QuerySet[SkyObject], keys: Sequence[int]) -> Curves:
    """Light curves of these sky objects, whose keys are ascending, as the columns that a ranking reads."""
    rows = Detection.objects.filter(survey_object__sky_object__in=skies.values("pk")).order_by()
    found = fetch(rows.values_list("survey_object__sky_object", *_READ))
    owner, survey, band, *numbers = zip(*found, strict=True) if found else [()] * (1 + len(_READ))
    place = np.searchsorted(np.asarray(keys, np.int64), np.array(owner, np.int64))
    survey_codes, surveys = _coded(survey)
    band_codes, bands = _coded(band)
    kind, mjd, flux, flux_err, ref_flux = (np.array(column, np.float64) for column in numbers)
    order = np.lexsort((mjd, place))
    start = np.searchsorted(place[order], np.arange(len(keys) + 1))
    times, fluxes, errors, references = (column[order] for column in (mjd, flux, flux_err, ref_flux))
    return Curves(
        start, times, fluxes, errors, references, kind[order].astype(np.uint8), survey_codes[order], band_codes[order], surveys, bands
    )


def _coded(texts: Sequence[str]) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """A small number for each text, and the texts."""
    known = tuple(sorted(set(texts)))
    place = {text: i for i, text in enumerate(known)}
    return np.fromiter(map(place.__getitem__, texts), np.uint16, len(texts)), known
