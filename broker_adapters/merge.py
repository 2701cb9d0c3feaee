"""One light curve of many deliveries: each measurement once, and of copies that differ the most complete.

The same measurement arrives in several packets and through several brokers, some of which leave fields out or round them. A measurement
is identified by (survey, source id). Of its copies that with fewer missing numbers is kept; then an alert before forced photometry; then
the smaller numbers, so that the result never depends on the order in which copies arrive.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import DETECTION, Detections, frozen

_NUMBERS = tuple(name for name in DETECTION.names or () if DETECTION[name].kind == "f")


def union(rows: Iterable[Detections]) -> Detections:
    """All measurements of some light curves, once each, in time order, read-only."""
    every = np.concatenate(list(rows))
    return frozen(every[np.lexsort(_preference(every)[::-1])])


def best_copies(rows: Detections) -> NDArray[np.intp]:
    """Index of the copy to keep of each measurement among n rows, in the order of (survey, source id)."""
    order = np.lexsort((*_preference(rows)[::-1], rows["source_id"], rows["survey"]))
    ordered = rows[order]
    new = np.ones(len(rows), bool)
    new[1:] = (ordered["survey"][1:] != ordered["survey"][:-1]) | (ordered["source_id"][1:] != ordered["source_id"][:-1])
    kept: NDArray[np.intp] = order[new]
    return kept


def improves(copies: Detections, stored: Detections) -> NDArray[np.bool_]:
    """Whether each of n copies is to replace the stored copy of the same measurement, shape (n,)."""
    better, undecided = np.zeros(len(copies), bool), np.ones(len(copies), bool)
    for mine, theirs in zip(_preference(copies), _preference(stored), strict=True):
        better |= undecided & (mine < theirs)
        undecided &= mine == theirs
    return better


def _preference(rows: Detections) -> list[NDArray[np.float64]]:
    """Columns by which copies are compared, the most important first; less is better."""
    numbers = [rows[name].astype(float) for name in reversed(_NUMBERS)]
    missing = np.sum([np.isnan(column) for column in numbers], axis=0, dtype=float)
    return [missing, rows["kind"].astype(float), *(np.nan_to_num(column, nan=np.inf, posinf=np.inf, neginf=-np.inf) for column in numbers)]
