"""Age: a source that has just appeared changes fastest and fades first."""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.lifetime import TOLERANCE
from broker_adapters.records import Detections
from broker_adapters.significance import DETECTED, alerts
from followup.age import first_seen
from followup.brightness import History
from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: Lowest score, of an old source.
_LEAST = 0.05


def term(candidates: Candidates, night: Night, *, half: float = 10.0) -> Scores:
    """Halves every ``half`` days since the first detection by any survey, down to a floor, shape (n,).

    The reason adds since when it is here, if that is later; else the time since the last non-detection before, in the same band and deep
    enough.
    """
    judged = [_judge(c, night.now, half) for c in candidates]
    return Scores(np.array([value for value, _ in judged], dtype=np.float64), tuple(reason for _, reason in judged))


def _judge(candidate: Candidate, now: float, half: float) -> tuple[float, str]:
    history, first = candidate.history(now), first_seen(candidate, now)
    if math.isnan(first):
        return NEUTRAL, "no detection yet, age unknown"
    age = now - first
    value = max(_LEAST, 0.5 ** (age / half))
    if history is None:
        return value, f"first seen {age:.1f} d ago, nothing of it here"
    if first < history.times[0] - TOLERANCE:
        return value, f"first seen {age:.1f} d ago, here since {now - history.times[0]:.1f} d"
    before = _non_detections(candidate.detections, history)
    if not len(before):
        return value, f"first seen {age:.1f} d ago"
    gap = float(history.times[0] - before["mjd"].max())
    return value, f"first seen {age:.1f} d ago, not {f'{gap:.1f} d' if gap >= 1.0 else f'{gap * 24.0:.1f} h'} before"


def _non_detections(detections: Detections, history: History) -> Detections:
    """Earlier observations through the same filter, deep enough to have detected it as bright as it was first."""
    deep = DETECTED * detections["flux_err"] < abs(history.first_flux)
    earlier = (detections["mjd"] < history.times[0]) & (detections["band"] == history.first_band)
    rows: Detections = detections[~alerts(detections) & earlier & deep]
    return rows
