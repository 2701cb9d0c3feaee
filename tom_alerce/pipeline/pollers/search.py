"""Which objects answer a query of a broker: each of them that has something new becomes a task of its own.

The list takes a request a page and no light curves. Where a broker cannot list without them, its whole answer is stored at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from broker_adapters.records import Broker, Query
from tom_alerce.models import PollTask
from tom_alerce.pipeline import poll
from tom_alerce.pipeline.ingest import ingest_answers
from tom_alerce.pipeline.pollers.steps import Done, Later, Step
from tom_alerce.store import poll_tasks, summaries, watermarks
from tom_alerce.store.poll_tasks import Wanted

#: Seconds for which a search is tried: the next one asks for the same.
PATIENCE = 6 * 3600.0
#: Time for which an object is not fetched again by a search of a broker that does not list when it was seen.
AGAIN = timedelta(hours=6)


def wanted(broker: str, query: Query) -> Wanted:
    """The task that asks a broker for the objects of a query."""
    return Wanted("search", broker, query.survey, poll.source(broker, query), asdict(query), PATIENCE)


def step(task: PollTask, client: Any) -> Step:
    """Ask for the list, and add a task for each object in it that was not fetched since it was last seen."""
    query = poll.since_watermark(task.subject, _query(task.request))
    if not hasattr(client, "listed"):
        return _whole(task, client, query)
    found: dict[str, float] = dict(islice(client.listed(query), query.limit))
    new = _new(task, found)
    complete = len(found) < query.limit
    request = {"source": task.subject if complete else ""}
    with transaction.atomic():
        poll_tasks.add(Wanted("fetch", task.broker, task.survey, oid, request) for oid in new)
    cut = "" if complete else f", where the answer was cut at {query.limit}"
    return Done(f"{len(found)} objects{cut}, of which {len(new)} are to be fetched")


def _query(request: Mapping[str, Any]) -> Query:
    return Query(**{**request, "object_ids": tuple(request.get("object_ids", ()))})


def _new(task: PollTask, found: Mapping[str, float]) -> list[str]:
    """Objects that were seen since they were last fetched from this broker, as far as is known."""
    latest = summaries.latest(task.survey, found)
    since = timezone.now()
    ever = poll_tasks.answered("fetch", task.broker, task.survey, found)
    known = {
        oid for oid, when in ever.items() if (since - when < AGAIN if math.isnan(found[oid]) else latest.get(oid, -math.inf) >= found[oid])
    }
    return [oid for oid in found if oid not in known]


def _whole(task: PollTask, client: Broker, query: Query) -> Step:
    report = ingest_answers(client, client.search(query), task.survey, source=task.subject)
    if report.problem is not None:
        return Later(why=str(report.problem))
    if report.read.total() < query.limit and report.last_mjd is not None:
        watermarks.advance(task.subject, report.last_mjd)
    return Done(str(report))
