"""Columns of a batch of candidates: everything that a filter may ask, at one moment."""

from __future__ import annotations

from collections.abc import Iterable

from followup.batch import Batch
from followup.filters import measured
from followup.filters.known import fields
from followup.filters.records import Columns, Condition, Not, Tree


def of(batch: Batch, at: float, names: Iterable[str] | None = None) -> Columns:
    """Column -> values for n candidates at a moment (MJD, UTC), of all fields or of these."""
    measured.share(batch, at)
    wanted = fields() if names is None else {name: fields()[name] for name in names}
    found = {one.column: one for one in wanted.values()}
    return {**{column: one.values(batch, at) for column, one in found.items()}, **measured.place(batch)}


def used(tree: Tree) -> set[str]:
    """Names of the fields that a tree asks."""
    if isinstance(tree, Condition):
        return {tree.name}
    return {name for item in ((tree.item,) if isinstance(tree, Not) else tree.items) for name in used(item)}
