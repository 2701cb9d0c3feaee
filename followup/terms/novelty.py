"""Novelty: whether a spectroscopic class is known already."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Scores


def term(candidates: Candidates, night: Night, *, known: float = 0.2) -> Scores:
    """1 for a candidate without a spectroscopic class, ``known`` for one that has it, shape (n,)."""
    has = Batch.of(candidates).classified
    return Scores(np.where(has, known, 1.0), Reasons(len(has), lambda i: f"{'has a' if has[i] else 'no'} spectroscopic class"))
