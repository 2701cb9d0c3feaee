"""Whether it has been seen more than once in the same place: what has not may be an asteroid or a blemish, whatever a classifier says."""

from __future__ import annotations

import numpy as np

from broker_adapters import surveys
from followup.brightness import seen
from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: Detections closer in time than this (days) confirm nothing: an asteroid has moved by 10 arcsec after an hour, hardly after minutes.
_APART = 0.04

#: Days without a detection between two nights.
_DAYLIGHT = 0.5


def term(candidates: Candidates, night: Night) -> Scores:
    """1 - 0.9 / k^2 for a candidate seen at k times that are an hour apart (once: 0.1), shape (n,); the reason names nights and surveys."""
    said = [_judge(c, night.now) for c in candidates]
    return Scores(np.array([value for value, _ in said], dtype=np.float64), tuple(reason for _, reason in said))


def _judge(candidate: Candidate, now: float) -> tuple[float, str]:
    rows = seen(candidate.detections)
    rows = rows[rows["mjd"] <= now]
    if not len(rows):
        return NEUTRAL, "no detection yet"
    times = np.sort(rows["mjd"])
    last, count = times[0], 1
    for t in times[1:]:
        if t - last >= _APART:
            last, count = t, count + 1
    who = ", ".join(sorted({surveys.about(str(s)).label for s in rows["survey"]}))
    if count == 1:
        return 0.1, f"seen once only, by {who}: may be moving"
    nights = 1 + int(np.sum(np.diff(times) > _DAYLIGHT))
    return 1.0 - 0.9 / count**2, f"seen {count} times in {nights} night{'s' if nights > 1 else ''} by {who}"
