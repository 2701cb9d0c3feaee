"""Classified already by a spectrum."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night) -> Vetoes:
    """Against what has a spectroscopic class, shape (n,); there is no date."""
    has = Batch.of(candidates).classified
    return Vetoes(np.where(has, np.inf, np.nan), Reasons(len(has), lambda i: f"{'has a' if has[i] else 'no'} spectroscopic class"))
