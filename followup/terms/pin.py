"""Pins: what people of the TOM want observed."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import NEUTRAL, Candidates, Mark, Night, Reasons, Scores


def term(candidates: Candidates, night: Night) -> Scores:
    """1 for a candidate that somebody has pinned, `NEUTRAL` for others, shape (n,); the reason says who, and what they say."""
    batch = Batch.of(candidates)
    said = {i: tuple(mark for mark in batch[i].marks if mark.kind == "pin" and mark.holds(night.now)) for i in batch.marked.tolist()}
    pins = {i: marks for i, marks in said.items() if marks}
    values = np.full(len(batch), NEUTRAL)
    values[list(pins)] = 1.0
    return Scores(values, Reasons(len(batch), lambda i: "; ".join(map(_words, pins.get(i, ()))) or "not pinned"))


def _words(mark: Mark) -> str:
    return f"pinned by {mark.author}" + (f": {mark.text}" if mark.text else "")
