"""Channels: where people are told; what is secret of an address is stored encrypted, and given to nothing but the plug-in that sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.fernet import InvalidToken
from django.db.models import Q
from django.utils import timezone

from broker_adapters import plugins
from tom_alerce import conf, visible
from tom_alerce.models import Channel
from tom_alerce.outgoing.records import Owner, Plugin
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

PACKAGE = "tom_alerce.notify"
#: Channels of one person, and characters of a part of an address, at most.
MOST, LONGEST = 20, 500
#: Characters of a problem at most, the width of the column.
_PROBLEM = 300


def kinds() -> dict[str, Plugin]:
    """Plug-ins by name, the TOM's own page first."""
    found = {name: plugin(name) for name in names()}
    return dict(sorted(found.items(), key=lambda item: (item[0] != "in_app", item[1].LABEL)))


def names() -> list[str]:
    """Names of our plug-ins, and the dotted ones of third parties that the settings name."""
    return [*plugins.names(PACKAGE), *(name for name in conf.get("NOTIFY").get("channels", ()) if "." in name)]


def plugin(kind: str) -> Plugin:
    """The plug-in of that name; StoreError without it, whatever module a row or a form names."""
    if kind not in names():
        raise StoreError(f"there is no kind of channel {kind[:40]!r}")
    return cast(Plugin, plugins.load(PACKAGE, kind))


def save(owner: Any, kind: str, name: str, given: Mapping[str, str], group: Any = None, channel: Channel | None = None) -> Channel:
    """Store a channel; a secret that is left empty stays as it is.

    Raises
    ------
    StoreError
        The address cannot be used, a part of it is missing, the name is taken, or the owner has too many.
    """
    module = plugin(kind)
    name = " ".join(sanitize_text(name).split())[:100]
    if not name:
        raise StoreError("a channel needs a name")
    others = Channel.objects.filter(owner=owner).exclude(pk=channel.pk if channel else 0)
    if others.filter(name=name).exists():
        raise StoreError(f"you have a channel {name!r} already")
    if channel is None and others.count() >= MOST:
        raise StoreError(f"{MOST} channels are the most")
    if group is not None and not owner.groups.filter(pk=group.pk).exists():
        raise StoreError("you can only share with a group that you are in")
    kept = address(channel) if channel is not None and channel.kind == kind else {}
    whole = _whole(module, given, kept)
    if problems := list(module.problems(whole, of(owner))):
        raise StoreError("; ".join(problems))
    secret = {one.name for one in module.FIELDS if one.secret}
    made = channel or Channel(owner=owner)
    made.kind, made.name, made.group = kind, name, group
    made.address = {key: value for key, value in whole.items() if key not in secret}
    made.secret = json.dumps({key: whole[key] for key in sorted(secret)}) if secret else None
    made.active, made.problem = True, ""
    made.save()
    return made


def address(channel: Channel) -> dict[str, str]:
    """The whole address, secrets included; StoreError if they cannot be read any more, since the TOM has another SECRET_KEY."""
    try:
        stored = channel.secret
        secret = json.loads(stored) if stored else {}
    except (InvalidToken, ValueError):
        raise StoreError("its secret cannot be read any more: give it again") from None
    return {**channel.address, **secret}


def of(owner: Any) -> Owner:
    """What a plug-in may know of an owner."""
    return Owner(owner.email or "", visible.may(owner, "configure"))


def readers(channel: Channel) -> list[Any]:
    """Accounts that read what is sent to a channel: its owner, and the members of its group."""
    members = channel.group.user_set.filter(is_active=True) if channel.group is not None else ()
    return list({user.pk: user for user in (channel.owner, *members)}.values())


def lease(channel: Channel, seconds: float, now: datetime | None = None) -> bool:
    """Whether this worker alone may send to a channel for so long; another may take it over afterwards, if this one dies."""
    now = timezone.now() if now is None else now
    free = Channel.objects.filter(Q(leased=None) | Q(leased__lt=now), pk=channel.pk, active=True)
    return bool(free.update(leased=now + timedelta(seconds=seconds)))


def release(channel: Channel) -> None:
    """Let other workers send to a channel."""
    Channel.objects.filter(pk=channel.pk).update(leased=None)


def note(channel: Channel, problem: str = "", *, for_good: bool = False) -> None:
    """Keep what a channel last answered, '' for yes; one whose address is wrong or gone is switched off."""
    fields: dict[str, Any] = {"problem": sanitize_text(problem)[:_PROBLEM]} | ({"active": False} if for_good else {})
    Channel.objects.filter(pk=channel.pk).update(**fields)


def switch(channel: Channel, active: bool) -> None:
    """Switch a channel on or off."""
    Channel.objects.filter(pk=channel.pk).update(active=active, **({"problem": ""} if active else {}))


def _whole(module: Plugin, given: Mapping[str, str], kept: Mapping[str, str]) -> dict[str, str]:
    """All parts of an address: those given, and the secrets that are kept."""
    whole: dict[str, str] = {}
    for one in module.FIELDS:
        value = sanitize_text(given.get(one.name, "")).strip()
        if not value and one.secret:
            value = kept.get(one.name, "")
        if len(value) > LONGEST or not value.isprintable():
            raise StoreError(f"{one.label}: at most {LONGEST} characters on one line")
        if not value and one.required:
            raise StoreError(f"{one.label}: it is needed")
        whole[one.name] = value
    return whole


def remove(channel: Channel) -> None:
    """Remove a channel with its deliveries."""
    channel.delete()
