"""Keeps whom the text of a mark names as @name, until that person has read it."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone as clock

from tom_alerce.models import Mark, Mention, SkyObject

_NAME = re.compile(r"(?<![\w.])@([\w.+-]+)")


def mention(mark: Mark) -> list[str]:
    """Keep whom the text of a mark names as @name, but its author; return their names, unknown ones left out."""
    if "@" not in mark.text:
        return []
    users = get_user_model().objects.filter(username__in=set(_NAME.findall(mark.text)), is_active=True)
    found = [user for user in users if user.pk != mark.author_id]
    Mention.objects.bulk_create([Mention(mark=mark, user=user) for user in found], ignore_conflicts=True)
    return [user.get_username() for user in found]


def unread(user: Any) -> QuerySet[Mention]:
    """Mentions of a person that the person has not read, latest first."""
    rows = Mention.objects.filter(user=user, read=None, mark__undone=None).select_related("mark__author", "mark__sky_object")
    return rows.order_by("-pk")


def read(user: Any, sky_object: SkyObject) -> None:
    """Keep that a person has read what mentions that person on an object."""
    Mention.objects.filter(user=user, read=None, mark__sky_object=sky_object).update(read=clock.now())
