"""Forced photometry at the place of a target: submitted to a server's queue, asked for with growing pauses, and stored with the target.

Before it is submitted the task has a name of its own, which the server keeps: a worker that is killed between the two leaves no second one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from tom_targets.models import BaseTarget

from broker_adapters.brokers.atlas_forced import OVERLAP, Task
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.models import PollTask, SkyObject
from tom_alerce.pipeline.pollers.steps import Done, Failed, Later, Step
from tom_alerce.store import photometry, poll_tasks
from tom_alerce.store.poll_tasks import Wanted

#: Seconds for which a measurement is waited for: ATLAS deletes results a month after it has finished.
PATIENCE = 14 * 86400.0
#: Seconds between two questions whether it is finished: at first, and at most.
SOON, SELDOM = 60.0, 1800.0
#: Surveys of the services that measure.
SURVEY = "atlas"
#: What the photometry of a target says about where it is from: the data service that a person would update it with.
SOURCE = "ATLAS forced photometry"


def step(task: PollTask, client: Any) -> Step:
    """Submit, ask, or fetch and store, whatever is next."""
    target = BaseTarget.objects.filter(pk=int(task.subject), type=BaseTarget.SIDEREAL, ra__isnull=False).first()
    if target is None:
        return Failed("there is no such target with a fixed place any more")
    handle = task.handle or {}
    if "url" not in handle:
        return _submit(task, client, target)
    remote = client.poll(Task(handle["url"]))
    if remote.state == "gone":
        return Later(0.0, remote.reason)
    if not remote.finished:
        waited = (timezone.now() - task.created).total_seconds()
        return Later(min(max(SOON, 0.1 * waited), SELDOM), f"the task is {remote.state}", handle)
    rows = client.fetch(remote)
    new = photometry.save_photometry(target, rows, SOURCE)
    return Done(remote.reason or f"{len(rows)} measurements, {new} of them new")


def _submit(task: PollTask, client: Any, target: BaseTarget) -> Step:
    if (name := (task.handle or {}).get("comment")) is None:
        name, remote = f"tom_alerce {task.pk} {task.claim}", None
        if not poll_tasks.submitting(task, {"comment": name}):
            return Later(SOON, "another worker has it")
    else:
        remote = client.find(name)  # it may have arrived
    if remote is None:
        latest = photometry.latest(target.pk, SURVEY)
        remote = client.submit(target.ra, target.dec, since=None if latest is None else latest - OVERLAP, comment=name)
    return Later(SOON, f"the task is {remote.state}", {"comment": name, "url": remote.url})


def wanted(brokers: Iterable[str]) -> list[Wanted]:
    """Tasks for the targets that were seen within ``RANK_DAYS`` and not measured for ``FORCED_DAYS``, at each of these brokers."""
    every = conf.get("FORCED_DAYS")
    if every is None or not (names := list(brokers)):
        return []
    seen = SkyObject.objects.filter(last_mjd__gte=now() - conf.get("RANK_DAYS"), target__type=BaseTarget.SIDEREAL, moving=False)
    subjects = [str(pk) for pk in sorted(set(seen.values_list("target_id", flat=True)))]
    asked, since = poll_tasks.asked("forced", SURVEY, subjects), timezone.now() - timedelta(days=every)
    recent = {(s, one.broker) for s, found in asked.items() for one in found if one.is_open or one.created >= since}
    return [Wanted("forced", name, SURVEY, s, patience=PATIENCE) for name in names for s in subjects if (s, name) not in recent]
