"""Tells of objects that rise or have become brighter, of those that a rule is about, in the transaction of their alerts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from followup import changes
from followup.changes import Changes
from tom_alerce.clock import now
from tom_alerce.models import Event, SkyObject
from tom_alerce.store import interest
from tom_alerce.store.candidates import candidates
from tom_alerce.store.outbox import Kind, announce_all, made

#: Days after which a detection is no news any more, such as one of an archive.
NEWS = 2.0
#: Objects of a batch whose light curves are looked at, at most: more at once are a whole region, of which a list would be no news.
MOST = 200
#: Least rise (mag/d) and brightening (mag) that are told at all, and the steps in which they are new events.
LEAST, STEP = 0.05, 0.25


def note(skies: Sequence[SkyObject]) -> None:
    """Announce what rises or has become brighter; rules say from how much on they want to know."""
    recent = {sky.pk: sky for sky in skies if not sky.moving and sky.last_mjd is not None and sky.last_mjd >= now() - NEWS}
    keys = sorted(interest.wanted(recent, Kind.RISES, Kind.BRIGHTENS))[:MOST] if recent else []
    if not keys:
        return
    at = now()
    batch = candidates(SkyObject.objects.filter(pk__in=keys).prefetch_related("survey_objects"), at)
    found = changes.of(batch, at)
    objects = SkyObject.objects.prefetch_related("survey_objects").in_bulk(keys)
    announce_all(event for i, one in enumerate(batch) for event in _events(objects[int(one.key)], found, i))


def _events(sky: SkyObject, found: Changes, i: int) -> Iterator[Event]:
    rise, by, band = float(found.rise[i]), float(found.by[i]), found.band[i]
    day = math.floor(sky.last_mjd or 0.0)
    if np.isfinite(rise) and rise >= LEAST:
        title = f"{sky.public_name} rises by {rise:.2f} mag/d"
        yield made(Kind.RISES, f"{sky.pk} {day} {rise // STEP:.0f}", title, f"in {band}", sky, facts={"rate": round(rise, 3)})
    if np.isfinite(by) and by >= LEAST:
        title = f"{sky.public_name} is {by:.2f} mag brighter in {band}"
        yield made(Kind.BRIGHTENS, f"{sky.pk} {day} {band} {by // STEP:.0f}", title, "than before", sky, facts={"by": round(by, 3)})
