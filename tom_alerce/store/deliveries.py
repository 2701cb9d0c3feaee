"""Deliveries: which are due, which may be read by all who read their channel, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, QuerySet

from tom_alerce import visible
from tom_alerce.models import Channel, Delivery, Rule
from tom_alerce.store import hours, saved
from tom_alerce.store.channels import readers
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import chunks

State = Delivery.State

#: Times that a message is tried at most: the last is a day after the first.
TRIES = 9
#: Seconds until the second try; each later one waits twice as long, `_LONGEST` at most.
_FIRST, _LONGEST = 60.0, 6 * 3600.0
#: Deliveries of a channel that are looked at together; characters of an answer, the width of the column.
AT_ONCE, _ANSWER = 200, 300


def channels(now: datetime) -> list[Channel]:
    """Active channels for which something is due."""
    waiting = Delivery.objects.filter(state=State.WAITING, due__lte=now)
    found = Channel.objects.filter(active=True, owner__is_active=True, pk__in=waiting.values("channel"))
    return list(found.select_related("owner", "group").order_by("pk"))


def due(channel: Channel, now: datetime) -> list[Delivery]:
    """What is due for a channel, the oldest first."""
    rows = Delivery.objects.filter(channel=channel, state=State.WAITING, due__lte=now)
    related = ("event__sky_object", "event__request", "event__watch", "rule__owner")
    return list(rows.select_related(*related).prefetch_related("event__sky_object__survey_objects").order_by("pk")[:AT_ONCE])


def drop(rows: Sequence[Delivery], reason: str) -> None:
    """Tell these not at all."""
    _update(rows, state=State.DROPPED, answer=sanitize_text(reason)[:_ANSWER])


def begin(rows: Sequence[Delivery], message: str) -> None:
    """Count a try before it is made: what ends the worker is bounded as well."""
    for one in rows:
        one.message, one.tries = message, one.tries + 1
    Delivery.objects.bulk_update(rows, ["message", "tries"], batch_size=100)


def sent(rows: Sequence[Delivery], answer: str, now: datetime) -> None:
    """Keep that these have arrived."""
    _update(rows, state=State.SENT, answer=sanitize_text(answer)[:_ANSWER], sent=now)


def failed(rows: Sequence[Delivery], reason: str, now: datetime, *, for_good: bool = False, after: float | None = None) -> None:
    """Try these again later, or give them up, after `TRIES` or where it is of no use."""
    answer = sanitize_text(reason)[:_ANSWER]
    tries = max(one.tries for one in rows)
    if for_good or tries >= TRIES:
        _update(rows, state=State.FAILED, answer=answer)
        return
    wait = min(_FIRST * 2.0 ** (tries - 1), _LONGEST)
    later = now + timedelta(seconds=max(wait, after or 0.0))
    _update(rows, answer=answer, due=hours.loud(rows[0].rule, later))


def postpone(rows: Sequence[Delivery], until: datetime) -> None:
    """Let these wait."""
    _update(rows, due=until)


def full(rule: Rule, channel: Channel, now: datetime) -> datetime | None:
    """Until when a rule has sent as many messages through a channel as it may in an hour; None if it may send one."""
    lately = Delivery.objects.filter(rule=rule, channel=channel, state=State.SENT, sent__gt=now - timedelta(hours=1))
    counted = lately.aggregate(messages=Count("message", distinct=True), first=Min("sent"))
    return counted["first"] + timedelta(hours=1) if counted["messages"] >= max(rule.per_hour, 1) else None


def already(rows: Sequence[Delivery]) -> list[Delivery]:
    """Those whose event was sent through their channel already, by another rule or further up in the list."""
    events = {one.event_id for one in rows}
    known = {
        event
        for part in chunks(events)
        for event in Delivery.objects.filter(event__in=part, channel=rows[0].channel_id, state=State.SENT).values_list(
            "event_id", flat=True
        )
    }
    twice = []
    for one in rows:
        twice += [one] if one.event_id in known else []
        known.add(one.event_id)
    return twice


def unreadable(rows: Sequence[Delivery], channel: Channel, *, public: bool) -> dict[int, str]:
    """Key of a delivery -> why it must not be told there: somebody who reads the channel may not see what it is about."""
    found: dict[int, str] = {}
    for reader in readers(channel):
        seen = _seen(reader, rows)
        for one in rows:
            if reason := _hidden(one, reader, seen):
                found.setdefault(one.pk, reason)
    for one in rows if public else ():
        if one.event.request_id is not None:
            found.setdefault(one.pk, "everybody reads this channel, and the request is not for everybody")
    return found


def hidden(user: Any, rows: Sequence[Delivery]) -> set[int]:
    """Keys of deliveries about what a person may not see, or may not see any more."""
    seen = _seen(user, rows)
    return {one.pk for one in rows if _hidden(one, user, seen)}


def of(user: Any) -> QuerySet[Delivery]:
    """Deliveries to a person's own channels."""
    return Delivery.objects.filter(channel__owner=user)


def read(user: Any) -> int:
    """Mark what stands on a person's page as read; return how many were not."""
    return unread(user).update(read=True)


def unread(user: Any) -> QuerySet[Delivery]:
    """What stands on a person's page and was not read."""
    return of(user).filter(channel__kind="in_app", state=State.SENT, read=False)


_Seen = tuple[bool, Collection[int], Collection[int], Collection[int | str]]


def _seen(reader: Any, rows: Sequence[Delivery]) -> _Seen:
    """Whether a person may see objects at all, and of the requests and lists the keys of those that the person may see."""
    requests = {one.event.request_id for one in rows if one.event.request_id is not None}
    watches = {key for one in rows for key in (one.event.watch_id, one.rule.watch_id) if key is not None}
    allowed = set(visible.requests(reader).filter(pk__in=requests).values_list("pk", flat=True)) if requests else set()
    lists = set(visible.watches(reader).filter(pk__in=watches).values_list("pk", flat=True)) if watches else set()
    return visible.may(reader, "view"), allowed, lists, _filters(reader, rows)


def _filters(reader: Any, rows: Sequence[Delivery]) -> set[int | str]:
    """Keys and names of the filters that a person may see, of those that these are about."""
    if not any(one.rule.filter or one.event.facts.get("filter") for one in rows):
        return set()
    return {value for pair in saved.seen_by(reader).values_list("pk", "name") for value in pair}


def _hidden(one: Delivery, reader: Any, seen: _Seen) -> str:
    view, requests, watches, filters = seen
    name = reader.get_username()
    if not view:
        return f"{name} may not see the alerts of this TOM"
    if one.event.request_id is not None and one.event.request_id not in requests:
        return f"{name} may not see the request"
    if {one.event.watch_id, one.rule.watch_id} - {None, *watches}:
        return f"{name} may not see the list"
    if {one.event.facts.get("filter") or "", one.rule.filter} - {"", *filters}:
        return f"{name} may not see the filter"
    return ""


def _update(rows: Sequence[Delivery], **fields: Any) -> None:
    for name, value in fields.items():
        for one in rows:
            setattr(one, name, value)
    for part in chunks(one.pk for one in rows):
        Delivery.objects.filter(pk__in=part).update(**fields)
