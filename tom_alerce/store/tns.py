"""The table of the Transient Name Server: loading it, looking names and places up in it, and giving its names to our objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from django.db import transaction
from numpy.typing import ArrayLike

from broker_adapters import healpix
from broker_adapters.crossmatch import match
from broker_adapters.tns_table import Named
from tom_alerce.models import SkyObject, SurveyObject, TnsName, TnsObject
from tom_alerce.store import targets
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write, chunks, insert_ignore

#: Arcseconds within which an object of TNS is the same source.
RADIUS = 2.0
#: Objects that are written in one transaction, so that nobody waits long for SQLite.
_BATCH = 10_000
_FIELDS = (
    "objid", "prefix", "name", "ra", "dec", "healpix", "type", "redshift", "discovered", "magnitude", "filter", "group", "internal_names",
    "digest",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many objects a table had, how many of them were new or changed, and how many were removed."""

    read: int
    written: int
    removed: int


def load(objects: Iterable[Named], *, whole: bool, done: Callable[[int], object] = lambda n: None) -> Loaded:
    """Bring our table up to date: objects that are new or have changed are written; those not in a ``whole`` table are removed.

    An empty table removes nothing: it is a fault of its source.
    """
    before = dict(TnsObject.objects.values_list("objid", "digest"))
    seen: set[int] = set()
    written, iterator = 0, iter(objects)
    while part := list(islice(iterator, _BATCH)):
        latest = {one.objid: (one, one.digest) for one in part}
        seen.update(latest)
        changed = [pair for objid, pair in latest.items() if before.get(objid) != pair[1]]
        _write(changed, [pair[0].objid for pair in changed if pair[0].objid in before])
        written += len(changed)
        done(len(part))
    gone = sorted(before.keys() - seen) if whole and seen else []
    for part_ in chunks(gone):
        TnsObject.objects.filter(pk__in=part_).delete()
    return Loaded(len(seen), written, len(gone))


def _write(changed: Sequence[tuple[Named, int]], known: Sequence[int]) -> None:
    if not changed:
        return
    cells = healpix.cells([one.ra for one, _ in changed], [one.dec for one, _ in changed]).tolist()
    rows = []
    for (one, digest), cell in zip(changed, cells, strict=True):
        _, prefix, name, ra, dec, kind, z, discovered, magnitude, band, group, internal = one
        texts = (sanitize_text(kind), sanitize_text(band), sanitize_text(group), json.dumps([sanitize_text(n) for n in internal]))
        rows.append((one.objid, prefix, name, ra, dec, cell, texts[0], z, discovered, magnitude, *texts[1:], digest))
    names = [(sanitize_text(name), one.objid) for one, _ in changed for name in one.internal_names]
    with transaction.atomic():
        begin_write()
        for part in chunks(known):
            TnsObject.objects.filter(pk__in=part).delete()
        insert_ignore(TnsObject, _FIELDS, rows)
        insert_ignore(TnsName, ("name", "tns_object"), names)


def near(ra: ArrayLike, dec: ArrayLike, radius: float = RADIUS) -> list[TnsObject | None]:
    """For each of n positions (degrees) the nearest object of TNS within ``radius`` (arcseconds, at most 20), the oldest of equal ones.

    Positions that are not finite have none.
    """
    place = np.array([np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))])
    found: list[TnsObject | None] = [None] * place.shape[1]
    known = np.flatnonzero(np.isfinite(place).all(axis=0))
    if not len(known):
        return found
    here = place[:, known]
    rows = [
        row
        for part in chunks(healpix.touched(here[0], here[1], radius))
        for row in TnsObject.objects.filter(healpix__in=part).order_by("objid").values_list("objid", "ra", "dec")
    ]
    if not rows:
        return found
    objids, there_ra, there_dec = (np.array(column) for column in zip(*rows, strict=True))
    i, j, _ = match(here[0], here[1], there_ra, there_dec, radius)
    first = np.unique(i, return_index=True)[1]
    chosen = dict(zip(known[i[first]].tolist(), objids[j[first]].tolist(), strict=True))
    objects = {one.objid: one for part in chunks(set(chosen.values())) for one in TnsObject.objects.filter(pk__in=part)}
    for k, objid in chosen.items():
        found[k] = objects.get(objid)
    return found


def called(names: Iterable[str]) -> dict[str, TnsObject]:
    """Name that a survey gave -> the object of TNS."""
    found: dict[str, TnsObject] = {}
    for part in chunks(dict.fromkeys(names)):
        found.update({row.name: row.tns_object for row in TnsName.objects.filter(name__in=part).select_related("tns_object")})
    return found


def of(skies: Iterable[SkyObject]) -> dict[int, TnsObject]:
    """Sky object -> its object of TNS: by the name of one of its members, else by place; what moves has none."""
    if not TnsObject.objects.exists():
        return {}
    fixed = [sky for sky in skies if not sky.moving]
    owners = {
        object_id: sky
        for part in chunks(sky.pk for sky in fixed)
        for object_id, sky in SurveyObject.objects.filter(sky_object__in=part).order_by("-pk").values_list("object_id", "sky_object_id")
    }
    by_place = zip(fixed, near([s.ra for s in fixed], [s.dec for s in fixed]), strict=True)
    found = {sky.pk: one for sky, one in by_place if one is not None}
    return found | {owners[name]: one for name, one in called(owners).items()}


def give_names(since: float) -> int:
    """Give the names of TNS to the members of objects last seen since an MJD, and to their targets; how many objects got one.

    The name becomes an alias, by which targets and alerts are recognised. Earlier names are kept.
    """
    named = 0
    query = SkyObject.objects.filter(moving=False, last_mjd__gte=since).order_by("pk")
    for part in chunks(query.iterator(chunk_size=500), 500):
        found = of(part)
        skies = []
        for member in SurveyObject.objects.filter(sky_object__in=found).select_related("sky_object").order_by("sky_object", "pk"):
            name = str(found[member.sky_object_id])
            if name not in member.names:
                SurveyObject.objects.filter(pk=member.pk).update(names=sorted({*member.names, name}))
                skies.append(member.sky_object)
        fresh = list({sky.pk: sky for sky in skies}.values())
        with transaction.atomic():
            targets.update(fresh, ())
        named += len(fresh)
    return named
