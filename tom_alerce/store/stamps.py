"""Stores the stamps (cutouts) and metadata of the first and of the latest alert of each survey object."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Case, IntegerField, Value, When

from broker_adapters.records import STAMPS, Alert, Cutouts
from tom_alerce.models import Stamps, SurveyObject
from tom_alerce.store.sanitize import json_safe
from tom_alerce.store.sql import chunks

Slot = Stamps.Slot

#: Database expression: number of images of a row of stamps.
IMAGES = sum((Case(When(**{name: None}, then=Value(0)), default=Value(1), output_field=IntegerField()) for name in STAMPS), Value(0))


@dataclass(slots=True)
class _Copy:
    """A copy of an alert that may fill a slot: one of a message, or the row that fills it now."""

    source_id: str
    mjd: float
    images: int
    alert: Alert | None = None
    row: int | None = None
    slot: str = ""
    digest: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, alert: Alert) -> _Copy:
        return cls(str(alert.source_id), alert.mjd, sum(image is not None for image in _images(alert.cutouts).values()), alert)

    def read(self) -> _Copy:
        """The same with metadata and digest."""
        if self.alert is not None:
            if not self.digest:
                self.metadata, text = _plain(self.alert.metadata)
                self.digest = _digest(self.mjd, text, _images(self.alert.cutouts))
            return self
        row = Stamps.objects.get(pk=self.row or 0)
        self.metadata = row.metadata
        self.digest = self.digest or _digest(row.mjd, _plain(row.metadata)[1], {name: getattr(row, name) for name in STAMPS})
        return self

    def completeness(self) -> tuple[int, int, str]:
        """Rank among copies of the same alert: the one with more images, then with more metadata, then any, but always the same."""
        return self.images, sum(value is not None for value in self.metadata.values()), self.digest


def save(alerts: Sequence[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> None:
    """Store the stamps of the first and of the latest alert of each object, in whatever order alerts and copies of them come.

    Alerts with more images go before those with fewer; of copies of one alert the most complete is kept. An object of one alert has its
    first stamps only.
    """
    copies: dict[int, dict[str, _Copy]] = {objects[a.key].pk: {} for a in alerts}
    kept = []
    for copy, owner in (pair for ids in chunks(copies) for pair in _kept(ids)):
        copies[owner][copy.source_id] = copy
        kept.append(copy)
    for alert in alerts:
        if alert.source_id is not None and (alert.metadata or any(_images(alert.cutouts).values())):
            own = copies[objects[alert.key].pk]
            copy = _Copy.of(alert)
            own[copy.source_id] = _better(own.get(copy.source_id), copy)
    wanted = [(owner, slot, copy) for owner, own in copies.items() for slot, copy in _chosen(list(own.values())).items()]
    _write({copy.row for copy in kept if copy.row is not None}, wanted)


def _kept(ids: Sequence[int]) -> list[tuple[_Copy, int]]:
    rows = Stamps.objects.filter(survey_object__in=ids).annotate(images=IMAGES)
    fields = ("source_id", "mjd", "images", "pk", "slot", "digest", "survey_object_id")
    return [
        (_Copy(source, mjd, seen, None, pk, slot, digest), owner)
        for source, mjd, seen, pk, slot, digest, owner in rows.values_list(*fields)
    ]


def _better(old: _Copy | None, new: _Copy) -> _Copy:
    """Of two copies of one alert the more complete; the stored one if they are equal."""
    if old is None or new.images > old.images:
        return new
    if new.images < old.images or new.read().digest == old.digest:
        return old
    return new if new.completeness() > old.read().completeness() else old


def _chosen(copies: Sequence[_Copy]) -> dict[str, _Copy]:
    most = max((c.images for c in copies), default=0)
    copies = [c for c in copies if c.images == most]
    if not copies:
        return {}
    first = min(copies, key=lambda c: (c.mjd, c.source_id))
    latest = max(copies, key=lambda c: (c.mjd, c.source_id))
    return {Slot.FIRST: first} if first is latest else {Slot.FIRST: first, Slot.LATEST: latest}


def _write(rows: Collection[int], wanted: Sequence[tuple[int, str, _Copy]]) -> None:
    """Fill the slots as they are wanted; ``rows`` are the keys of what fills them now."""
    for leaving in chunks(set(rows) - {copy.row for _, _, copy in wanted}):
        Stamps.objects.filter(pk__in=leaving).delete()
    for _, slot, copy in wanted:
        if copy.row is not None and copy.slot != slot:
            Stamps.objects.filter(pk=copy.row).update(slot=slot)
    new = [_row(owner, slot, copy.read(), copy.alert) for owner, slot, copy in wanted if copy.alert is not None]
    Stamps.objects.bulk_create(new, batch_size=100)


def _row(owner: int, slot: str, copy: _Copy, alert: Alert) -> Stamps:
    return Stamps(
        survey_object_id=owner,
        slot=slot,
        source_id=copy.source_id,
        mjd=copy.mjd,
        digest=copy.digest,
        metadata=copy.metadata,
        **_images(alert.cutouts),
    )


def _images(cutouts: Cutouts | None) -> dict[str, bytes | None]:
    """The images that are there: an empty one is none."""
    return {name: getattr(cutouts, name, None) or None for name in STAMPS}


def _plain(metadata: Mapping[str, object]) -> tuple[Mapping[str, object], str]:
    """Metadata as plain JSON, and its text with sorted keys; nearly all are plain already, which writing them shows fastest."""
    given = dict(metadata)
    try:
        text = json.dumps(given, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError):  # numbers of NumPy, NaN, bytes
        text = ""
    if text and "\\u0000" not in text and "\\ud" not in text:  # no NUL, no lone surrogate
        return given, text
    clean = json_safe(given)
    return clean, json.dumps(clean, sort_keys=True)


def _digest(mjd: float, metadata: str, images: Mapping[str, bytes | None]) -> str:
    """Digest of the contents of stamps."""
    digest = hashlib.sha256(f"{mjd!r} {metadata}".encode())
    for name, image in images.items():
        digest.update(b"" if image is None else f" {name} {len(image)} ".encode() + image)
    return digest.hexdigest()
