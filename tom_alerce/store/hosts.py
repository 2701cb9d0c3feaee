"""Stores what people say of the host of an object: one of the candidates, or none of the catalogued galaxies; undone, it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone as clock

from classifiers import hosts
from tom_alerce.models import HostChoice, SkyObject
from tom_alerce.store import context
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks

#: Characters of a text at most, the width of the column.
LONGEST = HostChoice._meta.get_field("text").max_length or 0


def choose(sky_object: SkyObject, galaxy: str, author: Any, text: str = "") -> HostChoice:
    """Say that a galaxy, by its name in the catalogues, is the host of an object; '' for none of them. It replaces what was said before.

    Raises
    ------
    StoreError
        The galaxy is not among the candidates, or the text is too long.
    """
    text = " ".join(sanitize_text(text).split())
    if len(text) > LONGEST:
        raise StoreError(f"the text has {len(text)} characters, of {LONGEST} at most")
    ra, dec = _place(sky_object, galaxy) if galaxy else (None, None)
    with transaction.atomic():
        begin_write()
        SkyObject.objects.select_for_update().get(pk=sky_object.pk)
        HostChoice.objects.filter(sky_object=sky_object, undone=None).update(undone=clock.now(), undone_by=author)
        return HostChoice.objects.create(sky_object=sky_object, galaxy=galaxy, ra=ra, dec=dec, author=author, text=text)


def undo(sky_object: SkyObject, user: Any) -> None:
    """Let what was said of the host count no more; StoreError if nothing counts."""
    if not HostChoice.objects.filter(sky_object=sky_object, undone=None).update(undone=clock.now(), undone_by=user):
        raise StoreError("nobody has said what its host is")


def chosen(sky_object_ids: Iterable[int]) -> dict[int, HostChoice]:
    """What counts of what people said, with their names, by object."""
    found = {}
    for part in chunks(sky_object_ids):
        for row in HostChoice.objects.filter(sky_object__in=part, undone=None).select_related("author"):
            found[row.sky_object_id] = row
    return found


def inherit(empty: SkyObject, heir: SkyObject) -> None:
    """Give an object what was said of the host of another, which is about to be deleted; what is said of the heir itself stays."""
    if heir.host_choices.filter(undone=None).exists():
        empty.host_choices.filter(undone=None).update(undone=clock.now())
    empty.host_choices.update(sky_object=heir)


def _place(sky_object: SkyObject, galaxy: str) -> tuple[float, float]:
    """Place of a candidate of that name, degrees."""
    galaxies = hosts.associate(context.around(sky_object.ra, sky_object.dec, hosts.RADIUS).sources, sky_object.ra, sky_object.dec).galaxies
    own = np.flatnonzero(galaxies["id"] == galaxy)
    if not len(own):
        raise StoreError("this galaxy is not among the candidates: it is in no catalogue that this TOM reads, or too far away")
    return float(galaxies["ra"][own[0]]), float(galaxies["dec"][own[0]])
