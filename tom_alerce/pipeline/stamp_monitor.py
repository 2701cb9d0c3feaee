"""A look at the stamp classifier at work: do nights still look like what it was trained on, and what did it look at in one alert?

Both need TensorFlow: they run in commands and tasks, and the pages show what they stored.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence

import numpy as np

from broker_adapters.surveys import ztf
from broker_adapters.times import date_from_day, day_from_date
from tom_alerce.clock import now
from tom_alerce.models import Drift, Explanation, Stamps
from tom_alerce.store import sky, stamp_monitor

logger = logging.getLogger(__name__)

CLASSIFIER, SURVEY = "stamp", ztf.SURVEY.name
#: A night of fewer alerts tells nothing; of more, so many are looked at.
LEAST, MOST = 30, 2000
#: Fraction of an MJD (UTC) at which it is noon at Palomar, and one of ZTF's nights ends.
NOON = ztf.SURVEY.noon or 0.0


def night_of(mjd: float) -> dt.date:
    """The evening of the night at Palomar to which a time (MJD, UTC) belongs."""
    return date_from_day(int(np.floor(mjd - NOON)))


def start_of(night: dt.date) -> float:
    """MJD, UTC, of noon at Palomar before that night."""
    return day_from_date(night) + NOON


def nights(last: int, at: float | None = None) -> list[dt.date]:
    """The last nights of which there are enough alerts with stamps, at most so many, latest first."""
    rows = Stamps.objects.filter(survey_object__survey=SURVEY, difference__isnull=False, mjd__lte=now() if at is None else at)
    found, count = np.unique([night_of(mjd) for mjd in rows.values_list("mjd", flat=True).iterator()], return_counts=True)
    return [night for night, n in zip(found[::-1], count[::-1], strict=True) if n >= LEAST][:last]


def measure(night: dt.date) -> Drift:
    """Compare the alerts of a night with what the stamp classifier was trained on, and store what came out.

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
    found = drift.of_inputs(from_alerts(alerts))
    found = found | {"psi": found["beyond"]}
    return stamp_monitor.save_drift(CLASSIFIER, storage.read_card()["version"], night, found)


def explain(stamps: Sequence[Stamps]) -> list[Explanation]:
    """Store what the stamp classifier looked at in each of these, those left out that it cannot read or that are explained already.

    Raises
    ------
    ClassifierError
        The model's weights are damaged.
    """
    from classifiers.models.stamp import explain as maps
    from classifiers.models.stamp import storage
    from classifiers.models.stamp.preprocess import from_alerts

    model, _, card = storage.load()
    made = []
    for row in stamps:
        known = row.explanations.filter(classifier=CLASSIFIER, version=card["version"], source_id=row.source_id)
        inputs = from_alerts([sky.alert(row)])
        if known.exists() or not inputs.usable.all():
            continue
        said, weights = maps.explained(model, inputs)
        made.append(stamp_monitor.save_explanation(row, CLASSIFIER, card["version"], said, weights))
    return made


def explainable(sky_object_ids: Sequence[int]) -> list[Stamps]:
    """The stamps of these objects that the stamp classifier judges: those of the first alert of each ZTF object, if they are whole."""
    rows = Stamps.objects.filter(survey_object__sky_object__in=list(sky_object_ids), survey_object__survey=SURVEY, slot=Stamps.Slot.FIRST)
    whole = rows.filter(science__isnull=False, template__isnull=False, difference__isnull=False)
    return list(whole.select_related("survey_object"))
