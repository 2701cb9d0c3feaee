"""Stores the stamps (cutouts) and metadata of the first and of the latest alert of each survey object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from broker_adapters.records import Alert
from tom_alerce.models import Stamps, SurveyObject
from tom_alerce.store.sanitize import json_safe
from tom_alerce.store.sql import chunks

Slot = Stamps.Slot


@dataclass(frozen=True, slots=True)
class _Entry:
    """An alert that may fill a slot, or the row that fills it now."""

    source_id: str
    mjd: float
    images: bool
    alert: Alert | None = None
    row: int | None = None
    slot: str = ""


def save(alerts: Sequence[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> None:
    """Store the stamps of the first and of the latest alert of each object; an alert with images is preferred to one without.

    An object of one alert has its first stamps only.
    """
    entries: dict[int, dict[str, _Entry]] = {objects[a.key].pk: {} for a in alerts}
    for ids in chunks(entries):
        for entry, owner in _kept(ids):
            entries[owner][entry.source_id] = entry
    for alert in alerts:
        if alert.source_id is not None and (alert.cutouts is not None or alert.metadata):
            own = entries[objects[alert.key].pk]
            old = own.get(alert.source_id)
            if old is None or (not old.images and alert.cutouts is not None):
                own[alert.source_id] = _Entry(alert.source_id, alert.mjd, alert.cutouts is not None, alert)
    wanted = [(owner, slot, entry) for owner, own in entries.items() for slot, entry in _chosen(list(own.values())).items()]
    _write(list(entries), wanted)


def _kept(ids: Sequence[int]) -> list[tuple[_Entry, int]]:
    images = ~Q(science=None, template=None, difference=None)
    rows = Stamps.objects.filter(survey_object__in=ids).annotate(images=images)
    fields = ("source_id", "mjd", "images", "pk", "slot", "survey_object_id")
    return [(_Entry(source, mjd, seen, None, pk, slot), owner) for source, mjd, seen, pk, slot, owner in rows.values_list(*fields)]


def _chosen(entries: Sequence[_Entry]) -> dict[str, _Entry]:
    entries = [e for e in entries if e.images] or entries
    if not entries:
        return {}
    first = min(entries, key=lambda e: (e.mjd, e.source_id))
    latest = max(entries, key=lambda e: (e.mjd, e.source_id))
    return {Slot.FIRST: first} if first is latest else {Slot.FIRST: first, Slot.LATEST: latest}


def _write(owners: Sequence[int], wanted: Sequence[tuple[int, str, _Entry]]) -> None:
    staying = {entry.row for _, _, entry in wanted if entry.row is not None}
    for ids in chunks(owners):
        leaving = set(Stamps.objects.filter(survey_object__in=ids).values_list("pk", flat=True)) - staying
        if leaving:
            Stamps.objects.filter(pk__in=leaving).delete()
    for _, slot, entry in wanted:
        if entry.row is not None and entry.slot != slot:
            Stamps.objects.filter(pk=entry.row).update(slot=slot)
    new = [_row(owner, slot, e.source_id, e.alert) for owner, slot, e in wanted if e.alert is not None]
    Stamps.objects.bulk_create(new, batch_size=100)


def _row(owner: int, slot: str, source_id: str, alert: Alert) -> Stamps:
    images = {name: getattr(alert.cutouts, name, None) for name in ("science", "template", "difference")}
    return Stamps(survey_object_id=owner, slot=slot, source_id=source_id, mjd=alert.mjd, metadata=json_safe(alert.metadata), **images)
