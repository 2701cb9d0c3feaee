"""Matching a batch of 500 objects with a list of as many positions as there are objects, a tenth of the batch being in the list already."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.test import Client

from benchmarks.pages import measure
from followup.watchlists import Entry
from tom_alerce.models import SkyObject, Watch
from tom_alerce.store import watch

#: Objects of a batch, and how many of them are in the list.
BATCH, LISTED = 500, 50


def figures(client: Client) -> dict[str, Any]:
    """CPU of matching, when the list is in memory."""
    skies = list(SkyObject.objects.filter(moving=False).order_by("pk")[:BATCH])
    n = SkyObject.objects.count() - LISTED
    random = np.random.default_rng(n)
    ra, dec = random.uniform(0.0, 360.0, n), np.degrees(np.arcsin(random.uniform(-1.0, 1.0, n)))
    entries = [Entry(f"random {i}", *place) for i, place in enumerate(zip(ra.tolist(), dec.tolist(), strict=True))]
    entries += [Entry(f"listed {sky.pk}", sky.ra, sky.dec) for sky in skies[:LISTED]]
    Watch.objects.all().delete()
    watch.fill(watch.save(None, "positions"), entries)
    milliseconds, _ = measure.work(lambda: watch.note(skies))
    return {"watch_ms_{size}": milliseconds}
