"""In the plane of the Galaxy, where most of what brightens is a star."""

from __future__ import annotations

import numpy as np

from broker_adapters.crossmatch import from_plane
from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night, *, latitude: float = 10.0) -> Vetoes:
    """Against what is within so many degrees of the Galactic plane, shape (n,)."""
    batch = Batch.of(candidates)
    away = from_plane(batch.ra, batch.dec)
    with np.errstate(invalid="ignore"):
        until = np.where(away < latitude, np.inf, np.nan)
    words = "{:.0f} deg from the Galactic plane"
    return Vetoes(until, Reasons(len(batch), lambda i: words.format(away[i]) if np.isfinite(away[i]) else "its position is not known"))
