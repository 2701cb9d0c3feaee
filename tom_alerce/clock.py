"""The time, as everything here measures it."""

from __future__ import annotations

from django.utils import timezone

from broker_adapters.times import mjd_from_datetime


def now() -> float:
    """MJD, UTC, of this moment."""
    return mjd_from_datetime(timezone.now())
