"""Runs the automatic triggers: each ranks recent objects by its profile, and asks for the best."""

from __future__ import annotations

from followup.records import FollowupError
from tom_alerce import models
from tom_alerce.pipeline import rank
from tom_alerce.requests import triggers
from tom_alerce.store import profiles
from tom_alerce.store.errors import StoreError


def run() -> tuple[list[models.TriggerEntry], list[str]]:
    """Fire every trigger that is on; entries of their logs, and what is wrong with triggers that cannot be used."""
    waiting = list(models.Trigger.objects.exclude(mode=models.Trigger.Mode.OFF))
    if not waiting or models.Halt.current() is not None:
        return [], []
    entries: list[models.TriggerEntry] = []
    problems: list[str] = []
    for trigger in waiting:
        try:
            profile = profiles.current(trigger.profile)
            ranked = rank.compute(site=next(iter(profile.sites), None), profile=profile)
        except (FollowupError, StoreError) as error:
            problems.append(f"{trigger.name}: {error}")
            continue
        scored = zip(ranked.ranking.keys, ranked.ranking.scores, strict=True)
        best = [(int(key), float(score)) for key, score in scored if score >= trigger.threshold]
        skies = models.SkyObject.objects.in_bulk([key for key, _ in best])
        entries += triggers.fire(trigger, [(skies[key], score) for key, score in best if key in skies], ranked.night.date)
    return entries, problems
