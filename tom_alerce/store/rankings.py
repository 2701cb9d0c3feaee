"""Stores rankings of candidates for a night, with the value and reason of every term."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction

from followup.records import Candidate, Night, Ranking
from tom_alerce import models

#: Number of points of the altitude curve that are stored for the figure of the night.
_POINTS = 48


def save(ranking: Ranking, night: Night, candidates: Sequence[Candidate], limit: int) -> models.Ranking:
    """Store the best ``limit`` of a ranking; ``candidates`` are in the order of the night's arrays; keys are sky objects' as text."""
    order = {candidate.key: i for i, candidate in enumerate(candidates)}
    with transaction.atomic():
        row = models.Ranking.objects.create(
            site=night.site.name[:100], night=night.date, now=night.now, weights={k: float(w) for k, w in ranking.weights.items()}
        )
        models.Rank.objects.bulk_create(
            (
                models.Rank(
                    ranking=row,
                    sky_object_id=int(key),
                    place=i + 1,
                    score=float(ranking.scores[i]),
                    hours=float(ranking.hours[i]),
                    magnitude=magnitude(candidates[order[key]], night.now),
                    terms={
                        name: {"score": float(term.values[i]), "weight": float(ranking.weights[name]), "reason": term.reasons[i]}
                        for name, term in ranking.terms.items()
                    },
                    visibility=_visibility(night, order[key]),
                )
                for i, key in enumerate(ranking.keys[:limit])
            ),
            batch_size=500,
        )
    return row


def magnitude(candidate: Candidate, now: float) -> float | None:
    """AB magnitude of the latest detection before ``now`` (MJD), as the board shows it; None where it is not known."""
    history = candidate.history(now)
    return None if history is None or math.isnan(history.trend.latest) else history.trend.latest


def _visibility(night: Night, i: int) -> dict[str, Any]:
    """The night of candidate i, subsampled: times (MJD), altitudes of it and of the Moon, their separation in mid-night (degrees)."""
    t = len(night.times)
    if not t:
        return {"times": [], "altitude": [], "moon_altitude": [], "moon_separation": None}
    kept = np.unique(np.linspace(0, t - 1, min(t, _POINTS)).round().astype(int))
    return {
        "times": np.round(night.times[kept], 5).tolist(),
        "altitude": np.round(night.altitude[i, kept], 2).tolist(),
        "moon_altitude": np.round(night.moon_altitude[kept], 1).tolist(),
        "moon_separation": round(float(night.moon_separation[i, t // 2]), 1),
    }
