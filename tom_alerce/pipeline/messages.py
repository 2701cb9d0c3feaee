"""Makes messages of deliveries, with links to the pages of the TOM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from tom_alerce import conf
from tom_alerce.models import Channel, Delivery, Event
from tom_alerce.outgoing.records import Message, Told

#: Events as people read them.
KINDS = Event.Kind.choices
#: Purpose of our signatures, so that no other signature of the TOM is taken for one.
_SALT = "tom_alerce.notify"


def message(rows: Sequence[Delivery], channel: Channel) -> Message:
    """The message in which these deliveries of one rule are sent together."""
    rule = rows[0].rule
    title = rows[0].event.title if len(rows) == 1 else f"{len(rows)} events: {rule.name}"
    told = [_told(one) for one in rows]
    why = absolute(reverse("tom_alerce:notification", args=[rows[0].message]))
    return Message(
        rows[0].message, title, told, rule.name, why, absolute(reverse("tom_alerce:unsubscribe", args=[token(rule.pk, channel.pk)]))
    )


def trial(channel: Channel) -> Message:
    """A message that says that a channel works."""
    text = f"This is a test of the channel {channel.name}, asked for by {channel.owner.get_username()}."
    page = absolute(reverse("tom_alerce:notifications"))
    return Message(uuid4().hex, "Test", [Told("test", "A test of notifications", text, timezone.now(), url=page)])


def absolute(path: str) -> str:
    """Address of a page for people outside of the TOM; the path alone if the settings do not name the address of the TOM."""
    base: str = conf.get("NOTIFY").get("url", "")
    return base.rstrip("/") + path if path.startswith("/") else path


def token(rule: int, channel: int) -> str:
    """A signed text that stands for one rule through one channel, with which nothing but ending that can be done."""
    return signing.dumps([rule, channel], salt=_SALT)


def rule_and_channel(text: str) -> tuple[int, int] | None:
    """What a `token` stands for; None if it is not ours."""
    try:
        rule, channel = signing.loads(text, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(rule), int(channel)


def _told(one: Delivery) -> Told:
    event, sky = one.event, one.event.sky_object
    place: dict[str, Any] = {} if sky is None else {"name": sky.public_name, "ra": sky.ra, "dec": sky.dec}
    return Told(event.event, event.title, event.text, event.created, one.why, absolute(page(event)), facts=event.facts, **place)


def page(event: Event) -> str:
    """Path of the page that shows what an event is about."""
    if event.url:
        return event.url
    if event.request_id is not None:
        return reverse("tom_alerce:request", args=[event.request_id])
    return reverse("tom_alerce:object", args=[event.sky_object_id]) if event.sky_object_id is not None else ""
