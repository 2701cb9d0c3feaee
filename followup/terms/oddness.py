"""Anomaly score of the light curve within its class, for searches for sources that fit no class."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores

#: Lowest score: a common light curve is not vetoed.
_LOWEST = 0.01


def term(candidates: Candidates, night: Night) -> Scores:
    """Share of the classifier's training set that is less anomalous, shape (n,); `NEUTRAL` where there is no anomaly score."""
    odd = Batch.of(candidates).oddness
    values = np.where(np.isfinite(odd), np.clip(odd, _LOWEST, 1.0), NEUTRAL)
    return Scores(
        values, Reasons(len(odd), lambda i: f"odder than {odd[i]:.0%} of its kind" if np.isfinite(odd[i]) else "not known how odd")
    )
