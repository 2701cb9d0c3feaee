"""An asteroid, by what classifiers say, or perhaps one, since it was seen once only."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Vetoes
from followup.sightings import Sightings, sightings


def veto(candidates: Candidates, night: Night, *, probability: float = 0.9, once: bool = False) -> Vetoes:
    """Against what is an asteroid with that probability and was not seen in its place again, shape (n,); no date is known.

    With ``once``, against all that was seen once only; detections within an hour are one.
    """
    batch = Batch.of(candidates)
    seen = sightings(batch, night.now)
    asteroid = batch.opinions.expected({"asteroid": 1.0}, 0.0)
    alone = seen.count == 1
    against = alone & (once | (asteroid >= probability))
    return Vetoes(np.where(against, np.inf, np.nan), Reasons(len(batch), lambda i: _reason(seen, i, float(asteroid[i]))))


def _reason(seen: Sightings, i: int, asteroid: float) -> str:
    return seen[i] + (f", asteroid {asteroid:.2f} by classifiers" if asteroid > 0.01 else "")
