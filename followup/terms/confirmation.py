"""Confirmation by repeated detection: a source detected once may be an asteroid or an artefact, whatever a classifier says."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import NEUTRAL, Candidates, Night, Reasons, Scores
from followup.sightings import sightings


def term(candidates: Candidates, night: Night) -> Scores:
    """1 - 0.9 / k^2 for a candidate detected k times at least an hour apart (once: 0.1), shape (n,); reasons name nights and surveys.

    Detections that surveys have beside those here count too: as many as there are hours from the first to the latest, at most.
    """
    seen = sightings(Batch.of(candidates), night.now)
    values = np.where(seen.count > 1, 1.0 - 0.9 / np.maximum(seen.count, 1) ** 2, np.where(seen.count == 1, 0.1, NEUTRAL))
    return Scores(values, Reasons(len(values), seen.__getitem__))
