"""Pins: what people of the TOM want observed."""

from __future__ import annotations

import numpy as np

from followup.records import NEUTRAL, Candidates, Mark, Night, Reasons, Scores


def term(candidates: Candidates, night: Night) -> Scores:
    """1 for a candidate that somebody has pinned, `NEUTRAL` for others, shape (n,); the reason says who, and what they say."""
    pins = [tuple(mark for mark in c.marks if mark.kind == "pin" and mark.holds(night.now)) for c in candidates]
    values = np.array([1.0 if own else NEUTRAL for own in pins], dtype=np.float64)
    return Scores(values, Reasons(len(pins), lambda i: "; ".join(map(_words, pins[i])) or "not pinned"))


def _words(mark: Mark) -> str:
    return f"pinned by {mark.author}" + (f": {mark.text}" if mark.text else "")
