"""Stores a person's decisions about which survey objects are the same source; no later alert undoes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters import association
from broker_adapters.crossmatch import separation, unit_vectors
from tom_alerce.models import Classification, Event, MatchCandidate, SkyObject, SurveyObject
from tom_alerce.store import classifications, counterparts, hosts, labels, summaries, targets
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sql import begin_write, chunks

#: Arcseconds beyond which nobody takes two objects for one source by mistake of the survey: linking them needs a role of its own.
FAR = 10.0


def apart(survey_object: SurveyObject, sky_object: SkyObject) -> tuple[float, float]:
    """Separation of a survey object and a sky object, and the largest radius within which they would be associated; arcseconds."""
    others = set(sky_object.survey_objects.exclude(pk=survey_object.pk).values_list("survey", flat=True)) or {survey_object.survey}
    return _separation(survey_object, sky_object), max(association.radius(survey_object.survey, other) for other in others)


def link(survey_object: SurveyObject, sky_object: SkyObject, user: Any = None) -> SkyObject:
    """Link a survey object to this sky object. A sky object that is left empty is deleted; what belonged to it goes to the other.

    If both have a target, the sky object keeps its own; the other target stays in the TOM without the photometry that moved. Who decided,
    and when, is kept at the member, and at the object that it leaves.

    Raises
    ------
    StoreError
        The sky object does not exist any more.
    """
    with transaction.atomic():
        begin_write()
        moved = SurveyObject.objects.select_for_update().get(pk=survey_object.pk)
        pair = SkyObject.objects.select_for_update().filter(pk__in=[moved.sky_object_id, sky_object.pk]).order_by("pk")
        skies = {s.pk: s for s in pair}
        if sky_object.pk not in skies:
            raise StoreError("the object to link to does not exist any more: it was linked to another meanwhile")
        old, new = skies[moved.sky_object_id], skies[sky_object.pk]
        if old.pk != new.pk:
            move(moved, old, new)
        _decide(moved, new, _separation(moved, new), user)
        MatchCandidate.objects.filter(Q(decided=False) | Q(sky_object=new), survey_object=moved).update(**_decision(user))
        if old.pk != new.pk and old.survey_objects.exists():
            _note(moved, old, user)
        if not old.survey_objects.exists():
            dissolve(old, new)
        return _settle([old, new], new)


def unlink(survey_object: SurveyObject, user: Any = None) -> SkyObject:
    """Give a survey object a sky object of its own; StoreError if it has one already."""
    with transaction.atomic():
        begin_write()
        moved = SurveyObject.objects.select_for_update().get(pk=survey_object.pk)
        old = SkyObject.objects.select_for_update().get(pk=moved.sky_object_id)
        if old.survey_objects.count() == 1:
            raise StoreError(f"{moved} is the only member of its sky object already")
        new = alone(moved)
        separation = moved.separation
        move(moved, old, new)
        _note(moved, old, user, separation)
        _decide(moved, new, None, user)
        return _settle([old, new], new)


def dismiss(candidate: MatchCandidate, user: Any = None) -> None:
    """Decide that an ambiguous match is not the same source."""
    MatchCandidate.objects.filter(pk=candidate.pk).update(**_decision(user))


def _decision(user: Any) -> dict[str, Any]:
    return {"decided": True, "decided_by": _logged_in(user), "decided_at": timezone.now()}


def _decide(moved: SurveyObject, new: SkyObject, separation: float | None, user: Any) -> None:
    """Keep at a survey object that a person has given it to a sky object."""
    moved.method, moved.separation = SurveyObject.Method.PERSON, separation
    moved.decided_by, moved.decided_at = _logged_in(user), timezone.now()
    moved.save(update_fields=["sky_object", "method", "separation", "decided_by", "decided_at"])


def _note(moved: SurveyObject, left: SkyObject, user: Any, separation: float | None = None) -> None:
    """Keep at a sky object that a person has taken a member from it: it is no match of it any more."""
    separation = _separation(moved, left) if separation is None else separation
    values = {"separation": separation, **_decision(user)}
    MatchCandidate.objects.update_or_create(survey_object=moved, sky_object=left, defaults=values)


def alone(member: SurveyObject) -> SkyObject:
    """Make a sky object at the place of a survey object."""
    return SkyObject.objects.create(
        ra=member.ra, dec=member.dec, position_err=member.position_err, healpix=member.healpix, moving=member.moving
    )


def move(moved: SurveyObject, old: SkyObject, new: SkyObject) -> None:
    """Move a survey object and its brokers' classifications to another sky object; its photometry is removed from the old target."""
    moved.sky_object = new
    moved.save(update_fields=["sky_object"])
    Classification.objects.filter(survey_object=moved).update(sky_object=new)
    if old.target_id is not None and old.target_id != new.target_id:
        for part in chunks(moved.detections.values_list("source_id", flat=True)):
            PhotometryReducedDatum.objects.filter(target_id=old.target_id, value__survey=moved.survey, value__source_id__in=part).delete()


def dissolve(empty: SkyObject, heir: SkyObject) -> None:
    """Delete a sky object without members; all that is about it goes to ``heir``: requests, marks, labels, host, events, classes, ranks."""
    empty.followup_requests.update(sky_object=heir)
    empty.marks.update(sky_object=heir)
    labels.inherit(empty, heir)
    empty.watch_matches.exclude(watch__in=heir.watch_matches.values("watch")).update(sky_object=heir)
    Event.objects.filter(sky_object=empty).update(sky_object=heir)
    hosts.inherit(empty, heir)
    counterparts.inherit(empty, heir)
    classifications.hand_over(empty, heir)
    empty.ranks.exclude(ranking__in=heir.ranks.values("ranking")).update(sky_object=heir)
    matched = heir.match_candidates.values_list("survey_object", flat=True)
    members = heir.survey_objects.values_list("pk", flat=True)
    empty.match_candidates.exclude(survey_object__in=[*matched, *members]).update(sky_object=heir)
    heir.promoted = heir.promoted or empty.promoted
    if heir.target_id is None:
        heir.target_id, heir.placed_ra, heir.placed_dec = empty.target_id, empty.placed_ra, empty.placed_dec
    heir.save(update_fields=["target", "promoted", "placed_ra", "placed_dec", "modified"])
    empty.delete()


def _settle(touched: Sequence[SkyObject], result: SkyObject) -> SkyObject:
    skies = summaries.refresh_sky(s.pk for s in touched if s.pk is not None)
    for sky in skies:  # what was classified before the two were linked is current again
        for other in skies:
            if other.pk != sky.pk:
                classifications.hand_over(other, sky, evidence=sky.evidence)
    targets.update(skies)
    return next(s for s in skies if s.pk == result.pk)


def _separation(one: SurveyObject, sky: SkyObject) -> float:
    """Separation of the two, arcseconds, at any distance."""
    return float(separation(unit_vectors(one.ra, one.dec), unit_vectors(sky.ra, sky.dec))[0])


def _logged_in(user: Any) -> Any:
    return user if user is not None and user.is_authenticated else None
