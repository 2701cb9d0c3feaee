"""Writes the photometry of a TOM target: rows of the toolkit's ``PhotometryReducedDatum``.

The toolkit's unique constraint contains the float brightness, so that a measurement whose error was revised, or whose last digit another
broker rounded, becomes a second row. Here a measurement is identified by (survey, source id), which ``value`` holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from guardian.shortcuts import assign_perm, get_groups_with_perms, get_users_with_perms
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget, Target

from broker_adapters import photometry, surveys
from broker_adapters.records import DETECTION, Detections, Kind, frozen
from broker_adapters.significance import DETECTED, insignificant, points
from broker_adapters.times import datetime_from_mjd

_SHOWN = ("timestamp", "bandpass", "brightness", "brightness_error", "limit", "value")
_NUMBERS = tuple(name for name in DETECTION.names or () if DETECTION[name].kind == "f")


def bandpass(survey: str, band: str) -> str:
    """The canonical name of a survey's band: 'ZTF-r', 'LSST-r', 'ATLAS-o'."""
    return f"{surveys.about(survey).label}-{band}"


def save_photometry(target: BaseTarget, detections: Detections, source_name: str = "tom_alerce") -> int:
    """Write a light curve, an array of DETECTION of shape (n,), to a saved target, and return how many rows were added or changed.

    Difference magnitudes go to ``brightness``, limits of five sigma to ``limit``; the fluxes (nJy) and the identity of the measurement
    go to ``value``. A significant negative difference has no magnitude: both are empty, and only ``value`` has its flux. Of several
    measurements of one kind in one exposure one is written (`broker_adapters.significance.points`).
    ``source_name`` is the data service that fetched the light curve; the toolkit's ``updatereduceddata`` queries it again.
    """
    every = frozen(detections)
    rows = points(every)
    with transaction.atomic():
        BaseTarget.objects.select_for_update().get(pk=target.pk)  # so that two workers do not both insert a measurement
        kept = {
            _key(datum.value): datum for datum in PhotometryReducedDatum.objects.filter(target_id=target.pk, value__has_key="source_id")
        }
        new = []
        others = {*_keys(every)} - {*_keys(rows)}
        stale = [datum.pk for key, datum in kept.items() if key in others]
        for datum in _datums(target, rows, source_name):
            old = kept.get(_key(datum.value))
            if old is not None and all(getattr(old, name) == getattr(datum, name) for name in _SHOWN):
                continue
            if old is not None:
                stale.append(old.pk)
                datum.source_name = old.source_name
            kept[_key(datum.value)] = datum
            new.append(datum)
        PhotometryReducedDatum.objects.filter(pk__in=stale).delete()
        # the toolkit's own constraint refuses a point that another service has written already
        PhotometryReducedDatum.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        if new and not getattr(settings, "TARGET_PERMISSIONS_ONLY", True):
            _show(target)
    return len(new)


def _show(target: BaseTarget) -> None:
    """Let users and groups with ``view_target`` see the photometry, in a TOM where each datum has permissions of its own."""
    owned = Target.objects.get(pk=target.pk)
    users = get_users_with_perms(owned, only_with_perms_in=["view_target"], with_group_users=False)
    groups = [group for group, perms in get_groups_with_perms(owned, attach_perms=True).items() if "view_target" in perms]
    for holder in (*users, *groups):
        assign_perm("tom_dataproducts.view_photometryreduceddatum", holder, PhotometryReducedDatum.objects.filter(target_id=target.pk))


def _keys(rows: Detections) -> Iterator[tuple[str | None, str]]:
    return zip(rows["survey"].tolist(), rows["source_id"].tolist(), strict=True)


def _key(value: dict[str, Any]) -> tuple[str | None, str]:
    return value.get("survey"), value["source_id"]


def _datums(target: BaseTarget, rows: Detections, source_name: str) -> Iterator[PhotometryReducedDatum]:
    """The rows of the toolkit for each measurement, unsaved; only finite numbers, since JSON in PostgreSQL knows no NaN."""
    limit = rows["kind"] == Kind.LIMIT
    faint = insignificant(rows)
    magnitude = photometry.magnitude_from_flux(rows["flux"])
    error = photometry.magnitude_error(rows["flux"], rows["flux_err"])
    depth = photometry.limit_from_flux_error(rows["flux_err"], DETECTED)
    shown = ~(limit | faint) & np.isfinite(magnitude)
    for i, row in enumerate(rows):
        survey, band = str(row["survey"]), str(row["band"])
        facts = surveys.about(survey)
        numbers = {name: float(row[name]) for name in _NUMBERS if np.isfinite(row[name])}
        yield PhotometryReducedDatum(
            target_id=target.pk,
            timestamp=datetime_from_mjd(row["mjd"]),
            telescope=facts.telescope,
            instrument=facts.instrument,
            source_name=source_name,
            bandpass=bandpass(survey, band),
            brightness=float(magnitude[i]) if shown[i] else None,
            brightness_error=float(error[i]) if shown[i] and np.isfinite(error[i]) else None,
            limit=float(depth[i]) if (limit[i] or faint[i]) and np.isfinite(depth[i]) else None,
            unit="AB mag",
            value={"survey": survey, "source_id": str(row["source_id"]), "kind": Kind(row["kind"]).name.lower(), **numbers},
        )
