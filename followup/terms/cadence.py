"""Cadence: the time since we observed it last ourselves."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Scores

#: Lowest score, of what was observed just now.
_LEAST = 0.02


def term(candidates: Candidates, night: Night, *, days: float = 5.0) -> Scores:
    """Time since our own latest observation over ``days``, at most 1, shape (n,); 1 where we have not observed it."""
    observed = Batch.of(candidates).observed
    since = night.now - np.where(observed <= night.now, observed, np.nan)
    values = np.where(np.isfinite(since), np.clip(since / days, _LEAST, 1.0), 1.0)
    return Scores(values, Reasons(len(values), lambda i: f"observed {since[i]:.1f} d ago" if np.isfinite(since[i]) else "not observed yet"))
