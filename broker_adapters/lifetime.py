"""The life of an object as its survey states it: read without sentinels, checked, merged.

A packet has a month of history, while its survey has watched the place for years. What it states of the whole life is kept beside the
measurements in hand (docs/decisions/019-age-and-count.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

from broker_adapters.facts import Survey
from broker_adapters.records import Lifetime
from broker_adapters.times import date_from_day

#: Days by which a date may be later than another that should follow it: times of the start, middle and end of an exposure.
TOLERANCE = 0.01
#: MJD of 1990, before which no survey of ours began; more detections than this are no number of detections.
_EARLIEST, _MOST = 47892.0, 1_000_000


class Doubt(Enum):
    """Reason for which a date of a survey is not believed."""

    BEFORE_SURVEY = "before the survey began"
    FUTURE = "in the future"
    AFTER_LAST = "later than the latest detection it states"
    AFTER_ALERT = "later than the alert that states it"
    AFTER_FIRST = "later than the first detection here"


def stated(
    first: Any = None, last: Any = None, n_detections: Any = None, n_images: Any = None, *, clock: Callable[[float], Any] = float
) -> Lifetime | None:
    """Lifetime out of untrusted values; what is missing, a sentinel or no number is None, and one without anything is None.

    ``clock`` turns a date of the sender into MJD UTC. Zero and negative numbers are sentinels in all four.
    """
    dates = [None if (value := _positive(given)) is None else _positive(clock(value)) for given in (first, last)]
    counts = [int(n) if (n := _positive(given)) is not None and 1.0 <= n <= _MOST else None for given in (n_detections, n_images)]
    lifetime = Lifetime(dates[0], dates[1], counts[0], counts[1])
    return None if lifetime == Lifetime() else lifetime


def _positive(value: Any) -> float | None:
    """A positive number out of a number, a text or an array of one; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0.0 < number < 1e30 and not isinstance(value, bool) else None


def believed(lifetime: Lifetime, survey: Survey, mjd: float, now: float) -> tuple[Lifetime, Mapping[Doubt, float]]:
    """What is believed of a lifetime that an alert of ``mjd`` states, and the dates (MJD) that are not, by reason.

    Of a first date later than the last neither is believed. Counts are kept: they contradict no date.
    """
    doubts: dict[Doubt, float] = {}
    latest = max(now, mjd if math.isfinite(mjd) else now) + TOLERANCE
    first, last = (_possible(value, survey, latest, doubts) for value in (lifetime.first_mjd, lifetime.last_mjd))
    if first is not None and last is not None and first > last + TOLERANCE:
        doubts[Doubt.AFTER_LAST] = first
        first = last = None
    if first is not None and math.isfinite(mjd) and first > mjd + TOLERANCE:
        doubts[Doubt.AFTER_ALERT] = first
        first = None
    return Lifetime(first, last, lifetime.n_detections, lifetime.n_images), doubts


def _possible(value: float | None, survey: Survey, latest: float, doubts: dict[Doubt, float]) -> float | None:
    """A date at which the survey can have observed, else None, with the reason among the doubts."""
    if value is None:
        return None
    if value < (survey.began or _EARLIEST):
        doubts[Doubt.BEFORE_SURVEY] = max(value, doubts.get(Doubt.BEFORE_SURVEY, value))
    elif value > latest:
        doubts[Doubt.FUTURE] = max(value, doubts.get(Doubt.FUTURE, value))
    else:
        return value
    return None


def merged(lifetimes: Iterable[Lifetime | None]) -> Lifetime | None:
    """Lifetime of one survey object that several alerts state: earliest first, latest last, larger counts; in any order, however often.

    Counts are of the same detections, so that they are never added. None where nothing is stated.
    """
    given = [one for one in lifetimes if one is not None]
    lifetime = Lifetime(
        min((one.first_mjd for one in given if one.first_mjd is not None), default=None),
        max((one.last_mjd for one in given if one.last_mjd is not None), default=None),
        max((one.n_detections for one in given if one.n_detections is not None), default=None),
        max((one.n_images for one in given if one.n_images is not None), default=None),
    )
    return None if lifetime == Lifetime() else lifetime


def day(mjd: float) -> str:
    """ISO date of an MJD, or the number where no calendar has it: dates that are not believed can be any."""
    try:
        return date_from_day(math.floor(mjd)).isoformat()
    except (OverflowError, ValueError):
        return f"MJD {mjd:.0f}"
