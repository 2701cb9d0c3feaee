"""How far the nights of a classifier are from its training set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tom_alerce.models import Drift


def save(classifier: str, version: str, night: dt.date, measured: Mapping[str, Any]) -> Drift:
    """Keep what `classifiers.models.stamp.drift` measured in a night; measuring the night again replaces it."""
    values = {name: measured[name] for name in ("n", "classes", "psi")}
    row, _ = Drift.objects.update_or_create(classifier=classifier, version=version, night=night, defaults=values)
    return row
