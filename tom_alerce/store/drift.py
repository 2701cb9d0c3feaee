"""How far the nights of a classifier are from its training set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.urls import reverse

from tom_alerce import conf
from tom_alerce.models import Drift
from tom_alerce.store.outbox import announce
from tom_alerce.store.sql import begin_write


def save(classifier: str, version: str, night: dt.date, measured: Mapping[str, Any]) -> Drift:
    """Keep what `classifiers.models.stamp.drift` measured in a night; measuring the night again replaces it."""
    values = {name: measured[name] for name in ("n", "classes", "psi")}
    with transaction.atomic():
        begin_write()
        row, _ = Drift.objects.update_or_create(classifier=classifier, version=version, night=night, defaults=values)
        if names := drifted(row):
            title = f"{classifier}: the night of {night} is far from its training set"
            text = ", ".join(f"{name} {row.psi[name]:.2f}" for name in names[:10])
            announce("drift", f"{classifier} {version} {night}", title, text, url=reverse("tom_alerce:drift"))
    return row


def latest_night() -> Drift | None:
    """The night that was compared last."""
    return Drift.objects.order_by("-night", "-modified").first()


def drifted(night: Drift) -> list[str]:
    """Quantities of a night that are above the alarm, the furthest first."""
    return [name for name, psi in night.psi.items() if psi > conf.get("DRIFT_ALARM")]
