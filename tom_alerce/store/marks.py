"""Stores marks of people on sky objects, which end on a night and can be undone; every reader of the board sees them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timezone
from typing import Any, cast

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone as clock

from broker_adapters.times import datetime_from_mjd, day_from_date, mjd_from_datetime
from followup import marks as records
from followup import sites
from followup.records import FollowupError
from tom_alerce import conf
from tom_alerce.models import Mark, SkyObject
from tom_alerce.store import mentions
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks

Kind = Mark.Kind

#: Nights that a mark lasts for which nobody says how long; None: until it is undone.
NIGHTS: dict[str, int | None] = {Kind.PIN: 14, Kind.NOTE: None, Kind.VETO: None, Kind.SNOOZE: 7, Kind.CLAIM: 7}
#: Nights that a mark may last at most, so that a slip of the pen does not hide an object for years.
MOST = 400
#: Characters of a text at most, the width of the column.
LONGEST = Mark._meta.get_field("text").max_length or 0


def add(sky_object: SkyObject, kind: str, author: Any, text: str = "", night: date | None = None) -> Mark:
    """Put a mark on an object; a pin, veto, snooze or claim replaces the author's earlier one of its kind, which is kept as undone.

    Parameters
    ----------
    sky_object : SkyObject
        What is marked.
    kind : str
        One of `Mark.Kind`.
    author : User
        Who puts it.
    text : str
        What a note says, and why an object is vetoed, which both need; a comment on the others.
    night : date, optional
        Date of an evening at the site of the settings: a snoozed object comes back on that night, any other mark lasts until its end.
        None takes `NIGHTS` from today on.

    Raises
    ------
    StoreError
        No such kind, a text that is missing or too long, a night that is past or too far away, or another's claim.
    """
    text = _checked(kind, text)
    expires = _expiry(kind, night)
    with transaction.atomic():
        begin_write()
        SkyObject.objects.select_for_update().get(pk=sky_object.pk)
        earlier = active().filter(sky_object=sky_object, kind=kind)
        if kind == Kind.CLAIM and (other := earlier.exclude(author=author).select_related("author").first()):
            raise StoreError(f"it is claimed by {other.by} already")
        if kind != Kind.NOTE:
            earlier.filter(author=author).update(undone=clock.now(), undone_by=author)
        made = Mark.objects.create(sky_object=sky_object, kind=kind, author=author, text=text, expires=expires)
        mentions.mention(made)
        return made


def undo(mark: Mark, user: Any) -> None:
    """Let a mark count no more; StoreError if it does not count already."""
    if not Mark.objects.filter(pk=mark.pk, undone=None).update(undone=clock.now(), undone_by=user):
        raise StoreError("it is undone already")


def active(at: datetime | None = None) -> QuerySet[Mark]:
    """Marks that count at a time (now): made by then, neither expired nor undone."""
    at = clock.now() if at is None else at
    lasting = (Q(expires=None) | Q(expires__gt=at)) & (Q(undone=None) | Q(undone__gt=at))
    return Mark.objects.filter(lasting, created__lte=at)


def shown(sky_object_ids: Iterable[int]) -> dict[int, list[Mark]]:
    """Marks that count now with their authors, by object, oldest first."""
    found: dict[int, list[Mark]] = defaultdict(list)
    for part in chunks(sky_object_ids):
        for mark in active().filter(sky_object__in=part).select_related("author").order_by("pk"):
            found[mark.sky_object_id].append(mark)
    return found


def of(sky_object_ids: Iterable[int], now: float) -> dict[int, tuple[records.Mark, ...]]:
    """Marks that count at a time (MJD, UTC) as the ranking reads them, by object, oldest first; objects without one are left out."""
    found: dict[int, list[records.Mark]] = defaultdict(list)
    at = datetime_from_mjd(now)
    for part in chunks(sky_object_ids):
        for mark in active(at).filter(sky_object__in=part).select_related("author").order_by("pk"):
            until = math.nan if mark.expires is None else mjd_from_datetime(mark.expires)
            found[mark.sky_object_id].append(records.Mark(cast(records.Kind, mark.kind), mark.by, mark.text, until))
    return {key: tuple(own) for key, own in found.items()}


def last_night(mark: Mark) -> date | None:
    """Evening, at the site of the settings, of the last night of a mark, or on which a snoozed object comes back; None without an end."""
    if mark.expires is None:
        return None
    ends = round(mjd_from_datetime(mark.expires) - _noon())
    return datetime_from_mjd(ends if mark.kind == Kind.SNOOZE else ends - 1).date()


def _checked(kind: str, text: str) -> str:
    if kind not in Kind.values:
        raise StoreError(f"there is no mark {kind!r}: there are {', '.join(Kind.values)}")
    text = " ".join(sanitize_text(text).split())
    if len(text) > LONGEST:
        raise StoreError(f"the text has {len(text)} characters, of {LONGEST} at most")
    if not text and kind in (Kind.NOTE, Kind.VETO):
        raise StoreError("a note needs a text" if kind == Kind.NOTE else "a veto needs a text that says why")
    return text


def _expiry(kind: str, night: date | None) -> datetime | None:
    """When a mark ends: at the noon before the night on which a snoozed object comes back, else at the noon after its last night."""
    today = tonight()
    if night is None:
        nights = NIGHTS[kind]
        if nights is None:
            return None
        day = today + nights - (kind != Kind.SNOOZE)
    else:
        day = day_from_date(night)
    earliest = today + (kind == Kind.SNOOZE)
    if not earliest <= day <= today + MOST:
        raise StoreError(f"the night must be one of the next {MOST}, and tonight is that of {datetime_from_mjd(today).date()}")
    return datetime_from_mjd(day + _noon() + (kind != Kind.SNOOZE)).astimezone(timezone.utc)


def tonight() -> int:
    """Whole MJD of the date of this evening at the site of the settings; a night begins at local mean noon."""
    return int((mjd_from_datetime(clock.now()) - _noon()) // 1)


def _noon() -> float:
    """Local mean noon at the site of the settings: days after 0 h UTC; Greenwich's if the settings cannot be used (`check` says so)."""
    try:
        return 0.5 - sites.site(conf.get("SITE")).longitude / 360.0
    except FollowupError:
        return 0.5
