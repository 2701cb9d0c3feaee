"""Polls brokers for what is new since the last complete answer."""

from __future__ import annotations

import logging
from dataclasses import replace
from inspect import signature
from typing import Any

from django.utils import timezone

from broker_adapters import plugins
from broker_adapters.records import Broker, Query
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.pipeline.ingest import Report, ingest_answers
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import beats, watermarks

logger = logging.getLogger(__name__)


def client(name: str, **options: Any) -> Broker:
    """Make the client of a broker with its settings, and those of these options that it has; LookupError if there is no such broker."""
    given = conf.broker(name)
    made: type[Broker] = plugins.load("broker_adapters.brokers", name).Client
    known = signature(made).parameters
    return made(**given, **{key: value for key, value in options.items() if key in known and key not in given})


def poll(name: str, query: Query, progress: Progress = lambda n: None) -> Report:
    """Query a broker for what is new since the last complete answer to the same query, with a day of overlap, and store it.

    ``query.since`` replaces the stored watermark. An answer that was cut by ``query.limit``, or broken off, does not advance it. Single
    objects that the broker did not give do not hold it back: they are awaited, and fetched by the next ``alerce_sync``.
    """
    started = timezone.now()
    mark = source(name, query)
    query = since_watermark(mark, query)
    broker = client(name)
    report = ingest_answers(broker, broker.search(query), query.survey, progress, mark)
    if report.problem is None and report.read.total() + report.refused + report.failed >= query.limit:
        logger.warning("%s: the answer was cut at %d objects; ask for more, or narrow the query", mark, query.limit)
    elif report.problem is None and report.last_mjd is not None:
        watermarks.advance(mark, report.last_mjd)
    beats.ran(f"alerce_poll {name} {query.survey}", started, report.trouble)
    return report


def source(name: str, query: Query) -> str:
    """The name under which it is remembered how far a broker has answered a query, whenever it is asked again."""
    return f"{name} {query.survey} {query.classifier or ''} {query.label or ''} {query.probability or ''}".strip()


def since_watermark(mark: str, query: Query) -> Query:
    """The query for what is new since the watermark, with a day of overlap, unless it says since when, or names objects."""
    if query.since is not None or query.object_ids:
        return query
    mjd = watermarks.get(mark)
    return replace(query, since=now() - conf.get("POLL_DAYS") if mjd is None else mjd - 1.0)
