"""Alerts into the tables: one call, one transaction, and the same call again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from broker_adapters.records import Alert
from tom_alerce.store import changes, classifications, lifetimes, lightcurves, regroup, stamps, summaries, targets, watch, withdrawn
from tom_alerce.store.identify import identify
from tom_alerce.store.sql import begin_write


@dataclass(frozen=True, slots=True)
class Saved:
    """What was new in a batch of alerts, survey objects with dates that are not believed, and the sky objects that they are about."""

    survey_objects: int = 0
    sky_objects: int = 0
    detections: int = 0
    ambiguous: int = 0
    labels: int = 0
    doubtful: int = 0
    sky_object_ids: frozenset[int] = frozenset()

    def __add__(self, other: Saved) -> Saved:
        return Saved(
            self.survey_objects + other.survey_objects,
            self.sky_objects + other.sky_objects,
            self.detections + other.detections,
            self.ambiguous + other.ambiguous,
            self.labels + other.labels,
            self.doubtful + other.doubtful,
            self.sky_object_ids | other.sky_object_ids,
        )


def save(alerts: Sequence[Alert]) -> Saved:
    """Write a batch of alerts: objects and their links, measurements, stamps, brokers' labels, summaries, lists, photometry of targets.

    The order of the alerts does not matter, neither within the batch nor between batches. Several workers may write alerts of the same
    objects at the same time.
    """
    if not alerts:
        return Saved()
    with transaction.atomic():
        begin_write()
        identified = identify(alerts)
        objects = identified.objects
        lifetimes.note(alerts, objects)
        owner = np.repeat([objects[a.key].pk for a in alerts], [len(a.detections) for a in alerts])
        rows = np.concatenate([a.detections for a in alerts])
        withdrawn.save(alerts, objects)
        remaining = withdrawn.remaining(rows, owner)
        written = lightcurves.save(rows[remaining], owner[remaining])
        stamps.save(alerts, objects)
        members = list({o.pk: o for o in objects.values()}.values())
        moved = {o.pk: o.moving for o in members}
        skies, regrouped = regroup.refresh(members, moved, summaries.refresh(members, written.curves, identified.before))
        watch.note(skies)
        changes.note(skies)
        labels = classifications.save_labels(alerts, objects)
        whole = regrouped | {sky.pk for sky in targets.adopt(skies)}
        targets.update(sky for sky in skies if sky.pk in whole)
        targets.update((sky for sky in skies if sky.pk not in whole), written.changed)
    return Saved(
        identified.survey_objects,
        identified.sky_objects,
        written.added,
        identified.ambiguous,
        labels,
        lifetimes.doubtful(set(objects.values())),
        frozenset(s.pk for s in skies),
    )
