"""Columns of a batch of candidates: everything that a filter may ask, at one moment."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from followup.batch import Batch
from followup.filters import measured
from followup.filters.discovery import known
from followup.filters.records import Column, Columns, Condition, Not, Tree


def of(batch: Batch, at: float, names: Iterable[str] | None = None) -> Columns:
    """Column -> values for n candidates at a moment (MJD, UTC), of all fields or of these; a number that is not finite is not known."""
    measured.share(batch, at)
    wanted = known() if names is None else {name: known()[name] for name in names}
    found = {one.column: one for one in wanted.values()}
    return {**{column: _finite(one.values(batch, at)) for column, one in found.items()}, **measured.place(batch)}


def _finite(column: Column) -> Column:
    return np.where(np.isfinite(column), column, np.nan) if isinstance(column, np.ndarray) else column


def used(tree: Tree) -> set[str]:
    """Names of the fields that a tree asks."""
    if isinstance(tree, Condition):
        return {tree.name}
    return {name for item in ((tree.item,) if isinstance(tree, Not) else tree.items) for name in used(item)}
