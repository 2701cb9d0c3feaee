"""The time, as everything here measures it."""

from __future__ import annotations

from django.utils import timezone

_UNIX_MJD = 40587.0  # MJD of 1970-01-01


def now() -> float:
    """MJD, UTC, of this moment."""
    return timezone.now().timestamp() / 86400.0 + _UNIX_MJD
