"""Runs the automatic triggers: each ranks recent objects by its profile, and asks for the best."""

from __future__ import annotations

from followup.records import FollowupError
from tom_alerce import models
from tom_alerce.clock import now as now_mjd
from tom_alerce.pipeline import preview
from tom_alerce.requests import triggers
from tom_alerce.store import profiles
from tom_alerce.store.errors import StoreError


def run() -> tuple[list[models.TriggerEntry], list[str]]:
    """Fire every trigger that is on; entries of their logs, and what is wrong with triggers that cannot be used."""
    waiting = list(models.Trigger.objects.exclude(mode=models.Trigger.Mode.OFF))
    if not waiting or models.Halt.current() is not None:
        return [], []
    at = now_mjd()
    candidates = preview.pool(at)
    entries: list[models.TriggerEntry] = []
    problems: list[str] = []
    for trigger in waiting:
        try:
            ranking, night = preview.order(profiles.current(trigger.profile), candidates, at)
        except (FollowupError, StoreError) as error:
            problems.append(f"{trigger.name}: {error}")
            continue
        best = [(int(key), float(s)) for key, s in zip(ranking.keys, ranking.scores, strict=True) if s >= trigger.threshold]
        skies = models.SkyObject.objects.in_bulk([key for key, _ in best])
        entries += triggers.fire(trigger, [(skies[key], score) for key, score in best if key in skies], night.date)
    return entries, problems
