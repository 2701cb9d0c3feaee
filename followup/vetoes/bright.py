"""Too bright for the detector tonight."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.expected import expected
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night, *, limit: float = 10.0) -> Vetoes:
    """Against what is brighter than magnitude ``limit`` tonight, shape (n,); no date is known."""
    batch = Batch.of(candidates)
    magnitude = expected(batch, night).magnitude
    with np.errstate(invalid="ignore"):
        until = np.where(magnitude < limit, np.inf, np.nan)
    return Vetoes(until, Reasons(len(batch), lambda i: _reason(float(magnitude[i]), limit)))


def _reason(magnitude: float, limit: float) -> str:
    if not np.isfinite(magnitude):
        return "brightness unknown"
    return f"{magnitude:.1f} mag, {'brighter' if magnitude < limit else 'not brighter'} than the limit of {limit:.1f}"
