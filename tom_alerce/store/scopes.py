"""Which objects the rules are about: those in a list or region, in the current ranking of a profile, or that pass a filter which is on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import F

from tom_alerce.models import FilterMatch, Rank, Rule, SavedFilter, WatchMatch
from tom_alerce.store import rankings
from tom_alerce.store.sql import chunks


class Scopes:
    """What of some objects the rules ask for, read once for all of them."""

    def __init__(self, rules: Sequence[Rule], sky_object_ids: Iterable[int]) -> None:
        keys = sorted(set(sky_object_ids))
        self._filters = dict(SavedFilter.objects.filter(name__in={rule.filter for rule in rules}).values_list("name", "pk"))
        self._passed: set[tuple[int, int]] = set()
        watches = {rule.watch_id for rule in rules if rule.watch_id is not None}
        self._watched: set[tuple[int, int]] = set()
        self._ranked: dict[str, set[int]] = {}
        for part in chunks(keys, 400) if watches else ():
            rows = WatchMatch.objects.filter(watch__in=watches, sky_object__in=part)
            self._watched |= set(rows.values_list("watch_id", "sky_object_id"))
        for part in chunks(keys, 400) if self._filters else ():
            passed = FilterMatch.objects.filter(saved__in=self._filters.values(), version=F("saved__on"), sky_object__in=part)
            self._passed |= set(passed.values_list("saved_id", "sky_object_id"))
        for profile in {rule.profile for rule in rules if rule.profile}:
            current = rankings.current(profile=profile)
            found = Rank.objects.filter(ranking=current, sky_object__in=keys) if current is not None and keys else Rank.objects.none()
            self._ranked[profile] = set(found.values_list("sky_object_id", flat=True))

    def holds(self, rule: Rule, sky_object_id: int | None) -> bool:
        """Whether an object is one that a rule is about; a rule that names nothing is about everything."""
        if rule.watch_id is None and not rule.profile and not rule.filter:
            return True
        if sky_object_id is None:
            return False
        listed = rule.watch_id is None or (rule.watch_id, sky_object_id) in self._watched
        passed = not rule.filter or (self.filter(rule), sky_object_id) in self._passed
        return listed and passed and (not rule.profile or sky_object_id in self._ranked[rule.profile])

    def filter(self, rule: Rule) -> int | None:
        """Key of the saved filter that a rule names; None if there is none of that name."""
        return self._filters.get(rule.filter)
