"""A stream of packets that goes on all night: each batch is stored before its offsets are committed.

Whatever fails in between, the batch comes again, and writing it again adds nothing: nothing is lost and nothing is doubled. While Kafka or
the database is away the worker waits and tries again. More workers of the same group share the partitions of the topics.
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

#: Seconds that one poll waits for packets, and between attempts: at first, and at most.
WAIT, PAUSE, LONGEST = 1.0, 1.0, 60.0


def consumer(name: str) -> Consumer:
    """The consumer of a stream of the settings.

    Raises
    ------
    LookupError
        The settings name no such stream.
    SourceError
        What they say of it cannot be used.
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
    """Write what a stream brings, until nothing came for ``idle`` seconds (None: for ever).

    ``stored`` is called after each batch that was written and committed. A stream or a database that is away at the end is the report's
    ``problem``.

    Raises
    ------
    LookupError, SourceError
        As `consumer`; and Unauthorized, where Kafka refuses us.
    """
    report = ingest.Report()
    with consumer(name) as packets:
        heard, pause = time.monotonic(), PAUSE
        while idle is None or time.monotonic() - heard < idle:
            try:
                if batch := packets.poll(conf.get("BATCH"), WAIT):
                    ingest.ingest(batch, progress, report)
                    packets.commit()
                    stored()
                    heard = time.monotonic()
                report.problem, pause = None, PAUSE
            except (Unavailable, OperationalError, InterfaceError) as error:
                report.problem = SourceError(str(error).strip())
                logger.warning("%s: %s; again in %.0f s", name, report.problem, pause)
                close_old_connections()  # one that broke is opened anew
                time.sleep(pause)
                pause = min(2 * pause, LONGEST)
    return report
