"""Works out the outlooks of likely supernovae whose evidence is new: when they peak, and how bright they will be."""

from __future__ import annotations

from collections.abc import Collection

from broker_adapters.records import Detections
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.store import lightcurves, outlooks
from tom_alerce.store.sql import chunks

#: Objects whose light curves are in memory together.
_AT_ONCE = 256


def work_out(sky_object_ids: Collection[int] | None = None) -> int:
    """Work out and store the outlooks of objects with new evidence, of all recent ones or of these; how many there were.

    Objects that have not been seen within ``RANK_DAYS`` are left out: they are not ranked.

    Raises
    ------
    classifiers.records.ClassifierError
        The weights are missing or changed.
    """
    from classifiers import posterior  # heavy: only workers and commands need it

    version = posterior.version()
    recent = outlooks.unseen(version).filter(moving=False, last_mjd__gte=now() - conf.get("RANK_DAYS"))
    keys = list(recent.order_by("pk").values_list("pk", flat=True))
    if sky_object_ids is not None:
        wanted = set(sky_object_ids)
        keys = [key for key in keys if key in wanted]
    for part in chunks(keys, _AT_ONCE):
        skies = list(models.SkyObject.objects.filter(pk__in=part).order_by("pk"))
        outlooks.save(skies, posterior.infer(_curves(skies)), version)
    return len(keys)


def _curves(skies: Collection[models.SkyObject]) -> list[Detections]:
    """Light curves of sky objects."""
    members: dict[int, list[int]] = {sky.pk: [] for sky in skies}
    rows = models.SurveyObject.objects.filter(sky_object__in=list(members)).order_by("survey", "object_id")
    for owner, pk in rows.values_list("sky_object_id", "pk"):
        members[owner].append(pk)
    curves = lightcurves.split(lightcurves.read(pk for own in members.values() for pk in own))
    return [lightcurves.merged(curves, own) for own in members.values()]
