"""The life of objects as surveys state it: what alerts add to survey objects, and what survey objects make of a sky object."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from broker_adapters import surveys
from broker_adapters.lifetime import TOLERANCE, believed, merged
from broker_adapters.records import Alert
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import SkyObject, SurveyObject

logger = logging.getLogger(__name__)

#: Columns of both tables that are written with the summaries.
OF_SURVEY_OBJECT = ("survey_first_mjd", "survey_last_mjd", "survey_n_detections", "survey_n_images", "survey_doubts")
OF_SKY_OBJECT = ("survey_first_mjd", "survey_n_detections")


def note(alerts: Sequence[Alert], objects: Mapping[tuple[str, str], SurveyObject]) -> None:
    """Add what alerts state to their survey objects, in any order and however often; written later, with the summaries."""
    now = now_mjd()
    for alert in alerts:
        if alert.lifetime is None:
            continue
        o = objects[alert.key]
        lifetime, doubts = believed(alert.lifetime, surveys.about(alert.survey), alert.mjd, now)
        o.lifetime = merged([o.lifetime, lifetime]) or lifetime
        for reason, mjd in doubts.items():
            o.survey_doubts = {**o.survey_doubts, reason.value: max(mjd, o.survey_doubts.get(reason.value, mjd))}


def doubtful(objects: Iterable[SurveyObject]) -> int:
    """Number of survey objects with a date that is not believed; the first of them is logged."""
    some = [o for o in objects if o.doubts]
    if some:
        logger.warning("dates of %d survey objects are not believed, such as of %s: %s", len(some), some[0], "; ".join(some[0].doubts))
    return len(some)


def summarise(sky: SkyObject, members: Sequence[SurveyObject]) -> None:
    """Set age and count of a sky object from its members, whose own summaries are up to date.

    Counts of different surveys are of different detections and are added. So are those of objects of one survey, unless it counts places
    (`broker_adapters.facts.Survey.counts_places`): then the largest stands for all, if it is more than the detections here.
    """
    stated = min((m.survey_first_mjd for m in members if m.survey_first_mjd is not None), default=None)
    here = sky.first_mjd
    sky.survey_first_mjd = stated if stated is not None and (here is None or stated < here - TOLERANCE) else None
    sky.survey_n_detections = sum(_count(survey, [m for m in members if m.survey == survey]) for survey in {m.survey for m in members})


def _count(survey: str, members: Sequence[SurveyObject]) -> int:
    if surveys.about(survey).counts_places:
        return max(sum(m.n_detections for m in members), *(m.n_seen for m in members))
    return sum(m.n_seen for m in members)
