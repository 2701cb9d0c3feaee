"""Marks of people as the pages show them: until which night, and whether the reader may undo them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone as clock

from tom_alerce import visible
from tom_alerce.models import Mark, SkyObject
from tom_alerce.store import marks

#: Marks of an object that count no more, of which at most so many are listed.
PAST = 50


def of(keys: Sequence[int], user: visible.User) -> dict[int, list[Mark]]:
    """Marks that count now, by key of the object, each with ``last_night`` and ``may_undo``; one query."""
    found = marks.shown(keys)
    for own in found.values():
        decorate(own, user)
    return found


def both(sky_object: SkyObject, user: visible.User) -> tuple[list[Mark], list[Mark]]:
    """Marks of an object that count, oldest first, and those that have expired or are undone, latest first; one query."""
    rows = list(sky_object.marks.select_related("author", "undone_by").order_by("-pk"))
    now = clock.now()
    counting = [one for one in rows if one.undone is None and (one.expires is None or one.expires > now)]
    past = [one for one in rows if one not in counting]
    return decorate(counting[::-1], user), decorate(past[:PAST], user)


def decorate(rows: list[Mark], user: visible.User) -> list[Mark]:
    """Set ``last_night`` and ``may_undo`` of marks."""
    every: Iterable[Any] = rows
    for mark in every:
        mark.last_night = marks.last_night(mark)
        mark.may_undo = visible.may_undo(user, mark)
    return rows
