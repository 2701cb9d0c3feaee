"""Anomaly score of the light curve within its class, for searches for sources that fit no class."""

from __future__ import annotations

import numpy as np

from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: Lowest score: a common light curve is not vetoed.
_LOWEST = 0.01


def term(candidates: Candidates, night: Night) -> Scores:
    """Share of the classifier's training set that is less anomalous, shape (n,); `NEUTRAL` where there is no anomaly score."""
    odd = np.array([c.oddness for c in candidates], dtype=np.float64)
    values = np.where(np.isfinite(odd), np.clip(odd, _LOWEST, 1.0), NEUTRAL)
    return Scores(values, tuple(map(_reason, candidates)))


def _reason(candidate: Candidate) -> str:
    return f"odder than {candidate.oddness:.0%} of its kind" if np.isfinite(candidate.oddness) else "not known how odd"
