"""Keeps files on objects, in the database: they are saved and moved with it, and no web server gives them to strangers."""

from __future__ import annotations

from typing import Any

from tom_alerce.models import Attachment, SkyObject
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

#: Bytes of a file, files of an object, and characters of a name, at most.
LARGEST, MOST, LONGEST = 5_000_000, 20, Attachment._meta.get_field("name").max_length or 0


def attach(sky_object: SkyObject, name: str, content: bytes, author: Any) -> Attachment:
    """Keep a file on an object; StoreError if it is empty, too large, or one too many."""
    name = sanitize_text(name).replace("\\", "/").rpartition("/")[2].strip()[-LONGEST:]
    if not name or not content:
        raise StoreError("there is nothing in this file")
    if len(content) > LARGEST:
        raise StoreError(f"the file has {len(content) / 1e6:.1f} MB, of {LARGEST / 1e6:.0f} at most")
    if sky_object.attachments.count() >= MOST:
        raise StoreError(f"it has {MOST} files already")
    return Attachment.objects.create(sky_object=sky_object, name=name, content=content, size=len(content), author=author)
