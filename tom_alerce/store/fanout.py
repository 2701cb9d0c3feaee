"""Asks the rules about each event of the outbox: one delivery for each event, rule and channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from tom_alerce import visible
from tom_alerce.models import Channel, Delivery, Event, Rule
from tom_alerce.store import hours
from tom_alerce.store.scopes import Scopes
from tom_alerce.store.sql import begin_write, chunks

Kind = Event.Kind

#: Events that are looked at in one transaction.
AT_ONCE = 500
#: Hours within which a rule says only once that an object rises, brightens, or enters a top.
AGAIN = 20.0
_REPEATED = (Kind.RISES, Kind.BRIGHTENS, Kind.TOP)
#: Events that are about no object.
OF_THE_TOM = frozenset({Kind.DRIFT, Kind.SILENT, Kind.NOTICE})


def spread(now: datetime | None = None) -> int:
    """Make the deliveries of the oldest events that no rule has been asked about; return how many events there were."""
    now = timezone.now() if now is None else now
    with transaction.atomic():
        begin_write()
        rows = Event.objects.filter(spread=False).select_related("sky_object", "request", "watch").order_by("pk")
        events = list(rows.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
        if not events:
            return 0
        Delivery.objects.bulk_create(_deliveries(events, now), ignore_conflicts=True, batch_size=500)
        for part in chunks(one.pk for one in events):
            Event.objects.filter(pk__in=part).update(spread=True)
    return len(events)


def rules() -> list[Rule]:
    """Rules that are on, of accounts that are, with their active channels in ``sending``."""
    every = Rule.objects.filter(active=True, owner__is_active=True).select_related("owner", "watch").prefetch_related("channels")
    found = []
    for rule in every.order_by("pk"):
        rule.sending = [channel for channel in rule.channels.all() if channel.active]  # type: ignore[attr-defined]
        found += [rule] if rule.sending else []  # type: ignore[attr-defined]
    return found


def _deliveries(events: Sequence[Event], now: datetime) -> Iterator[Delivery]:
    wanted = rules()
    scopes = Scopes(wanted, (one.sky_object_id for one in events if one.sky_object_id is not None))
    told = _told(events, now)
    for rule in wanted:
        met = _met(rule, events, scopes, told)
        due = hours.due(rule, now) if met else now
        channels: Sequence[Channel] = rule.sending  # type: ignore[attr-defined]
        yield from (Delivery(event=one, rule=rule, channel=channel, why=why, due=due) for one, why in met for channel in channels)


def _met(rule: Rule, events: Sequence[Event], scopes: Scopes, told: set[tuple[int, str, int]]) -> list[tuple[Event, str]]:
    """Events that a rule tells, each with the reason."""
    met: list[tuple[Event, str]] = []
    requests = [one.request_id for one in events if one.request_id is not None and one.event in rule.events]
    seen = set(visible.requests(rule.owner).filter(pk__in=requests).values_list("pk", flat=True)) if requests else set()
    for one in events:
        why = meets(rule, one, scopes)
        if not why or (one.request_id is not None and one.request_id not in seen):
            continue
        if one.event in _REPEATED and one.sky_object_id is not None:
            if (rule.pk, one.event, one.sky_object_id) in told:
                continue
            told.add((rule.pk, one.event, one.sky_object_id))
        met.append((one, why))
    return met


def meets(rule: Rule, event: Event, scopes: Scopes) -> str:
    """What of a rule an event meets, for people; '' if it does not meet it."""
    if event.event not in rule.events:
        return ""
    if event.event in OF_THE_TOM:
        return Kind(event.event).label
    if not _found_here(rule, event, scopes) or not scopes.holds(rule, event.sky_object_id):
        return ""
    amount = _amount(rule, event)
    if amount is None:
        return ""
    places = [f"the {rule.watch.get_kind_display()} {rule.watch.name!r}"] if rule.watch is not None else []
    places += [f"what passes {rule.filter!r}"] if rule.filter else []
    places += [f"the ranking by the profile {rule.profile!r}"] if rule.profile else []
    return f"{Kind(event.event).label}{amount}" + (f", in {' and '.join(places)}" if places else "")


def _found_here(rule: Rule, event: Event, scopes: Scopes) -> bool:
    """Whether an event that is about one list, one ranking, or one filter, is about that of the rule."""
    if event.event == Kind.FILTER and event.facts.get("filter") != scopes.filter(rule):
        return False
    if event.watch_id is not None and event.watch_id != rule.watch_id:
        return False
    if event.event == Kind.NEW and event.watch_id is None and not event.profile:
        return False
    return not (event.profile and rule.profile and event.profile != rule.profile)


def _amount(rule: Rule, event: Event) -> str | None:
    """How much, and how much the rule asks for; '' where it asks for nothing, None where it is less."""
    facts = event.facts
    if event.event == Kind.RISES:
        return _at_least(facts.get("rate"), rule.rise, "by {:.2f} mag/d ({:.2f} or more are asked for)")
    if event.event == Kind.BRIGHTENS:
        return _at_least(facts.get("by"), rule.brighter, "by {:.2f} mag ({:.2f} or more are asked for)")
    if event.event == Kind.TOP:
        place, before = facts.get("place"), facts.get("before")
        if place is None or place > rule.top or (before is not None and before <= rule.top):
            return None
        return f" at place {place} (the first {rule.top} are asked for)"
    return ""


def _at_least(value: float | None, least: float, text: str) -> str | None:
    return None if value is None or value < least else " " + text.format(value, least)


def _told(events: Sequence[Event], now: datetime) -> set[tuple[int, str, int]]:
    """Rule, event and object of what was told lately."""
    keys = {one.sky_object_id for one in events if one.event in _REPEATED and one.sky_object_id is not None}
    found: set[tuple[int, str, int]] = set()
    for part in chunks(keys):
        lately = Delivery.objects.filter(event__created__gte=now - timedelta(hours=AGAIN), event__event__in=_REPEATED)
        found |= set(lately.filter(event__sky_object__in=part).values_list("rule_id", "event__event", "event__sky_object_id"))
    return found
