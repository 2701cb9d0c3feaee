"""Keeps tags of objects: words by which they are found again, the same for everybody."""

from __future__ import annotations

from typing import Any

from django.utils.text import slugify

from tom_alerce.models import SkyObject, Tag
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

#: Tags of an object at most, and characters of one.
MOST, LONGEST = 20, Tag._meta.get_field("name").max_length or 0


def tag(sky_object: SkyObject, name: str, author: Any) -> Tag:
    """Put a tag on an object, in lower case without spaces; the same tag twice is one. StoreError for none, or too many."""
    word = slugify(sanitize_text(name))[:LONGEST]
    if not word:
        raise StoreError("a tag has letters, digits and hyphens")
    if sky_object.tags.exclude(name=word).count() >= MOST:
        raise StoreError(f"it has {MOST} tags already")
    return Tag.objects.get_or_create(sky_object=sky_object, name=word, defaults={"author": author})[0]


def untag(sky_object: SkyObject, name: str) -> None:
    """Take a tag off an object; StoreError if it has none of that name."""
    if not Tag.objects.filter(sky_object=sky_object, name=name).delete()[0]:
        raise StoreError("it has no such tag")
