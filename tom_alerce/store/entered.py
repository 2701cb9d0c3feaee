"""Tells of objects that enter a ranking, or the top of one, of those rankings that a rule is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tom_alerce.models import Event, Rank, Ranking, SkyObject
from tom_alerce.store import asking
from tom_alerce.store.outbox import Kind, announce_all, made
from tom_alerce.store.sql import chunks


def note(row: Ranking) -> None:
    """Announce what has entered a stored ranking since the one before it; without one before, everything would have entered."""
    rules = [] if row.supposed else [rule for rule in asking.rules(Kind.TOP, Kind.NEW) if rule.profile == row.profile]
    others = Ranking.objects.filter(site=row.site, profile=row.profile, supposed=False).exclude(pk=row.pk)
    before = others.defer("packed").order_by("-now", "-pk").first() if rules else None
    if before is None:
        return
    top = max((rule.top for rule in rules if Kind.TOP in rule.events), default=0)
    ranks = Rank.objects.filter(ranking=row, vetoed=False).order_by("place")
    if not any(Kind.NEW in rule.events for rule in rules):
        ranks = ranks.filter(place__lte=top)
    places = dict(ranks.values_list("sky_object_id", "place"))
    earlier = dict(Rank.objects.filter(ranking=before, vetoed=False).values_list("sky_object_id", "place"))
    risen = {key: place for key, place in places.items() if key not in earlier or (place <= top and place < earlier[key])}
    for keys in chunks(risen):
        skies = SkyObject.objects.prefetch_related("survey_objects").in_bulk(keys)
        announce_all(event for sky in skies.values() for event in _events(row, sky, risen[sky.pk], earlier, top))


def _events(row: Ranking, sky: SkyObject, place: int, earlier: Mapping[int, int], top: int) -> Iterator[Event]:
    name, where = sky.public_name, f"the ranking for {row.site} by the profile {row.profile}"
    facts = {"place": place, "before": earlier.get(sky.pk)}
    if sky.pk not in earlier:
        yield made(
            Kind.NEW, f"ranked {row.profile} {sky.pk}", f"{name} is new in {where}", f"at place {place}", sky, row.profile, facts=facts
        )
    if place <= top:
        key = f"{row.profile} {row.site} {row.night} {sky.pk} {place}"
        was = f"was at place {facts['before']}" if facts["before"] else "was not in it"
        yield made(Kind.TOP, key, f"{name} is at place {place} of {where}", was, sky, row.profile, facts=facts)
