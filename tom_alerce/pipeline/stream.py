"""Follows a Kafka stream of packets: each batch is stored before its offsets are committed.

If anything fails in between, the batch is delivered again, and storing it again adds nothing: nothing is lost or stored twice. While Kafka
or the database is down the worker waits and tries again. Workers of the same group share the partitions of the topics.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, close_old_connections

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.sources.kafka import Consumer
from tom_alerce import conf
from tom_alerce.pipeline import ingest

logger = logging.getLogger(__name__)

#: Seconds that a poll waits for packets; seconds between attempts, first and longest.
WAIT, PAUSE, LONGEST = 1.0, 1.0, 60.0


def consumer(name: str) -> Consumer:
    """Make the consumer of a stream of the settings.

    Raises
    ------
    LookupError
        The settings have no such stream.
    SourceError
        The settings of the stream cannot be used.
    """
    streams = conf.get("STREAMS")
    if name not in streams:
        raise LookupError(f"no stream {name!r} in TOM_ALERCE['STREAMS'], which has: {', '.join(streams) or 'none'}")
    return Consumer(**streams[name])


def follow(
    name: str,
    idle: float | None = None,
    stored: Callable[[], object] = lambda: None,
    progress: ingest.Progress = lambda n: None,
) -> ingest.Report:
    """Store the packets of a stream until none came for ``idle`` seconds (None: for ever).

    ``stored`` is called after each batch that was stored and committed. If the stream or the database is down at the end, that is the
    report's ``problem``.

    Raises
    ------
    LookupError, SourceError
        As `consumer`; Unauthorized, a SourceError, if Kafka refuses the connection.
    """
    report = ingest.Report()
    with consumer(name) as packets:
        latest, pause = time.monotonic(), PAUSE
        while idle is None or time.monotonic() - latest < idle:
            try:
                if batch := packets.poll(conf.get("BATCH"), WAIT):
                    ingest.ingest(batch, progress, report)
                    packets.commit()
                    stored()
                    latest = time.monotonic()
                report.problem, pause = None, PAUSE
            except (Unavailable, OperationalError, InterfaceError) as error:
                report.problem = SourceError(str(error).strip())
                logger.warning("%s: %s; next attempt in %.0f s", name, report.problem, pause)
                close_old_connections()  # a broken one is opened again
                time.sleep(pause)
                pause = min(2 * pause, LONGEST)
    return report
