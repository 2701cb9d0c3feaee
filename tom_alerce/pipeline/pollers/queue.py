"""Runs the tasks of the pollers: whatever one of them meets, the others go on, and no worker waits for a service.

A service that asks us to slow down, or refuses our token, is left alone for a while by all workers; a failure that may pass is tried again
after a pause that doubles each time. Several workers may run, and each may be killed at any time.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from broker_adapters.errors import AdapterError, PacketError, RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.records import Query
from tom_alerce import conf
from tom_alerce.models import PollTask
from tom_alerce.pipeline import poll
from tom_alerce.pipeline.pollers import fetch, forced, search
from tom_alerce.pipeline.pollers.steps import Done, Failed, Later, Step
from tom_alerce.pipeline.stream import Stop
from tom_alerce.store import poll_tasks
from tom_alerce.store.errors import StoreError, explain

logger = logging.getLogger(__name__)

#: How a worker asks: each request once, without a pause in between; the whole answer within ten times ``timeout``.
QUICK = {"retries": 0, "patience": 0.0, "timeout": 6.0}
#: Seconds to the next attempt after the first failure, and at most; for which a service is left alone that does not say how long, or
#: refuses us; between two looks at an empty queue.
FIRST, LONGEST, SLOWER, REFUSED, IDLE = 60.0, 6 * 3600.0, 60.0, 3600.0, 5.0
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Served:
    """What workers did: (broker, what came of a step) -> number; problems, by broker, of which somebody should know."""

    steps: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: dict[str, str] = field(default_factory=dict)
    expired: int = 0

    def __str__(self) -> str:
        parts = [f"{broker}: {n} {what}" for (broker, what), n in sorted(self.steps.items())]
        parts += [f"{self.expired} expired"] if self.expired else []
        return ", ".join(parts) or "nothing was due"


def refill(queries: Sequence[tuple[str, Query]] = ()) -> int:
    """Add what is to be asked: these queries (broker, query), awaited objects, forced photometry of targets; how many are new."""
    offered, measuring = [], []
    for name in conf.get("BROKERS"):
        try:
            client = poll.client(name)
        except (LookupError, AdapterError) as error:
            logger.warning("%s: %s", name, error)
            continue
        offered.append((name, client.surveys))
        if hasattr(client, "submit"):
            measuring.append(name)
    searches = [search.wanted(name, query) for name, query in queries]
    return poll_tasks.add([*searches, *fetch.awaited_objects(offered), *forced.wanted(measuring)])


def serve(seconds: float, stop: Stop | None = None, report: Served | None = None) -> Served:
    """Do what is due, until nothing is or this time is over; what is due later is left to the next call."""
    report, stop = report or Served(), Stop() if stop is None else stop
    report.expired += poll_tasks.expire()
    clients: dict[str, Any] = {}
    end = time.monotonic() + seconds
    while not stop and time.monotonic() < end:
        if not (tasks := poll_tasks.claim()):
            break
        for task in tasks:
            _do(task, clients, report)
    return report


def run(every: float, queries: Sequence[tuple[str, Query]], stop: Stop, told: Callable[[Served], object]) -> None:
    """Serve until ``stop`` is requested, and `refill` every so many seconds; ``told`` is called after each turn that did something."""
    latest = -every
    while not stop:
        if time.monotonic() - latest >= every:
            refill(queries)
            latest = time.monotonic()
        report = serve(every, stop)
        if report.steps or report.expired:
            told(report)
        stop.wait(IDLE)


def _do(task: PollTask, clients: dict[str, Any], report: Served) -> None:
    """One step of one task, and what follows from it."""
    with _outcome(task, report) as done:
        if task.broker not in clients:
            clients[task.broker] = poll.client(task.broker, **QUICK)
        client = clients[task.broker]
        if wait := _used_up(task, client):
            poll_tasks.unasked(task, wait, "the calls of an hour are used up")
            report.steps[task.broker, "postponed"] += 1
        else:
            done(_STEPS[task.action](task, client))


@contextmanager
def _outcome(task: PollTask, report: Served) -> Iterator[Callable[[Step], None]]:
    """Store the outcome of a step, be it an error of any kind; a database that is away is none."""

    def done(step: Step) -> None:
        report.steps[task.broker, _store(task, step)] += 1

    try:
        yield done
    except (OperationalError, InterfaceError):
        raise
    except (RateLimited, Unauthorized) as error:
        refused = isinstance(error, Unauthorized)
        wait = REFUSED if refused else SLOWER if error.retry_after is None else error.retry_after
        poll_tasks.later(task, min(wait, LONGEST), str(error), handle=task.handle)
        poll_tasks.pause(task.broker, min(wait, LONGEST), str(error))
        report.steps[task.broker, "refused" if refused else "postponed"] += 1
        if refused:
            report.problems[task.broker] = str(error)
    except Unavailable as error:
        done(Later(error.retry_after, str(error), task.handle))
        report.problems[task.broker] = str(error)
    except (SourceError, PacketError, LookupError, StoreError) as error:
        done(Failed(str(error)))
        report.problems[task.broker] = str(error)
    except Exception as error:  # noqa: BLE001  # the boundary of one task: whatever is wrong with it, the others go on
        done(Failed(explain(error, str(task))))
        report.problems[task.broker] = str(error)


def _store(task: PollTask, step: Step) -> str:
    """Write what came of a step; in a word."""
    if isinstance(step, Done):
        poll_tasks.finish(task, PollTask.State.DONE, step.note)
        return "answered"
    if isinstance(step, Failed):
        poll_tasks.finish(task, PollTask.State.FAILED, step.why)
        return "failed"
    if step.seconds is None:
        wait = min(FIRST * 2.0**task.attempts, LONGEST) * random.uniform(0.75, 1.25)
        poll_tasks.later(task, wait, step.why, failed=True, handle=step.handle)
        return "to be asked again"
    poll_tasks.later(task, step.seconds, step.why, handle=step.handle)
    return "not finished"


def _used_up(task: PollTask, client: Any) -> float:
    """Seconds until the workers of this TOM may ask a service again that allows so many calls an hour; 0.0 if they may now."""
    most = getattr(client, "calls_per_hour", None)
    if most is None:
        return 0.0
    now = timezone.now()
    spent = poll_tasks.spent(task.broker, now - HOUR)  # this one is among them
    return max((spent[len(spent) - most - 1] + HOUR - now).total_seconds(), 1.0) if len(spent) > most else 0.0


#: Action -> the step of its module.
_STEPS: Mapping[str, Callable[[PollTask, Any], Step]] = MappingProxyType(
    {"search": search.step, "fetch": fetch.step, "forced": forced.step}
)
