"""One object of one survey from a broker: its light curve, labels and names, stored as `alerce_poll` would."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from broker_adapters.errors import RateLimited, SourceError, Unauthorized
from broker_adapters.records import Alert
from tom_alerce.models import PollTask
from tom_alerce.pipeline.ingest import ingest_alerts
from tom_alerce.pipeline.pollers.steps import Done, Failed, Later, Step
from tom_alerce.store import awaited, dead_letters, poll_tasks, watermarks
from tom_alerce.store.dead_letters import Refused
from tom_alerce.store.poll_tasks import Wanted

#: Time after which an object that no broker knew is asked for again.
AGAIN = timedelta(days=1)


def step(task: PollTask, client: Any) -> Step:
    """Ask for the object, and store what comes; what a part of the answer lacks is asked for again."""
    asked = timezone.now()
    alerts = list(client.fetch(task.survey, [task.subject]))
    missing = [error for _, error in client.rejected]
    passing = next((error for error in missing if isinstance(error, SourceError)), None)
    if isinstance(passing, (RateLimited, Unauthorized)):
        raise passing
    report = ingest_alerts(alerts, source=task.broker)
    if report.problem is not None:
        return Later(why=str(report.problem))
    if alerts:
        _came(task, alerts, asked, report.last_mjd)
    if passing is not None:
        return Later(why=str(passing))
    if missing:
        dead_letters.save(Refused.of(task.broker, task.subject, b"", error) for error in missing)
        return Failed(str(missing[0]))
    return Done(str(report)) if alerts else Done(f"{task.broker} does not know it")


def _came(task: PollTask, alerts: Iterable[Alert], asked: datetime, last_mjd: float | None) -> None:
    awaited.came(task.survey, [alert.object_id for alert in alerts], asked)
    if last_mjd is not None and task.request.get("source"):
        watermarks.advance(task.request["source"], last_mjd)


def awaited_objects(brokers: Iterable[tuple[str, Iterable[str]]]) -> list[Wanted]:
    """Tasks for the awaited objects, at the first broker (name, surveys) that has not been asked about them since they were named."""
    offered = [(name, tuple(surveys)) for name, surveys in brokers]
    wanted = []
    for survey in sorted({survey for _, surveys in offered for survey in surveys}):
        named = awaited.named(survey)
        asked = poll_tasks.asked("fetch", survey, named)
        for oid, when in named.items():
            since = max(when, timezone.now() - AGAIN)
            recent = {one.broker for one in asked.get(oid, ()) if one.is_open or one.created >= since}
            free = [name for name, surveys in offered if survey in surveys and name not in recent]
            if free and not any(one.is_open for one in asked.get(oid, ())):
                wanted.append(Wanted("fetch", free[0], survey, oid))
    return wanted
