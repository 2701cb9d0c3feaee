"""Rules: of what a person is told; stored after a look at whether they can be kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from tom_alerce import visible
from tom_alerce.models import Channel, Event, Rule
from tom_alerce.store import profiles, saved
from tom_alerce.store.errors import StoreError
from tom_alerce.store.fanout import OF_THE_TOM
from tom_alerce.store.sanitize import sanitize_text

Kind = Event.Kind

#: Rules of one person at most.
MOST = 50
#: Events about objects, of which there are too many for whoever says not which objects are meant.
_OF_OBJECTS = frozenset(Kind.values) - OF_THE_TOM - {Kind.REQUEST}


def save(owner: Any, fields: Mapping[str, Any], channels: Iterable[Channel], rule: Rule | None = None) -> Rule:
    """Store a rule with ``fields`` of `Rule` and the owner's own channels, and switch it on.

    Raises
    ------
    StoreError
        It names nothing to be told, no channel, no objects for an event about objects, or what its owner may not see.
    """
    made = rule or Rule(owner=owner)
    for name, value in fields.items():
        setattr(made, name, value)
    made.name = " ".join(sanitize_text(made.name).split())[:100]
    chosen = [one for one in channels if one.owner_id == owner.pk]
    others = Rule.objects.filter(owner=owner).exclude(pk=made.pk)
    if not made.name:
        raise StoreError("a rule needs a name")
    if others.filter(name=made.name).exists():
        raise StoreError(f"you have a rule {made.name!r} already")
    if made.pk is None and others.count() >= MOST:
        raise StoreError(f"{MOST} rules are the most")
    if not chosen:
        raise StoreError("choose a channel of yours")
    _check(owner, made)
    made.active = True
    with transaction.atomic():
        made.save()
        made.channels.set(chosen)
    return made


def switch(rule: Rule, active: bool) -> None:
    """Switch a rule on or off."""
    Rule.objects.filter(pk=rule.pk).update(active=active)


def unsubscribe(rule: int, channel: int) -> Rule | None:
    """End a rule through one channel, and switch it off if it has no other; None if there is no such rule any more."""
    found = Rule.objects.filter(pk=rule).first()
    if found is None:
        return None
    found.channels.remove(*Channel.objects.filter(pk=channel))
    found.deliveries.filter(channel=channel, state="waiting").update(state="dropped", answer="ended by its reader")
    if not found.channels.exists():
        switch(found, False)
    return found


def _check(owner: Any, rule: Rule) -> None:
    events = set(rule.events)
    if not events or not events <= set(Kind.values):
        raise StoreError("choose what you want to be told")
    if Kind.TOP in events and not rule.profile:
        raise StoreError("the top is that of a ranking: choose a profile")
    if events & _OF_OBJECTS and rule.watch is None and not rule.profile and not rule.filter:
        raise StoreError("choose the objects: a list, a region, a filter, or a profile")
    if Kind.NEW in events and rule.watch is None and not rule.profile:
        raise StoreError("what is new is new in a list, a region, or a ranking: choose one")
    if Kind.FILTER in events and not rule.filter:
        raise StoreError("choose the filter")
    if rule.filter and not saved.seen_by(owner).filter(name=rule.filter).exists():
        raise StoreError("there is no such filter")
    if rule.watch is not None and not visible.watches(owner).filter(pk=rule.watch.pk).exists():
        raise StoreError("there is no such list")
    if rule.profile and rule.profile not in profiles.every():
        raise StoreError(f"there is no profile {rule.profile!r}")


def remove(rule: Rule) -> None:
    """Remove a rule with its deliveries."""
    rule.delete()
