"""The current time as MJD."""

from __future__ import annotations

from django.utils import timezone

from broker_adapters.times import mjd_from_datetime


def now() -> float:
    """Current time, MJD UTC."""
    return mjd_from_datetime(timezone.now())
