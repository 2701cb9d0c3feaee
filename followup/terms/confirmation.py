"""Confirmation by repeated detection: a source detected once may be an asteroid or an artefact, whatever a classifier says."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broker_adapters import surveys
from broker_adapters.lifetime import day
from followup.age import first_seen, n_seen
from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: Detections closer in time than this (days) do not confirm each other: an asteroid moves by 10 arcsec in an hour, hardly in minutes.
_APART = 0.04

#: A gap of more than this many days separates two nights.
_DAYLIGHT = 0.5


def term(candidates: Candidates, night: Night) -> Scores:
    """1 - 0.9 / k^2 for a candidate detected k times at least an hour apart (once: 0.1), shape (n,); reasons name nights and surveys.

    Detections that surveys have beside those here count too: as many as there are hours from the first to the latest, at most.
    """
    judged = [_judge(c, night.now) for c in candidates]
    return Scores(np.array([value for value, _ in judged], dtype=np.float64), tuple(reason for _, reason in judged))


def _judge(candidate: Candidate, now: float) -> tuple[float, str]:
    history, first, total = candidate.history(now), first_seen(candidate, now), n_seen(candidate, now)
    if math.isnan(first):
        return NEUTRAL, "no detection yet"
    times = np.empty(0) if history is None else history.times
    who = ", ".join(sorted({surveys.about(survey).label for survey in history.surveys})) if history else "surveys"
    count, elsewhere, latest = _apart(times), total - len(times), float(times[-1]) if len(times) else now
    if elsewhere > 0:
        count = max(count, min(count + elsewhere, 1 + math.floor((latest - first) / _APART)))
    if count <= 1:
        seen = "once only" if len(times) <= 1 else f"{len(times)} times, all within an hour"
        return 0.1, f"seen {seen}, by {who}: may be moving"
    if elsewhere > 0:
        return 1.0 - 0.9 / count**2, f"seen {total} times since {day(first)} by {who}"
    nights = 1 + int(np.sum(np.diff(times) > _DAYLIGHT))
    apart = f" ({count} times an hour or more apart)" if count < len(times) else ""
    return 1.0 - 0.9 / count**2, f"seen {len(times)} times in {nights} night{'s' if nights > 1 else ''} by {who}{apart}"


def _apart(times: NDArray[np.float64]) -> int:
    """Number of times, in order, that are at least `_APART` after the one counted before."""
    last, count = -math.inf, 0
    for t in times.tolist():
        if t - last >= _APART:
            last, count = t, count + 1
    return count
