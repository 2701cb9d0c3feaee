"""Watermarks: how far each broker has been polled."""

from __future__ import annotations

from tom_alerce.models import Watermark


def get(source: str) -> float | None:
    """Latest detection (MJD) of the last complete answer; None if there was none."""
    return Watermark.objects.filter(source=source).values_list("mjd", flat=True).first()


def advance(source: str, mjd: float) -> None:
    """Store a later watermark; an earlier one changes nothing."""
    mark, new = Watermark.objects.get_or_create(source=source, defaults={"mjd": mjd})
    if not new and mjd > mark.mjd:
        Watermark.objects.filter(source=source, mjd__lt=mjd).update(mjd=mjd)
