"""What surveys have seen it, and what people say of it."""

from __future__ import annotations

from typing import get_args

from followup.batch import Batch
from followup.filters.records import Field, Kind, joined
from followup.marks import Kind as MarkKind


def _surveys(batch: Batch, at: float) -> list[str]:
    states = batch.at(at)
    return [joined(states.seen_by(i)) for i in range(len(batch))]


def _marks(batch: Batch, at: float) -> list[str]:
    return [joined([mark.kind for mark in batch[i].marks if mark.holds(at)]) for i in range(len(batch))]


FIELDS = {
    "survey": Field("survey", "surveys that have detected it", Kind.WORDS, values=_surveys, column="surveys"),
    "mark": Field(
        "mark",
        "marks that somebody has put on it and that count now",
        Kind.WORDS,
        values=_marks,
        column="marks",
        choices=get_args(MarkKind),
    ),
}
