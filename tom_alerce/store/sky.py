"""Sky objects out of the tables, as the records that classifiers read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from broker_adapters.records import Alert, Cutouts, SkyObject, blank, frozen
from tom_alerce import models
from tom_alerce.store import lightcurves
from tom_alerce.store.sql import chunks

_IMAGES = ("science", "template", "difference")


def load(sky_object_ids: Sequence[int], stamps: bool = False) -> list[SkyObject]:
    """The sky objects of these keys, in their order, in a handful of queries; KeyError for one that is not there.

    Their alerts are the first and the latest of each survey object, with metadata, and with cutouts where ``stamps`` is true; the
    alerts' own light curves are empty, since the object's holds all measurements.
    """
    skies = {s.pk: s for ids in chunks(sky_object_ids) for s in models.SkyObject.objects.filter(pk__in=ids)}
    members: dict[int, list[models.SurveyObject]] = {pk: [] for pk in skies}
    for ids in chunks(skies):
        for member in models.SurveyObject.objects.filter(sky_object__in=ids).order_by("survey", "object_id"):
            members[member.sky_object_id].append(member)
    everyone = {m.pk: m for group in members.values() for m in group}
    curves = lightcurves.split(lightcurves.read(everyone))
    alerts = _alerts(everyone, stamps)
    return [
        SkyObject(
            ra=skies[pk].ra,
            dec=skies[pk].dec,
            position_err=skies[pk].position_err,
            detections=lightcurves.merged(curves, (m.pk for m in members[pk])),
            alerts=tuple(sorted((a for m in members[pk] for a in alerts.get(m.pk, ())), key=lambda a: (a.mjd, a.key))),
            members=tuple((m.survey, m.object_id) for m in members[pk]),
        )
        for pk in sky_object_ids
    ]


def _alerts(members: dict[int, models.SurveyObject], stamps: bool) -> dict[int, list[Alert]]:
    fields = ("survey_object_id", "source_id", "mjd", "metadata", *(_IMAGES if stamps else ()))
    found: dict[int, list[Alert]] = {}
    for ids in chunks(members):
        for owner, source_id, mjd, metadata, *images in models.Stamps.objects.filter(survey_object__in=ids).values_list(*fields):
            found.setdefault(owner, []).append(_alert(members[owner], source_id, mjd, metadata, images))
    return found


def alert(row: models.Stamps) -> Alert:
    """The alert that a row of stamps keeps, with its cutouts and metadata and without a light curve."""
    return _alert(row.survey_object, row.source_id, row.mjd, row.metadata, [getattr(row, name) for name in _IMAGES])


def _alert(owner: models.SurveyObject, source_id: str, mjd: float, metadata: Mapping[str, Any], images: Sequence[bytes | None]) -> Alert:
    return Alert(
        survey=owner.survey,
        object_id=owner.object_id,
        source_id=source_id,
        ra=owner.ra,
        dec=owner.dec,
        position_err=owner.position_err,
        mjd=mjd,
        detections=frozen(blank(0)),
        cutouts=_cutouts(images),
        metadata=MappingProxyType(metadata),
        names=tuple(owner.names),
        moving=owner.moving,
        broker=owner.survey,
    )


def _cutouts(images: Iterable[bytes | None]) -> Cutouts | None:
    encoded = {name: bytes(image) for name, image in zip(_IMAGES, images, strict=False) if image is not None}
    return Cutouts(**encoded) if encoded else None
