"""A person's decisions about which survey objects are the same source; no later alert undoes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters.crossmatch import separation, unit_vectors
from tom_alerce.models import Classification, MatchCandidate, SkyObject, SurveyObject
from tom_alerce.store import summaries, targets
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import begin_write, chunks


def link(survey_object: SurveyObject, sky_object: SkyObject, user: Any = None) -> SkyObject:
    """Make a survey object a view of this sky object. A sky object that is left empty goes, and what hangs on it comes along.

    Where both have a target the heir keeps its own, and the other stays in the TOM without the photometry that moved.

    Raises
    ------
    StoreError
        The sky object is gone.
    """
    with transaction.atomic():
        begin_write()
        moved = SurveyObject.objects.select_for_update().get(pk=survey_object.pk)
        pair = SkyObject.objects.select_for_update().filter(pk__in=[moved.sky_object_id, sky_object.pk]).order_by("pk")
        skies = {s.pk: s for s in pair}
        if sky_object.pk not in skies:
            raise StoreError("the object to link to is gone: it was linked to another meanwhile")
        old, new = skies[moved.sky_object_id], skies[sky_object.pk]
        if old.pk != new.pk:
            _move(moved, old, new)
        moved.method, moved.separation, moved.decided_by = SurveyObject.Method.PERSON, _separation(moved, new), _known(user)
        moved.save(update_fields=["sky_object", "method", "separation", "decided_by"])
        MatchCandidate.objects.filter(survey_object=moved).update(decided=True, decided_by=_known(user))
        if not old.survey_objects.exists():
            _dissolve(old, new)
        return _settle([old, new], new)


def unlink(survey_object: SurveyObject, user: Any = None) -> SkyObject:
    """Give a survey object a sky object of its own; StoreError where it has one already."""
    with transaction.atomic():
        begin_write()
        moved = SurveyObject.objects.select_for_update().get(pk=survey_object.pk)
        old = SkyObject.objects.select_for_update().get(pk=moved.sky_object_id)
        if old.survey_objects.count() == 1:
            raise StoreError(f"{moved} is the only view of its sky object already")
        new = SkyObject.objects.create(
            ra=moved.ra, dec=moved.dec, position_err=moved.position_err, healpix=moved.healpix, moving=moved.moving
        )
        separation = moved.separation if moved.separation is not None else _separation(moved, old)
        _move(moved, old, new)
        moved.method, moved.separation, moved.decided_by = SurveyObject.Method.PERSON, None, _known(user)
        moved.save(update_fields=["sky_object", "method", "separation", "decided_by"])
        MatchCandidate.objects.update_or_create(
            survey_object=moved,
            sky_object=old,
            defaults={"separation": separation, "decided": True, "decided_by": _known(user)},
        )
        return _settle([old, new], new)


def dismiss(candidate: MatchCandidate, user: Any = None) -> None:
    """Decide that an ambiguous match is none."""
    MatchCandidate.objects.filter(pk=candidate.pk).update(decided=True, decided_by=_known(user))


def _move(moved: SurveyObject, old: SkyObject, new: SkyObject) -> None:
    """Hang a survey object, and what brokers say of it, on another sky object; its photometry leaves the old target."""
    moved.sky_object = new
    moved.save(update_fields=["sky_object"])
    Classification.objects.filter(survey_object=moved).update(sky_object=new)
    if old.target_id is not None and old.target_id != new.target_id:
        mine = moved.detections.values_list("source_id", flat=True)
        for part in chunks(mine):
            PhotometryReducedDatum.objects.filter(target_id=old.target_id, value__survey=moved.survey, value__source_id__in=part).delete()


def _dissolve(empty: SkyObject, heir: SkyObject) -> None:
    """Remove a sky object without views; requests, words, ranks, open matches and the target go to its heir."""
    empty.followup_requests.update(sky_object=heir)
    empty.classifications.update(sky_object=heir)
    empty.ranks.exclude(ranking__in=heir.ranks.values("ranking")).update(sky_object=heir)
    taken = heir.match_candidates.values_list("survey_object", flat=True)
    mine = heir.survey_objects.values_list("pk", flat=True)
    empty.match_candidates.exclude(survey_object__in=[*taken, *mine]).update(sky_object=heir)
    if heir.target_id is None and empty.target_id is not None:
        heir.target_id = empty.target_id
        heir.save(update_fields=["target", "modified"])
    empty.delete()


def _settle(touched: Sequence[SkyObject], result: SkyObject) -> SkyObject:
    skies = summaries.refresh_sky(s.pk for s in touched if s.pk is not None)
    targets.update(skies)
    return next(s for s in skies if s.pk == result.pk)


def _separation(one: SurveyObject, sky: SkyObject) -> float:
    """Arcseconds between the two, however far they are."""
    return float(separation(unit_vectors(one.ra, one.dec), unit_vectors(sky.ra, sky.dec))[0])


def _known(user: Any) -> Any:
    return user if user is not None and user.is_authenticated else None
