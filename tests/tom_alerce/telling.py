"""Rules and channels for tests of what is told."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model

from tom_alerce.models import Channel, Delivery, Rule, Watch, WatchMatch
from tom_alerce.outgoing.records import Undelivered
from tom_alerce.store import channels
from tom_alerce.store.outbox import announce


def person(name, **fields):
    """An account that cannot log in, which is quickly made."""
    return get_user_model().objects.create(username=name, **fields)


def channel(owner, name="TOM", kind="in_app", group=None, **address):
    return channels.save(owner, kind, name, address, group)


def rule(owner, *through, name="Young", events=("class",), **fields):
    made = Rule.objects.create(owner=owner, name=name, events=list(events), **fields)
    made.channels.set(through or [Channel.objects.filter(owner=owner).first() or channel(owner)])
    return made


def watched(owner, *skies, name="Mine", group=None):
    """A list in which these objects have been found."""
    watch = Watch.objects.create(name=name, owner=owner, group=group, searched=1)
    for sky in skies:
        WatchMatch.objects.create(watch=watch, sky_object=sky)
    return watch


def happens(sky, key="1", event="class", **fields):
    announce(event, key, f"event {key}", "It is another", sky_object=sky, **fields)


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def service(monkeypatch):
    """What every channel of the kind slack sends to: the messages, and the error with which it answers, if any."""
    from tom_alerce.notify import slack

    seen = SimpleNamespace(messages=[], error=None)

    def send(message, address):
        seen.messages.append(message)
        if seen.error is not None:
            raise seen.error
        return "ok"

    monkeypatch.setattr(slack, "send", send)
    return seen


def slack(owner, name="Slack", **fields):
    return channel(owner, name, "slack", url="https://hooks.example/secret-secret", **fields)


def gone(**fields):
    return Undelivered("HTTP 500", **fields)
