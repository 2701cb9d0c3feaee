"""Drift of the stamp classifier: how far the alerts of a night are from its training set.

Measuring needs TensorFlow, so that it runs in commands and tasks; the pages show what is stored.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from broker_adapters.surveys import ztf
from broker_adapters.times import date_from_day, day_from_date
from tom_alerce.clock import now
from tom_alerce.models import Drift, Stamps
from tom_alerce.pipeline.explain import CLASSIFIER, SURVEY
from tom_alerce.store import drift as store
from tom_alerce.store import sky

#: Minimum number of alerts in a night that is measured; larger nights are subsampled to the second number.
LEAST, MOST = 30, 2000
#: Fraction of an MJD (UTC) at which it is noon at Palomar, and one of ZTF's nights ends.
NOON = ztf.SURVEY.noon or 0.0


def night_of(mjd: float) -> dt.date:
    """Date of the evening of the night at Palomar to which a time (MJD, UTC) belongs."""
    return date_from_day(int(np.floor(mjd - NOON)))


def start_of(night: dt.date) -> float:
    """MJD, UTC, of noon at Palomar before that night."""
    return day_from_date(night) + NOON


def nights(last: int, at: float | None = None) -> list[dt.date]:
    """Nights until ``at`` (MJD; now) with at least `LEAST` alerts that have stamps: the latest ``last`` of them, latest first."""
    rows = Stamps.objects.filter(survey_object__survey=SURVEY, difference__isnull=False, mjd__lte=now() if at is None else at)
    dates, counts = np.unique([night_of(mjd) for mjd in rows.values_list("mjd", flat=True).iterator()], return_counts=True)
    return [night for night, n in zip(dates[::-1], counts[::-1], strict=True) if n >= LEAST][:last]


def measure(night: dt.date) -> Drift:
    """Compare the alerts of a night with the training set of the stamp classifier, and store the result.

    Raises
    ------
    ClassifierError
        None of the night's alerts can be read by the model, or its weights are damaged.
    """
    from classifiers.models.stamp import drift, storage
    from classifiers.models.stamp.preprocess import from_alerts

    start = start_of(night)
    rows = Stamps.objects.filter(survey_object__survey=SURVEY, difference__isnull=False, mjd__gte=start, mjd__lt=start + 1)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    chosen = keys[:: -(-len(keys) // MOST) or 1]
    alerts = [sky.alert(row) for row in Stamps.objects.filter(pk__in=chosen).select_related("survey_object")]
    measured = drift.of_inputs(from_alerts(alerts))
    return store.save(CLASSIFIER, storage.read_card()["version"], night, measured | {"psi": measured["beyond"]})
