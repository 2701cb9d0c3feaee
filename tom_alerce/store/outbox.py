"""The outbox: what has happened, written in the transaction in which it happens; `tom_alerce.pipeline.deliver` tells people of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tom_alerce.models import Event, FollowupRequest, SkyObject, Watch
from tom_alerce.store.sanitize import json_safe, sanitize_text

Kind = Event.Kind

_WIDTHS = {column.name: column.max_length for column in Event._meta.concrete_fields}
#: Characters of a text at most.
LONGEST = 4000


def announce(
    event: str,
    key: str,
    title: str,
    text: str,
    *,
    sky_object: SkyObject | None = None,
    profile: str | None = None,
    url: str = "",
    request: FollowupRequest | None = None,
    watch: Watch | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Note that something has happened, in the caller's transaction; the same event and key again add nothing.

    Parameters
    ----------
    event : str
        One of `Event.Kind`.
    key : str
        What the event is the same by, such as the object and the night: whoever may announce it again uses the same key.
    title, text : str
        What people read. Names of objects in it are public ones (`SkyObject.public_name`); what only some may see goes with ``request``.
    sky_object, profile : optional
        The object that it is about, and the name of the profile of the ranking that it is about.
    url : str
        Path of the page that shows it; '' takes that of the request or object.
    request : FollowupRequest, optional
        The request that it is about: only those who may see that are told.
    watch : Watch, optional
        The list or region in which the object was found: only those who may see that are told.
    facts : mapping, optional
        Numbers that rules ask for: ``rate`` (mag/d) of what rises, ``by`` (mag) of what brightens, ``place`` of what enters a top.

    Raises
    ------
    ValueError
        There is no such event.
    """
    announce_all([made(event, key, title, text, sky_object, profile, url, request, watch, facts)])


def announce_all(events: Iterable[Event]) -> None:
    """Note several events (`made`) at once."""
    Event.objects.bulk_create(events, ignore_conflicts=True, batch_size=500)


def made(
    event: str,
    key: str,
    title: str,
    text: str,
    sky_object: SkyObject | None = None,
    profile: str | None = None,
    url: str = "",
    request: FollowupRequest | None = None,
    watch: Watch | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Event:
    """An event, with the parameters of `announce`, that is not stored yet."""
    if event not in Kind.values:
        raise ValueError(f"there is no event {event!r}: there are {', '.join(Kind.values)}")
    texts = {"key": key, "title": " ".join(title.split()), "profile": profile or "", "url": url}
    cut = {name: sanitize_text(value)[: _WIDTHS[name]] for name, value in texts.items()}
    return Event(
        event=event,
        text=sanitize_text(text)[:LONGEST],
        sky_object=sky_object,
        request=request,
        watch=watch,
        facts=json_safe(facts or {}),
        **cut,
    )
