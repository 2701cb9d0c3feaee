"""Links again what turned out to be fixed, and sets apart what turned out to move; a person's decisions stay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from tom_alerce.models import MatchCandidate, SkyObject, SurveyObject
from tom_alerce.store import linking, summaries
from tom_alerce.store.identify import place
from tom_alerce.store.sql import chunks

Method = SurveyObject.Method


def regroup(objects: Iterable[SurveyObject], moved: Mapping[int, bool]) -> set[int]:
    """Link again those of the survey objects that move now and did not, or the other way round; keys of the sky objects that changed.

    ``moved`` says of each key whether the object moved when it was linked. The survey objects are locked.
    """
    changed = [o for o in objects if o.moving != moved[o.pk] and o.method in (Method.NEW, Method.POSITION)]
    if not changed:
        return set()
    skies = _locked({o.sky_object_id for o in changed})
    members = {pk: set(sky.survey_objects.values_list("pk", flat=True)) for pk, sky in skies.items()}
    return _release([o for o in changed if not o.moving and members[o.sky_object_id] == {o.pk}], skies) | _set_apart(
        [o for o in changed if o.moving], skies, members
    )


def _locked(keys: Collection[int]) -> dict[int, SkyObject]:
    query = SkyObject.objects.select_for_update()
    return {sky.pk: sky for part in chunks(sorted(keys)) for sky in query.filter(pk__in=part).order_by("pk")}


def _release(fixed: Sequence[SurveyObject], skies: Mapping[int, SkyObject]) -> set[int]:
    """Link survey objects that have a sky object of their own to the others at their place, as if they were new."""
    link = place(fixed, {}, without={o.pk for o in fixed})
    heirs = {sky.pk: sky for sky in _locked({sky.pk for sky in link.sky if sky.pk is not None}).values()}
    fresh: dict[int, SkyObject] = {}  # several that are one source share the sky object of the first
    touched = set()
    for o, sky, separation in zip(fixed, link.sky, link.separation, strict=True):
        old = skies[o.sky_object_id]
        heir = heirs[sky.pk] if sky.pk is not None else fresh.setdefault(id(sky), old)
        touched.add(heir.pk)
        if separation is not None:
            o.method, o.separation = Method.POSITION, separation
            o.save(update_fields=["method", "separation"])
        if heir.pk != old.pk:
            linking.move(o, old, heir)
            linking.dissolve(old, heir)
    MatchCandidate.objects.bulk_create(
        (MatchCandidate(survey_object=fixed[i], sky_object=fresh.get(id(sky), sky), separation=s) for i, sky, s in link.ambiguous),
        ignore_conflicts=True,
    )
    return touched


def _set_apart(moving: Sequence[SurveyObject], skies: Mapping[int, SkyObject], members: Mapping[int, set[int]]) -> set[int]:
    """Give survey objects that were linked by position a sky object of their own, and forget what they could have been matched to."""
    touched = set()
    for o in moving:
        MatchCandidate.objects.filter(survey_object=o, decided=False).delete()
        if len(members[o.sky_object_id]) > 1:
            old = skies[o.sky_object_id]
            new = linking.alone(o)
            linking.move(o, old, new)
            members[old.pk].discard(o.pk)
            o.method, o.separation = Method.NEW, None
            o.save(update_fields=["method", "separation"])
            touched |= {old.pk, new.pk}
    return touched


def refresh(objects: Sequence[SurveyObject], moved: Mapping[int, bool], skies: Sequence[SkyObject]) -> tuple[list[SkyObject], set[int]]:
    """The sky objects of survey objects whose summaries are fresh, after `regroup`, and the keys of those that have other members now.

    ``skies`` are those of before.
    """
    touched = regroup(objects, moved)
    if not touched:
        return list(skies), touched
    again = summaries.refresh_sky(touched)
    known = {sky.pk for sky in again}
    stored = SkyObject.objects.in_bulk([s.pk for s in skies if s.pk not in known])
    return [*again, *stored.values()], touched
