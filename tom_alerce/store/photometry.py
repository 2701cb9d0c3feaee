"""Writes the photometry of a TOM target: rows of the toolkit's ``PhotometryReducedDatum``.

The toolkit's unique constraint contains the float brightness, so that a measurement whose error was revised, or whose last digit another
broker rounded, becomes a second row. Here a measurement is identified by (survey, source id), which ``value`` holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import transaction
from guardian.shortcuts import assign_perm, get_groups_with_perms, get_users_with_perms
from numpy.typing import NDArray
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget, Target

from broker_adapters import photometry, surveys
from broker_adapters.records import DETECTION, Detections, Kind, frozen
from broker_adapters.significance import DETECTED, exposures, first_of_exposure, insignificant
from broker_adapters.times import datetime_from_mjd
from broker_adapters.values import floats, sane
from tom_alerce.store.sql import chunks

_SHOWN = ("timestamp", "bandpass", "brightness", "brightness_error", "limit", "value")
#: Targets whose light curves are in memory together; measurements that one query looks for.
_TARGETS_AT_ONCE, _MEASUREMENTS_AT_ONCE = 500, 400
#: Target, survey and source id of a measurement.
_Key = tuple[int, str | None, str]
_NUMBERS = tuple(name for name in DETECTION.names or () if DETECTION[name].kind == "f")


def bandpass(survey: str, band: str) -> str:
    """The canonical name of a survey's band: 'ZTF-r', 'LSST-r', 'ATLAS-o'."""
    return f"{surveys.about(survey).label}-{band}"


class Curve(NamedTuple):
    """What is to be written to a saved target: a light curve, frozen, shape (n,), and a mask of the rows that are new to it or changed."""

    target: BaseTarget
    rows: Detections
    changed: NDArray[np.bool_]


def save_photometry(target: BaseTarget, detections: Detections, source_name: str = "tom_alerce") -> int:
    """Write a light curve, an array of DETECTION of shape (n,), to a saved target, and return how many rows were added or changed.

    Difference magnitudes go to ``brightness``, limits of five sigma to ``limit``; the fluxes (nJy) and the identity of the measurement
    go to ``value``. A significant negative difference has no magnitude: both are empty, and only ``value`` has its flux. Of several
    measurements of one kind in one exposure one is written (`broker_adapters.significance.points`).
    ``source_name`` is the data service that fetched the light curve; the toolkit's ``updatereduceddata`` queries it again.
    """
    rows = frozen(detections)
    return save_curves([Curve(target, rows, np.ones(len(rows), bool))], source_name)


def latest(target_id: int, survey: str) -> float | None:
    """When a survey's latest measurement in the photometry of a target was made (MJD, UTC); None where there is none."""
    rows = PhotometryReducedDatum.objects.filter(target_id=target_id, value__survey=survey)
    measured = floats(list(rows.values_list("value__mjd", flat=True)))
    return max(measured[sane(measured)].tolist(), default=None)


def save_curves(curves: Sequence[Curve], source_name: str = "tom_alerce") -> int:
    """Write the changed rows of light curves, and what shares an exposure with them, as `save_photometry` does for all of one target.

    The number of queries grows with the number of measurements that changed, not with that of targets.
    """
    curves = [curve for curve in curves if curve.changed.any()]
    with transaction.atomic():
        for part in chunks(sorted({curve.target.pk for curve in curves})):  # so that two workers do not both insert a measurement
            list(BaseTarget.objects.select_for_update().filter(pk__in=part).order_by("pk").values_list("pk"))
        return sum(_save(part, source_name) for part in chunks(curves, _TARGETS_AT_ONCE))


