"""How young it is: what has just appeared changes fastest and is lost first."""

from __future__ import annotations

import numpy as np

from broker_adapters.records import Detections
from broker_adapters.significance import DETECTED, alerts
from followup.brightness import seen
from followup.records import NEUTRAL, Candidate, Candidates, Night, Scores

#: What old age leaves.
_LEAST = 0.05


def term(candidates: Candidates, night: Night, *, half: float = 10.0) -> Scores:
    """Halves every ``half`` days since the first detection, down to a floor, shape (n,).

    The reason adds how long before that it was looked for in vain, in the same band and deeply enough.
    """
    said = [_judge(c, night.now, half) for c in candidates]
    return Scores(np.array([value for value, _ in said], dtype=np.float64), tuple(reason for _, reason in said))


def _judge(candidate: Candidate, now: float, half: float) -> tuple[float, str]:
    rows = seen(candidate.detections)
    rows = rows[rows["mjd"] <= now]
    if not len(rows):
        return NEUTRAL, "no detection yet, age unknown"
    first = rows[np.argmin(rows["mjd"])]
    age = now - float(first["mjd"])
    value = max(_LEAST, 0.5 ** (age / half))
    before = _in_vain(candidate.detections, first)
    if not len(before):
        return value, f"first seen {age:.1f} d ago"
    gap = float(first["mjd"] - before["mjd"].max())
    return value, f"first seen {age:.1f} d ago, not {f'{gap:.1f} d' if gap >= 1.0 else f'{gap * 24.0:.1f} h'} before"


def _in_vain(detections: Detections, first: np.void) -> Detections:
    """Earlier looks through the same filter that were deep enough to find it as bright as it was at first."""
    deep = DETECTED * detections["flux_err"] < np.abs(first["flux"])
    earlier = (detections["mjd"] < first["mjd"]) & (detections["band"] == first["band"])
    rows: Detections = detections[~alerts(detections) & earlier & deep]
    return rows
