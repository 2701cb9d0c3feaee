"""Measurements that a survey has withdrawn: they leave the light curve and the photometry of the target, and stay away in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters.records import Alert, Detections
from tom_alerce.models import Detection, SkyObject, SurveyObject, WithdrawnMeasurement
from tom_alerce.store.sql import chunks, insert_ignore


def save(alerts: Iterable[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> None:
    """Note what the alerts say is withdrawn, and remove it from what is stored."""
    withdrawn = sorted({(objects[a.key].pk, a.survey, source_id) for a in alerts for source_id in a.withdrawn})
    insert_ignore(WithdrawnMeasurement, ("survey_object", "source_id"), [(owner, source_id) for owner, _, source_id in withdrawn])
    for survey in {survey for _, survey, _ in withdrawn}:
        for part in chunks([(owner, i) for owner, name, i in withdrawn if name == survey], 400):
            owners, ids = {owner for owner, _ in part}, [i for _, i in part]
            stored = Detection.objects.filter(survey=survey, source_id__in=ids, survey_object__in=owners)
            if stored.exists():
                stored.delete()
                _photometry(owners, survey, ids).delete()


def _photometry(owners: Iterable[int], survey: str, ids: Sequence[str]) -> QuerySet[PhotometryReducedDatum]:
    """Photometry of the targets of survey objects with these source ids."""
    targets = SkyObject.objects.filter(survey_objects__in=list(owners), target__isnull=False).values_list("target_id", flat=True)
    found: QuerySet[PhotometryReducedDatum] = PhotometryReducedDatum.objects.filter(
        target_id__in=list(targets), value__survey=survey, value__source_id__in=ids
    )
    return found


def remaining(rows: Detections, owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows, shape (n,), of the survey objects ``owner``, shape (n,), that are not withdrawn: a mask of shape (n,)."""
    gone: set[tuple[int, str]] = set()
    for part in chunks(np.unique(owner).tolist()):
        gone.update(WithdrawnMeasurement.objects.filter(survey_object__in=part).values_list("survey_object_id", "source_id"))
    if not gone:
        return np.ones(len(rows), bool)
    return np.array([pair not in gone for pair in zip(owner.tolist(), rows["source_id"].tolist(), strict=True)], bool)
