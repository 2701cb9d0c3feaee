"""How far the nights of a classifier are from its training set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tom_alerce import conf
from tom_alerce.models import Drift


def save(classifier: str, version: str, night: dt.date, measured: Mapping[str, Any]) -> Drift:
    """Keep what `classifiers.models.stamp.drift` measured in a night; measuring the night again replaces it."""
    values = {name: measured[name] for name in ("n", "classes", "psi")}
    row, _ = Drift.objects.update_or_create(classifier=classifier, version=version, night=night, defaults=values)
    return row


def latest_night() -> Drift | None:
    """The night that was compared last."""
    return Drift.objects.order_by("-night", "-modified").first()


def drifted(night: Drift) -> list[str]:
    """Quantities of a night that are above the alarm, the furthest first."""
    return [name for name, psi in night.psi.items() if psi > conf.get("DRIFT_ALARM")]