def _save(curves: Sequence[Curve], source_name: str) -> int:
    rows = np.concatenate([curve.rows for curve in curves])
    owner = np.repeat(np.arange(len(curves)), [len(curve.rows) for curve in curves])
    group = owner * len(Kind) + rows["kind"]
    exposure, shown = exposures(rows, group), first_of_exposure(rows, group)
    touched = np.zeros(len(rows), bool)
    touched[exposure[np.concatenate([curve.changed for curve in curves])]] = True
    concerned = touched[exposure]
    rows, shown = rows[concerned], shown[concerned]
    targets = np.array([curve.target.pk for curve in curves])[owner[concerned]]
    kept = _kept(rows, targets)
    stale = [kept[key].pk for key in _keys(rows[~shown], targets[~shown]) if key in kept]
    new = []
    for datum in _datums(rows[shown], targets[shown], source_name):
        old = kept.get(_key(datum))
        if old is not None and all(getattr(old, name) == getattr(datum, name) for name in _SHOWN):
            continue
        if old is not None:
            stale.append(old.pk)
            datum.source_name = old.source_name
        new.append(datum)
    for part in chunks(stale):
        PhotometryReducedDatum.objects.filter(pk__in=part).delete()
    # the toolkit's own constraint refuses a point that another service has written already
    PhotometryReducedDatum.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    if new and not getattr(settings, "TARGET_PERMISSIONS_ONLY", True):
        changed = {datum.target_id for datum in new}
        for target in {curve.target.pk: curve.target for curve in curves if curve.target.pk in changed}.values():
            _show(target)
    return len(new)


def _kept(rows: Detections, targets: NDArray[np.int64]) -> dict[_Key, PhotometryReducedDatum]:
    """What is written already of n measurements, each of a target, shape (n,)."""
    kept = {}
    for part in chunks(zip(targets.tolist(), rows["source_id"].tolist(), strict=True), _MEASUREMENTS_AT_ONCE):
        owners, ids = {target for target, _ in part}, {i for _, i in part}
        found = PhotometryReducedDatum.objects.filter(target_id__in=owners, value__source_id__in=ids)
        kept.update({_key(datum): datum for datum in found})
    return kept


def _show(target: BaseTarget) -> None:
    """Let users and groups with ``view_target`` see the photometry, in a TOM where each datum has permissions of its own."""
    owned = Target.objects.get(pk=target.pk)
    users = get_users_with_perms(owned, only_with_perms_in=["view_target"], with_group_users=False)
    groups = [group for group, perms in get_groups_with_perms(owned, attach_perms=True).items() if "view_target" in perms]
    for holder in (*users, *groups):
        assign_perm("tom_dataproducts.view_photometryreduceddatum", holder, PhotometryReducedDatum.objects.filter(target_id=target.pk))


def _keys(rows: Detections, targets: NDArray[np.int64]) -> Iterator[_Key]:
    return zip(targets.tolist(), rows["survey"].tolist(), rows["source_id"].tolist(), strict=True)


def _key(datum: PhotometryReducedDatum) -> _Key:
    return datum.target_id, datum.value.get("survey"), datum.value["source_id"]


def _datums(rows: Detections, targets: NDArray[np.int64], source_name: str) -> Iterator[PhotometryReducedDatum]:
    """The rows of the toolkit for each measurement, unsaved; only finite numbers, since JSON in PostgreSQL knows no NaN."""
    limit = rows["kind"] == Kind.LIMIT
    faint = insignificant(rows)
    magnitude = photometry.magnitude_from_flux(rows["flux"])
    error = photometry.magnitude_error(rows["flux"], rows["flux_err"])
    depth = photometry.limit_from_flux_error(rows["flux_err"], DETECTED)
    shown = ~(limit | faint) & np.isfinite(magnitude)
    for i, (row, target) in enumerate(zip(rows, targets.tolist(), strict=True)):
        survey, band = str(row["survey"]), str(row["band"])
        facts = surveys.about(survey)
        numbers = {name: float(row[name]) for name in _NUMBERS if np.isfinite(row[name])}
        yield PhotometryReducedDatum(
            target_id=target,
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
