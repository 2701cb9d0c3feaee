"""The queue of the pollers: tasks are added once, claimed by one worker at a time, and outlive any of them.

A claim is a lease: a worker that was killed loses its task to another when the lease is over. Whoever has lost a claim changes nothing more
of the task.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from tom_alerce.models import PollTask
from tom_alerce.store.sanitize import json_safe, sanitize_text
from tom_alerce.store.sql import begin_write, chunks

State = PollTask.State

#: Seconds after which a claimed task is another worker's: longer than any step may take.
LEASE = 900.0
#: Seconds for which a task that finds no answer is asked again, unless it is told otherwise.
PATIENCE = 2 * 86400.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task to be added: action, broker, survey and subject identify it; ``patience`` is in seconds."""

    action: str
    broker: str
    survey: str
    subject: str
    request: Mapping[str, Any] = field(default_factory=dict)
    patience: float = PATIENCE


def add(wanted: Iterable[Wanted]) -> int:
    """Add tasks that are due now, but none of which the same is open already; how many were new."""
    now, added = timezone.now(), 0
    for part in chunks({(w.broker, w.action, w.survey, sanitize_text(w.subject)[:200]): w for w in wanted}.items(), 200):
        there = PollTask.objects.filter(state__in=PollTask.OPEN, subject__in=[subject for (*_, subject), _ in part])
        known = set(there.values_list("broker", "action", "survey", "subject"))
        rows = [
            PollTask(
                broker=broker,
                action=action,
                survey=survey,
                subject=subject,
                request=json_safe(w.request),
                due=now,
                deadline=now + timedelta(seconds=w.patience),
            )
            for (broker, action, survey, subject), w in part
            if (broker, action, survey, subject) not in known
        ]
        PollTask.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may have added one meanwhile
        added += len(rows)
    return added


def claim(n: int = 1, lease: float = LEASE) -> list[PollTask]:
    """Take at most n tasks that are due, the longest due first; no other worker gets them before the lease is over."""
    now, token = timezone.now(), uuid4().hex
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    due = PollTask.objects.filter(free, state__in=PollTask.OPEN, due__lte=now).order_by("due", "pk")
    with transaction.atomic():
        begin_write()
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        keys = list(due.values_list("pk", flat=True)[:n])
        PollTask.objects.filter(pk__in=keys).update(claim=token, claimed_until=now + timedelta(seconds=lease), tried=now)
    return list(PollTask.objects.filter(claim=token).order_by("due", "pk")) if keys else []


def submitting(task: PollTask, handle: Mapping[str, Any]) -> bool:
    """Note what the service will know the task by, before it is told of it; whether the claim still holds."""
    task.handle = dict(handle)
    return _change(task, release=False, handle=task.handle)


def later(task: PollTask, seconds: float, error: str = "", *, failed: bool = False, handle: Mapping[str, Any] | None = None) -> bool:
    """Give a task back, to be asked again after a number of seconds; with a ``handle`` the service works on it."""
    state = State.WAITING if handle is None else State.REMOTE
    attempts = task.attempts + failed
    due = timezone.now() + timedelta(seconds=seconds)
    return _change(task, state=state, due=due, attempts=attempts, handle=handle, error=sanitize_text(error)[:2000])


def finish(task: PollTask, state: PollTask.State, note: str = "") -> bool:
    """End a task, with what became of it."""
    return _change(task, state=state, finished=timezone.now(), error=sanitize_text(note)[:2000])


def _change(task: PollTask, *, release: bool = True, **values: Any) -> bool:
    free = {"claim": "", "claimed_until": None} if release else {}
    return bool(PollTask.objects.filter(pk=task.pk, claim=task.claim).update(**values, **free))


def unasked(task: PollTask, seconds: float, error: str) -> None:
    """Give a task back that the service was not asked, and `pause` the service."""
    _change(task, tried=None)
    pause(task.broker, seconds, error)


def pause(broker: str, seconds: float, error: str) -> None:
    """Let nothing be asked of a broker for a number of seconds, by any worker."""
    until = timezone.now() + timedelta(seconds=seconds)
    PollTask.objects.filter(broker=broker, state__in=PollTask.OPEN, due__lt=until).update(due=until, error=sanitize_text(error)[:2000])


def expire() -> int:
    """End the tasks whose deadline has passed, but those that a worker has; how many."""
    now = timezone.now()
    late = PollTask.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state__in=PollTask.OPEN, deadline__lt=now)
    return late.update(state=State.EXPIRED, finished=now, claim="", claimed_until=None)


def spent(broker: str, since: datetime) -> list[datetime]:
    """When tasks of a broker were asked last, for those after ``since``; oldest first."""
    times = PollTask.objects.filter(broker=broker, tried__gt=since).order_by("tried").values_list("tried", flat=True)
    return [time for time in times if time is not None]


class Asked(NamedTuple):
    """A task about a subject: whom it asks, whether it is open, and when it was added."""

    broker: str
    is_open: bool
    created: datetime


def asked(action: str, survey: str, subjects: Collection[str]) -> dict[str, list[Asked]]:
    """Subject -> tasks about it that are remembered."""
    found: dict[str, list[Asked]] = {}
    for part in chunks(sorted(subjects)):
        rows = PollTask.objects.filter(action=action, survey=survey, subject__in=part)
        for subject, broker, state, created in rows.values_list("subject", "broker", "state", "created"):
            found.setdefault(subject, []).append(Asked(broker, state in PollTask.OPEN, created))
    return found


def answered(action: str, broker: str, survey: str, subjects: Collection[str]) -> dict[str, datetime]:
    """Subject -> when a broker last answered about it, as far as is remembered."""
    found: dict[str, datetime] = {}
    for part in chunks(sorted(subjects)):
        rows = PollTask.objects.filter(action=action, broker=broker, survey=survey, subject__in=part, state=State.DONE)
        found.update(rows.values("subject").annotate(last=Max("finished")).values_list("subject", "last"))
    return found


def next_due() -> datetime | None:
    """When the next task that no worker has is due; None where there is none."""
    now = timezone.now()
    free = PollTask.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state__in=PollTask.OPEN)
    return free.order_by("due").values_list("due", flat=True).first()


def successes() -> dict[str, datetime]:
    """Broker -> when it last answered a task."""
    rows = PollTask.objects.filter(state=State.DONE).values("broker").annotate(last=Max("finished"))
    return {row["broker"]: row["last"] for row in rows}


def open_tasks() -> dict[tuple[str, str], int]:
    """(broker, state) -> number of tasks that are not over."""
    rows = PollTask.objects.filter(state__in=PollTask.OPEN).values("broker", "state").annotate(n=Count("pk"))
    return {(row["broker"], row["state"]): row["n"] for row in rows}
