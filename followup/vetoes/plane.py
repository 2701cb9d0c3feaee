"""In the plane of the Galaxy, where most of what brightens is a star."""

from __future__ import annotations

import erfa
import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night, *, latitude: float = 10.0) -> Vetoes:
    """Against what is within so many degrees of the Galactic plane, shape (n,)."""
    batch = Batch.of(candidates)
    known = np.isfinite(batch.ra) & np.isfinite(batch.dec)
    away = np.full(len(batch), np.nan)
    away[known] = np.abs(np.degrees(erfa.icrs2g(np.radians(batch.ra[known]), np.radians(batch.dec[known]))[1]))
    with np.errstate(invalid="ignore"):
        until = np.where(away < latitude, np.inf, np.nan)
    words = "{:.0f} deg from the Galactic plane"
    return Vetoes(until, Reasons(len(batch), lambda i: words.format(away[i]) if known[i] else "its position is not known"))
