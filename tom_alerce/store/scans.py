"""Keeps the scanning of a queue: one candidate before one pair of eyes at a time, and what was decided.

A queue is that of a profile and of a team (the key of a group, 0 for everybody) in one night. Who takes a candidate has it until it
expires; a candidate that was decided comes again only if its evidence is another, and one that was put off at the end of the same night.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone as clock

from broker_adapters.times import date_from_day
from tom_alerce.models import Scan, SkyObject
from tom_alerce.store import marks
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write

Decision = Scan.Decision
#: How long a candidate is one person's without a decision.
HELD = dt.timedelta(minutes=10)
#: Characters of a text at most.
LONGEST = Scan._meta.get_field("text").max_length or 0


def tonight() -> dt.date:
    """Date of this evening at the site of the settings."""
    return date_from_day(marks.tonight())


def queue(keys: Sequence[int], profile: str, team: int, user: Any) -> list[int]:
    """Objects that are left for a person, in their order; those that were put off tonight come last."""
    rows = Scan.objects.filter(profile=profile, team=team, sky_object__in=keys)
    done = Q(decision__in=(Decision.KEEP, Decision.DROP), evidence=F("sky_object__evidence"))
    held = Q(decision="", night=tonight(), expires__gt=clock.now()) & ~Q(user=user)
    gone = set(rows.filter(done | held).values_list("sky_object", flat=True))
    late = set(rows.filter(night=tonight(), decision=Decision.LATER).values_list("sky_object", flat=True)) - gone
    left = [key for key in keys if key not in gone]
    return [key for key in left if key not in late] + [key for key in left if key in late]


def take(keys: Sequence[int], profile: str, team: int, user: Any) -> Scan | None:
    """Take the first object of a queue that nobody else takes at this moment; None where there is none left."""
    for key in queue(keys, profile, team, user):
        if (row := _take(key, profile, team, user)) is not None:
            return row
    return None


def _take(key: int, profile: str, team: int, user: Any) -> Scan | None:
    """Take one object; None if another has taken it since. One statement decides who gets it."""
    now = clock.now()
    which = {"night": tonight(), "profile": profile, "team": team, "sky_object_id": key}
    with transaction.atomic():
        begin_write()
        row, made = Scan.objects.get_or_create(**which, defaults={"user": user, "expires": now + HELD})
        if made:
            return row
        free = Q(user=user) | Q(expires__lte=now) | ~Q(decision="")
        taken = Scan.objects.filter(free, pk=row.pk).update(user=user, expires=now + HELD, decision="", decided=None, text="")
        return Scan.objects.get(pk=row.pk) if taken else None


def decide(row: Scan, user: Any, decision: str, text: str = "") -> None:
    """Decide about a candidate; one that is kept is pinned by the person as well.

    Raises
    ------
    StoreError
        There is no such decision, or the candidate is another's by now.
    """
    if decision not in Decision.values:
        raise StoreError(f"there is no decision {sanitize_text(decision)[:20]!r}: there are {', '.join(Decision.values)}")
    text = " ".join(sanitize_text(text).split())[:LONGEST]
    with transaction.atomic():
        begin_write()
        sky = SkyObject.objects.select_for_update().get(pk=row.sky_object_id)
        mine = Q(user=user) | Q(decision="", expires__lte=clock.now())
        values = {"decision": decision, "text": text, "decided": clock.now(), "user": user, "evidence": sky.evidence}
        if not Scan.objects.filter(mine, pk=row.pk).update(**values):
            raise StoreError("somebody else has it before the eyes by now")
        if decision == Decision.KEEP:
            marks.add(sky, marks.Kind.PIN, user, text)


def of_night(night: dt.date, profile: str, team: int) -> QuerySet[Scan]:
    """What was decided in a night, earliest first."""
    rows = Scan.objects.filter(night=night, profile=profile, team=team).exclude(decision="")
    return rows.select_related("sky_object", "user").order_by("decided", "pk")


def before(row: Scan, user: Any) -> Scan | None:
    """What the same person decided before, tonight in the same queue; None without one."""
    own = of_night(row.night, row.profile, row.team).filter(user=user)
    earlier = own if row.decided is None else own.filter(decided__lt=row.decided)
    return earlier.exclude(pk=row.pk).last()
