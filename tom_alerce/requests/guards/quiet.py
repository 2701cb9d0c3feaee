"""Quiet hours: a time of day in which nothing is sent, since it would wake somebody."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

from broker_adapters.times import datetime_from_mjd
from tom_alerce.requests.case import Case


def guard(case: Case, *, start: str = "", end: str = "", zone: str = "UTC") -> tuple[bool, str]:
    """Stop what is sent from ``start`` to ``end`` ('22:00', '07:00'; over midnight too) in the time zone ``zone``; none by default."""
    if not (start and end):
        return True, "no quiet hours are set"
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    here = datetime_from_mjd(case.now).astimezone(ZoneInfo(zone)).time()
    within = first <= here < last if first <= last else here >= first or here < last
    told = f"quiet hours are {start} to {end} ({zone})"
    return not within, f"it is {here:%H:%M}: {told}" if within else told
