"""Confirmation by repeated detection: a source detected once may be an asteroid or an artefact, whatever a classifier says."""

from __future__ import annotations

import numpy as np

from broker_adapters import surveys
from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

WEIGHT = 1.0
PLACE = 7

#: Detections closer in time than this (days) do not confirm each other: an asteroid moves by 10 arcsec in an hour, hardly in minutes.
_APART = 0.04

#: A gap of more than this many days separates two nights.
_DAYLIGHT = 0.5


def term(candidates: Candidates, night: Night) -> Scores:
    """1 - 0.9 / k^2 for a candidate detected k times at least an hour apart (once: 0.1), shape (n,); reasons name nights and surveys."""
    judged = [_judge(c, night.now) for c in candidates]
    return Scores(np.array([value for value, _ in judged], dtype=np.float64), tuple(reason for _, reason in judged))


def _judge(candidate: Candidate, now: float) -> tuple[float, str]:
    history = candidate.history(now)
    if history is None:
        return NEUTRAL, "no detection yet"
    times = history.times
    last, count = times[0], 1
    for t in times[1:]:
        if t - last >= _APART:
            last, count = t, count + 1
    who = ", ".join(sorted({surveys.about(survey).label for survey in history.surveys}))
    if count == 1:
        return 0.1, f"seen once only, by {who}: may be moving"
    nights = 1 + int(np.sum(np.diff(times) > _DAYLIGHT))
    return 1.0 - 0.9 / count**2, f"seen {count} times in {nights} night{'s' if nights > 1 else ''} by {who}"
