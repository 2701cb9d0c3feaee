"""Keeps what people say that objects are: a label of each person, which the next one of that person replaces."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone as clock

from classifiers.taxonomy import LIGHTCURVE_CLASSES, STAMP, ours
from tom_alerce.models import Label, SkyObject
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write

#: What an object may be said to be.
CLASSES = tuple(dict.fromkeys((*LIGHTCURVE_CLASSES, *STAMP)))
#: Characters of a text at most.
LONGEST = Label._meta.get_field("text").max_length or 0


def say(sky_object: SkyObject, label: str, author: Any, text: str = "") -> Label:
    """Say what an object is, in our words or those of a broker; it replaces what the same person said before, which is kept as undone.

    Raises
    ------
    StoreError
        No such class, or the text is too long.
    """
    known = ours(sanitize_text(label))
    if known is None:
        raise StoreError(f"there is no class {sanitize_text(label)[:40]!r}: there are {', '.join(CLASSES)}")
    text = " ".join(sanitize_text(text).split())
    if len(text) > LONGEST:
        raise StoreError(f"the text has {len(text)} characters, of {LONGEST} at most")
    with transaction.atomic():
        begin_write()
        evidence = SkyObject.objects.select_for_update().get(pk=sky_object.pk).evidence
        Label.objects.filter(sky_object=sky_object, author=author, undone=None).update(undone=clock.now())
        return Label.objects.create(sky_object=sky_object, label=known, author=author, text=text, evidence=evidence)


def unsay(label: Label) -> None:
    """Let a label count no more; StoreError if it does not count already."""
    if not Label.objects.filter(pk=label.pk, undone=None).update(undone=clock.now()):
        raise StoreError("it is undone already")


def counting() -> QuerySet[Label]:
    """Labels that count, with their authors, latest first."""
    return Label.objects.filter(undone=None).select_related("author").order_by("-pk")


def inherit(empty: SkyObject, heir: SkyObject) -> None:
    """Give an object what people said of another, which is about to be deleted; what one person said of the heir itself stays."""
    own = list(heir.labels.filter(undone=None).values_list("author", flat=True))
    empty.labels.filter(undone=None, author__in=own).update(undone=clock.now())
    empty.labels.update(sky_object=heir)
    empty.tags.exclude(name__in=list(heir.tags.values_list("name", flat=True))).update(sky_object=heir)
    empty.attachments.update(sky_object=heir)
