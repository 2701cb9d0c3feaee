"""Novelty: whether a spectroscopic class is known already."""

from __future__ import annotations

import numpy as np

from followup.records import Candidates, Night, Scores


def term(candidates: Candidates, night: Night, *, known: float = 0.2) -> Scores:
    """1 for a candidate without a spectroscopic class, ``known`` for one that has it, shape (n,)."""
    values = np.array([known if c.classified else 1.0 for c in candidates], dtype=np.float64)
    return Scores(values, tuple("has a spectroscopic class" if c.classified else "no spectroscopic class" for c in candidates))
