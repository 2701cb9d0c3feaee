"""Polls brokers for what is new since the last complete answer."""

from __future__ import annotations

import logging
from dataclasses import replace

from broker_adapters import plugins
from broker_adapters.records import Broker, Query
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.pipeline.ingest import Report, ingest_answers
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import watermarks

logger = logging.getLogger(__name__)


def client(name: str) -> Broker:
    """Make the client of a broker with its settings; LookupError if the settings or the plug-ins do not have it."""
    options = conf.broker(name)
    broker: Broker = plugins.load("broker_adapters.brokers", name).Client(**options)
    return broker


def poll(name: str, query: Query, progress: Progress = lambda n: None) -> Report:
    """Query a broker for what is new since the last complete answer to the same query, with a day of overlap, and store it.

    ``query.since`` replaces the stored watermark. An answer that was cut by ``query.limit``, or broken off, does not advance it. Single
    objects that the broker did not give do not hold it back: they are awaited, and fetched by the next ``alerce_sync``.
    """
    source = f"{name} {query.survey} {query.classifier or ''} {query.label or ''} {query.probability or ''}".strip()
    if query.since is None and not query.object_ids:
        mark = watermarks.get(source)
        since = now() - conf.get("POLL_DAYS") if mark is None else mark - 1.0
        query = replace(query, since=since)
    broker = client(name)
    report = ingest_answers(broker, broker.search(query), query.survey, progress, source)
    if report.problem is None and report.read.total() + report.refused + report.failed >= query.limit:
        logger.warning("%s: the answer was cut at %d objects; ask for more, or narrow the query", source, query.limit)
    elif report.problem is None and report.last_mjd is not None:
        watermarks.advance(source, report.last_mjd)
    return report
