"""Watermarks: how far each broker has been polled."""

from __future__ import annotations

from django.db.models import Q

from tom_alerce.clock import now
from tom_alerce.models import Watermark


def get(source: str) -> float | None:
    """Latest detection (MJD) of the last complete answer, not later than now; None if there was none."""
    mark = Watermark.objects.filter(source=source).values_list("mjd", flat=True).first()
    return None if mark is None else min(mark, now())


def advance(source: str, mjd: float) -> None:
    """Store a later watermark, never one after now; an earlier one changes nothing."""
    mjd = min(mjd, now())
    _, new = Watermark.objects.get_or_create(source=source, defaults={"mjd": mjd})
    if not new:
        Watermark.objects.filter(Q(mjd__lt=mjd) | Q(mjd__gt=now()), source=source).update(mjd=mjd)
