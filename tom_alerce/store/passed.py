"""Alerts of a stream that were seen and not kept: a light row each, for `KEEP_DAYS`, so that "was it there before?" has an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from broker_adapters import healpix
from broker_adapters.crossmatch import match
from broker_adapters.records import Alert
from tom_alerce import conf
from tom_alerce.models import PassedAlert, SurveyObject
from tom_alerce.store.sql import chunks, insert_ignore

#: Fraction of a day, UTC, at which a night begins and ends: noon between Chile and California.
NOON = 0.75

_COLUMNS = ("healpix", "mjd", "object_id", "survey", "ra", "dec", "label", "probability")


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """An alert that is not kept, and its most probable class by the classifier that the rules ask ('' if that cannot say)."""

    alert: Alert
    label: str = ""
    probability: float = 0.0


def save(passed: Sequence[Passed]) -> int:
    """Write light rows, each alert once however often it comes; how many are new."""
    if not passed:
        return 0
    cells = healpix.cells([p.alert.ra for p in passed], [p.alert.dec for p in passed]).tolist()
    alerts = [(p.alert.mjd, p.alert.object_id, p.alert.survey, p.alert.ra, p.alert.dec) for p in passed]
    rows = [(cell, *alert, p.label, p.probability) for cell, alert, p in zip(cells, alerts, passed, strict=True)]
    with transaction.atomic():  # one commit, not one for each row
        return insert_ignore(PassedAlert, _COLUMNS, sorted(rows))


def nights_before(alerts: Sequence[Alert]) -> NDArray[np.int64]:
    """On how many earlier nights something was seen and not kept within `MATCH_RADIUS` of each of n alerts, shape (n,)."""
    ra, dec = np.array([a.ra for a in alerts]), np.array([a.dec for a in alerts])
    rows: list[tuple[float, float, float]] = []
    for part in chunks(healpix.neighbourhood(healpix.cells(ra, dec))):
        rows += PassedAlert.objects.filter(healpix__in=part).values_list("mjd", "ra", "dec")
    then, there_ra, there_dec = np.array(rows, float).reshape(-1, 3).T
    alert, row, _ = match(ra, dec, there_ra, there_dec, conf.get("MATCH_RADIUS"))
    night, nights = np.floor(np.array([a.mjd for a in alerts]) - NOON), np.floor(then - NOON)
    earlier = nights[row] < night[alert]
    seen = np.unique(np.stack([alert[earlier].astype(float), nights[row[earlier]]]), axis=1)
    return np.bincount(seen[0].astype(np.int64), minlength=len(alerts))


def stored(keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of these survey objects (survey, object id) that are in the tables."""
    found: set[tuple[str, str]] = set()
    for survey in {survey for survey, _ in keys}:
        for part in chunks({object_id for name, object_id in keys if name == survey}):
            found.update(SurveyObject.objects.filter(survey=survey, object_id__in=part).values_list("survey", "object_id"))
    return found
