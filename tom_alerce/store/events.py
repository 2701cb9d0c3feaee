"""Stores what observatories say of events, version by version; the same notice again changes nothing."""

from __future__ import annotations

import hashlib
import io
import math
import zlib
from dataclasses import asdict
from functools import lru_cache

import numpy as np
from django.db import transaction
from django.urls import reverse

from broker_adapters.notice import Cone, Notice, Role
from broker_adapters.skymap import SkyMap
from followup import regions
from followup.regions import Region
from tom_alerce.models import EventVersion, SkyEvent
from tom_alerce.store import outbox
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import begin_write

_ROW = np.dtype([("order", "i1"), ("cell", "i8"), ("density", "f8"), ("mu", "f4"), ("sigma", "f4"), ("norm", "f8")])


#: Order of the cells of an event's cover, and level of the region that it is made for.
COVER, _MOST = 5, 0.9999
#: Order of versions, the one that counts first; of two of the same time a retraction is the later one.
_LATEST = ("-issued", "-retracted", "-number", "-pk")


def save(notice: Notice) -> tuple[SkyEvent, bool]:
    """Store a notice; the event, and whether it changed: what comes through two streams, in two formats, is one notice.

    Of the versions of an event the one that was issued last counts, whatever the order in which they come; a retraction, too.
    """
    region = None if notice.place is None else regions.prepare(notice.place)
    with transaction.atomic():
        begin_write()
        fields = {"messenger": notice.messenger.value, "role": notice.role.value}
        SkyEvent.objects.get_or_create(name=sanitize_text(notice.event), defaults=fields)
        event = SkyEvent.objects.select_for_update().get(name=sanitize_text(notice.event))
        _, new = EventVersion.objects.get_or_create(event=event, digest=_digest(notice), defaults=_version(notice, region))
        if new:
            _choose(event)
            _announce(event, notice)
    return event, new


def _announce(event: SkyEvent, notice: Notice) -> None:
    """Let people be told of a version, if it is the one that counts and of an observation."""
    latest = event.versions.defer("map").order_by(*_LATEST)[0]
    if notice.role is not Role.OBSERVATION or latest.digest != _digest(notice):
        return
    said = [notice.messenger.value, "retracted" if notice.retracted else latest.stage]
    said += [f"{latest.area_90:.3g} square degrees hold it with 90 %"] if latest.area_90 is not None else []
    said += [f"{latest.distance:.0f} ± {latest.distance_err:.0f} Mpc"] if latest.distance is not None and latest.distance_err else []
    said += [f"{name} {share:.0%}" for name, share in notice.classes.items() if share >= 0.01]
    title = f"{event.name}: {'retracted' if notice.retracted else latest.stage}"
    url = reverse("tom_alerce:event", args=[event.pk])
    outbox.announce(outbox.Kind.NOTICE, f"{event.name} {latest.digest[:32]}", title, ", ".join(said) + ".", url=url)


def _choose(event: SkyEvent) -> None:
    """Let the latest version count, and the latest place."""
    versions = event.versions.defer("map").order_by(*_LATEST)
    latest = versions[0]
    event.retracted = latest.retracted
    event.placed = versions.filter(retracted=False).exclude(area_90=None).first()
    event.area = None if event.placed is None else event.placed.area_90
    event.cover = None if event.placed is None else np.packbits(regions.touched(region(event), _MOST, COVER)).tobytes()
    event.mjd = next((one.mjd for one in versions if one.mjd is not None), None)
    event.save()


def _version(notice: Notice, region: Region | None) -> dict[str, object]:
    place, fields = notice.place, dict[str, object]()
    if region is not None:
        ra, dec = region.best
        mean, error = region.distances([ra], [dec]).moments()
        area_50, area_90 = region.area([0.5, 0.9]).tolist()
        fields = {
            "area_50": area_50,
            "area_90": area_90,
            "distance": _finite(float(mean[0])),
            "distance_err": _finite(float(error[0])),
            "cone": asdict(place) if isinstance(place, Cone) else None,
            "map": pack(place) if isinstance(place, SkyMap) else None,
        }
    return {
        "stage": sanitize_text(notice.stage),
        "number": notice.number,
        "issued": notice.issued,
        "mjd": _finite(notice.mjd),
        "retracted": notice.retracted,
        "far": _finite(notice.far),
        "classes": {sanitize_text(name): value for name, value in notice.classes.items()},
        "facts": {sanitize_text(name): sanitize_text(text) for name, text in notice.facts.items()},
        **fields,
    }


def _digest(notice: Notice) -> str:
    """Identity of a notice, by what it says."""
    place = notice.place
    said = (notice.stage, notice.number, f"{notice.issued:.6f}", f"{notice.mjd:.6f}", notice.retracted)
    where = [repr(place).encode()] if not isinstance(place, SkyMap) else [place.order, place.cell, place.density]
    made = hashlib.sha256(repr(said).encode())
    for part in where:
        made.update(bytes(part))
    return made.hexdigest()


def region(event: SkyEvent) -> Region:
    """The region of the place that counts; `StoreError` for an event that has none."""
    if event.placed_id is None:
        raise StoreError(f"{event} has no place")
    return _region(*EventVersion.objects.values_list("pk", "digest").get(pk=event.placed_id))


@lru_cache(maxsize=32)
def _region(version: int, digest: str) -> Region:
    """The region of a version, which never changes; known by its digest as well, since keys come again in another database."""
    row = EventVersion.objects.only("cone", "map").get(pk=version)
    if row.map is not None:
        return regions.prepare(unpack(bytes(row.map)))
    if row.cone is None:
        raise StoreError(f"version {version} of an event has no place")
    systematic = tuple((share, error) for share, error in row.cone["systematic"])
    return regions.prepare(Cone(**{**row.cone, "systematic": systematic}))


def pack(skymap: SkyMap) -> bytes:
    """Bytes of a map, from which `unpack` makes the same."""
    rows = np.empty(len(skymap), _ROW)
    for name in _ROW.names or ():
        rows[name] = getattr(skymap, name)
    buffer = io.BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    return zlib.compress(buffer.getvalue(), 1)


def unpack(data: bytes) -> SkyMap:
    """The map of its bytes."""
    rows = np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False)
    floats = (rows[name].astype(np.float64) for name in ("density", "mu", "sigma", "norm"))
    return SkyMap(rows["order"].astype(np.int64), rows["cell"].copy(), *floats)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
