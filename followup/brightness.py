"""Brightness of a candidate now and its trend, which terms and exposure times are computed from."""

from __future__ import annotations

from broker_adapters.records import Detections
from broker_adapters.significance import detected, one_per_exposure
from followup.curves import Curves
from followup.states import States
from followup.trends import History as History
from followup.trends import Trend as Trend


def detections_until(detections: Detections, now: float) -> Detections:
    """The detections of one object until ``now`` (`broker_adapters.significance.detected`), each exposure once, in time order."""
    rows = detections[detections["mjd"] <= now]
    rows = rows[detected(rows)]
    return one_per_exposure(rows)


def history(detections: Detections, now: float) -> History | None:
    """Detections and trend of a light curve at ``now`` (MJD, UTC), from what was measured until then; None without a detection."""
    return States.of(Curves.of([detections]), now).history(0)


def trend(detections: Detections, now: float) -> Trend | None:
    """State of a light curve at ``now`` (MJD, UTC), from what was measured until then; None without a detection."""
    here = history(detections, now)
    return None if here is None else here.trend
