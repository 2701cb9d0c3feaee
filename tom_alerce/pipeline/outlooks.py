"""Works out the outlooks of likely supernovae whose evidence is new: when they peak, and how bright they will be."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from broker_adapters.records import Detections
from tom_alerce import conf, models
from tom_alerce.clock import now
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import lightcurves, outlooks
from tom_alerce.store.sql import chunks

#: Objects whose light curves are in memory together.
_AT_ONCE = 256


def work_out(sky_object_ids: Collection[int] | None = None, most: int | None = None, progress: Progress = lambda n: None) -> int:
    """Work out and store the outlooks of objects with new evidence, of all recent ones or of these; how many there were.

    Objects that have not been seen within ``RANK_DAYS`` are left out: they are not ranked.

    Parameters
    ----------
    sky_object_ids : collection of int, optional
        Objects to look at; the default are all.
    most : int, optional
        Largest number of objects, those seen last; the default are all.
    progress : callable
        Called with the number of objects done since the last call.

    Raises
    ------
    classifiers.records.ClassifierError
        The weights are missing or changed.
    """
    from classifiers import posterior  # heavy: only workers and commands need it

    version = posterior.version()
    keys = list(_waiting(version).order_by("-last_mjd", "pk").values_list("pk", flat=True))
    if sky_object_ids is not None:
        wanted = set(sky_object_ids)
        keys = [key for key in keys if key in wanted]
    for part in chunks(keys[:most], _AT_ONCE):
        skies = list(models.SkyObject.objects.filter(pk__in=part).order_by("pk"))
        outlooks.save(skies, posterior.infer(_curves(skies)), version)
        progress(len(part))
    return len(keys[:most])


def waiting() -> int:
    """Number of objects whose outlook is missing, or of older evidence or weights."""
    from classifiers import posterior

    return _waiting(posterior.version()).count()


def _waiting(version: str) -> QuerySet[models.SkyObject]:
    return outlooks.unseen(version).filter(moving=False, last_mjd__gte=now() - conf.get("RANK_DAYS"))


def _curves(skies: Collection[models.SkyObject]) -> list[Detections]:
    """Light curves of sky objects."""
    members: dict[int, list[int]] = {sky.pk: [] for sky in skies}
    rows = models.SurveyObject.objects.filter(sky_object__in=list(members)).order_by("survey", "object_id")
    for owner, pk in rows.values_list("sky_object_id", "pk"):
        members[owner].append(pk)
    curves = lightcurves.split(lightcurves.read(pk for own in members.values() for pk in own))
    return [lightcurves.merged(curves, own) for own in members.values()]
