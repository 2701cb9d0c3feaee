"""Matches events with objects, both ways: new objects with the events that still count, and a new event with the stored objects.

What decides is the first detection of an object by any survey, from ``before`` days before the event to ``after`` days after it; an object
that turns out to have been there earlier is kept with that reason, if it was matched before.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from astropy_healpix import nside_to_pixel_area
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from broker_adapters.healpix import ORDER
from broker_adapters.notice import Role
from followup.coincidence import Coincidence, Search
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.models import EventCandidate, SkyEvent, SkyObject
from tom_alerce.models.sky import first_seen
from tom_alerce.store import events
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks, fetch

#: Objects that were first seen so many days before an event are the measure of those that it has nothing to do with; of fewer in its region
#: the density of the whole sky that the surveys have seen counts, in cells of this order.
_DAYS, _ENOUGH, _COARSE = 31.0, 10, 4
_CELL = float(nside_to_pixel_area(2**_COARSE).to_value("deg2"))
#: Candidates of an event at most, the best placed.
MOST = 5000
_ROW = np.dtype([("pk", "i8"), ("ra", "f8"), ("dec", "f8"), ("first", "f8"), ("healpix", "i8")])
_UPDATED = ["level", "share", "mu", "sigma", "norm", "delay", "early"]


def search() -> Search:
    """What the settings say of the search (``EVENTS``)."""
    return Search(**conf.get("EVENTS"))


def live(at: float | None = None) -> QuerySet[SkyEvent]:
    """Events whose regions are searched at a time (MJD, UTC; now)."""
    at, how = now() if at is None else at, search()
    found = SkyEvent.objects.filter(mjd__gte=at - how.after, mjd__lte=at + 1.0, retracted=False, area__lte=how.largest)
    found = found.exclude(placed=None)
    return found if how.mocks else found.filter(role=Role.OBSERVATION.value)


def match_objects(sky_object_ids: Iterable[int], at: float | None = None) -> int:
    """Match objects, of a batch that was stored, with the events that still count; how many pairs there are."""
    current = list(live(at))
    if not current:
        return 0
    found, how = 0, search()
    for part in chunks(sorted(sky_object_ids)):
        rows = _rows(SkyObject.objects.filter(pk__in=part))
        known: dict[int, list[int]] = {}
        for event_id, key in EventCandidate.objects.filter(sky_object__in=part).values_list("event", "sky_object"):
            known.setdefault(event_id, []).append(key)
        for event in current:
            chosen = _may_be_in(event, rows, how) | np.isin(rows["pk"], known.get(event.pk, []))
            found += _match(event, rows[chosen]) if chosen.any() else 0
    return found


def _may_be_in(event: SkyEvent, rows: NDArray[np.void], how: Search) -> NDArray[np.bool_]:
    """Objects that are in the time of an event, and near its region: its map is read only if there are some."""
    delay = rows["first"] - event.mjd
    near = (delay >= -how.before) & (delay <= how.after)
    if event.cover is not None and near.any():
        cover = np.unpackbits(np.frombuffer(bytes(event.cover), np.uint8)).astype(bool)
        near &= cover[rows["healpix"] >> 2 * (ORDER - events.COVER)]
    return np.asarray(near)


def match_event(event: SkyEvent) -> int:
    """Match an event with the stored objects, work out how many unrelated ones there are, and judge its old candidates again."""
    if event.mjd is None or event.placed_id is None or event.retracted or (event.area or math.inf) > search().largest:
        return 0
    rows = _rows(SkyObject.objects.filter(last_mjd__gte=event.mjd - _DAYS - search().before))
    background = _background(event, rows)
    SkyEvent.objects.filter(pk=event.pk).update(background=background)
    event.background = background
    known = set(event.candidates.values_list("sky_object", flat=True)) - set(rows["pk"].tolist())
    others = [_rows(SkyObject.objects.filter(pk__in=part)) for part in chunks(sorted(known))]
    return _match(event, np.concatenate([rows, *others]))


def _rows(skies: QuerySet[SkyObject]) -> NDArray[np.void]:
    """What a match needs of those of the objects that have a detection and do not move."""
    found = fetch(
        skies.filter(moving=False).exclude(first_mjd=None).annotate(first=first_seen()).values_list("pk", "ra", "dec", "first", "healpix")
    )
    return np.array(found, _ROW)


def _match(event: SkyEvent, rows: NDArray[np.void]) -> int:
    """Write the candidates of an event among these objects; the same again changes nothing."""
    how, region = search(), events.region(event)
    delay = rows["first"] - event.mjd
    level = region.level(rows["ra"], rows["dec"])
    fits = (level <= how.level) & (delay >= -how.before) & (delay <= how.after)
    best = np.argsort(np.where(fits, level, np.inf), kind="stable")[:MOST]
    with transaction.atomic():
        begin_write()
        known = {one.sky_object_id: one for one in _known(event, rows).select_for_update()}
        new = best[fits[best]][: MOST if event.candidates.count() < MOST else 0]
        chosen = np.union1d(new, np.flatnonzero(np.isin(rows["pk"], list(known))))
        here = region.distances(rows["ra"][chosen], rows["dec"][chosen])
        share = region.area(level[chosen]) / event.area if event.area else np.full(len(chosen), np.nan)
        made: list[EventCandidate] = []
        changed: list[EventCandidate] = []
        for i, *numbers in zip(chosen.tolist(), share, here.mu, here.sigma, here.norm, strict=True):
            key = int(rows["pk"][i])
            found = dict(zip(("share", "mu", "sigma", "norm"), map(_finite, numbers), strict=True))
            found |= {"level": float(level[i]), "delay": float(delay[i]), "early": bool(delay[i] < -how.before)}
            one = known.get(key, EventCandidate(event=event, sky_object_id=key))
            if one.pk is None or any(getattr(one, name) != value for name, value in found.items()):
                (made if one.pk is None else changed).append(one)
            for name, value in found.items():
                setattr(one, name, value)
        EventCandidate.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
        EventCandidate.objects.bulk_update(changed, _UPDATED, batch_size=100)
    return len(chosen)


def _known(event: SkyEvent, rows: NDArray[np.void]) -> QuerySet[EventCandidate]:
    """Candidates that may have to change: those of a small batch, or every one that the event has."""
    return event.candidates.filter(sky_object__in=rows["pk"].tolist()) if len(rows) <= 900 else event.candidates.all()


def _background(event: SkyEvent, rows: NDArray[np.void]) -> float | None:
    """Objects first seen in a day in the region of 90 %, by those of the month before the event; None where no survey saw any."""
    assert event.mjd is not None
    before = rows[(rows["first"] >= event.mjd - _DAYS - search().before) & (rows["first"] < event.mjd - search().before)]
    if not len(before) or event.area is None:
        return None
    inside = int((events.region(event).level(before["ra"], before["dec"]) <= 0.9).sum())
    if inside >= _ENOUGH:
        return inside / _DAYS
    seen = len(np.unique(before["healpix"] >> 2 * (ORDER - _COARSE))) * _CELL
    return len(before) / seen * event.area / _DAYS


def expected(event: SkyEvent, share: float | None, at: float | None = None) -> float:
    """Unrelated objects in a region with that share of the area of 90 %, in the part of the window that has gone by; NaN if not known."""
    if event.background is None or event.mjd is None or share is None:
        return math.nan
    how = search()
    days = min(max((now() if at is None else at) - event.mjd, 0.0), how.after) + how.before
    return event.background * days * share


def coincidences(skies: QuerySet[SkyObject], at: float) -> dict[int, tuple[Coincidence, ...]]:
    """The events that count at a time in whose regions objects lie, by key of the object; one query."""
    how = search()
    current = live(at).filter(role=Role.OBSERVATION.value)
    rows = EventCandidate.objects.filter(event__in=current.values("pk"), sky_object__in=skies.values("pk"))
    found: dict[int, list[Coincidence]] = {}
    for row in rows.select_related("event").defer("event__cover").order_by("sky_object", "event"):
        found.setdefault(row.sky_object_id, []).append(_coincidence(row, row.event, at, how))
    return {key: tuple(every) for key, every in found.items()}


def _coincidence(row: EventCandidate, event: SkyEvent, at: float, how: Search) -> Coincidence:
    mjd = event.mjd if event.mjd is not None else math.nan
    mu, sigma, norm = (math.nan if value is None else value for value in (row.mu, row.sigma, row.norm))
    unrelated = expected(event, row.share, at)
    return Coincidence(event.name, mjd, mjd + how.after, row.level, row.delay, mu, sigma, norm, unrelated, row.early, row.status)


def decide(candidate: EventCandidate, status: str, user: Any, text: str = "") -> EventCandidate:
    """Say what a candidate is, with the reason; `StoreError` for another word, or a text that is too long."""
    if status not in EventCandidate.Status.values:
        raise StoreError(f"a candidate is {', '.join(EventCandidate.Status.values)}, and not {sanitize_text(status)[:40]!r}")
    text = " ".join(sanitize_text(text).split())
    longest = EventCandidate._meta.get_field("text").max_length or 0
    if len(text) > longest:
        raise StoreError(f"the text has {len(text)} characters, of {longest} at most")
    candidate.status, candidate.text, candidate.decided_by, candidate.decided_at = status, text, user, timezone.now()
    candidate.save(update_fields=["status", "text", "decided_by", "decided_at"])
    return candidate


def inherit(empty: SkyObject, heir: SkyObject) -> None:
    """Give an object the places in events of another, which is about to be deleted; those of the heir itself stay."""
    own: Sequence[int] = list(heir.event_candidates.values_list("event", flat=True))
    empty.event_candidates.exclude(event__in=own).update(sky_object=heir)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
