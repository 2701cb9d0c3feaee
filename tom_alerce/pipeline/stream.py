"""Follows a Kafka stream of packets: each batch is stored before its offsets are committed.

If anything fails in between, the batch is delivered again, and storing it again adds nothing: nothing is lost or stored twice. While Kafka
or the database is down the worker waits and tries again. Workers of the same group share the partitions of the topics; one that is asked to
stop finishes its batch, commits it and leaves the group, so that the others take over at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, close_old_connections

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.sources.kafka import Consumer
from tom_alerce import conf
from tom_alerce.pipeline import ingest
from tom_alerce.store.errors import explain

logger = logging.getLogger(__name__)

#: Seconds that a poll waits for packets; seconds between attempts, first and longest.
WAIT, PAUSE, LONGEST = 1.0, 1.0, 60.0


class Stopped(BaseException):
    """The work between two batches is cut short, as by Ctrl-C: what it has done is stored, and the next run does the rest."""


class Stop:
    """A request to stop, which a signal handler may make at any time."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._between = False

    def __call__(self, *_: object) -> None:
        """Make the request; as a signal handler, cut short the work between two batches."""
        self._event.set()
        if self._between:
            self._between = False
            raise Stopped

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Sleep, but not after the request."""
        self._event.wait(seconds)

    @contextmanager
    def between(self) -> Iterator[None]:
        """A context that the request ends at once; not entered after it."""
        try:
            self._between = True
            if self:
                raise Stopped
            yield
        except Stopped:
            logger.info("stopped between two batches")
        finally:
            self._between = False


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
    stored: Callable[[frozenset[int]], object] = lambda ids: None,
    progress: ingest.Progress = lambda n: None,
    stop: Stop | None = None,
) -> ingest.Report:
    """Store the packets of a stream until none came for ``idle`` seconds (None: for ever), or until ``stop`` is requested.

    ``stored`` is called with the keys of its sky objects after each batch that was stored and committed. If the stream or the database is
    down at the end, that is the report's ``problem``.

    Raises
    ------
    LookupError, SourceError
        As `consumer`; Unauthorized, a SourceError, if Kafka refuses the connection.
    """
    report, stop = ingest.Report(), Stop() if stop is None else stop
    with consumer(name) as packets:
        latest, pause = time.monotonic(), PAUSE
        while not stop and (idle is None or time.monotonic() - latest < idle):
            try:
                if batch := packets.poll(conf.get("BATCH"), WAIT, ingest.BATCH_BYTES):
                    ids: set[int] = set()
                    ingest.ingest(batch, progress, report, ids.update)
                    packets.commit()
                    _after(stored, frozenset(ids), stop)
                    latest = time.monotonic()
                report.problem, pause = None, PAUSE
            except (Unavailable, OperationalError, InterfaceError) as error:
                report.problem = SourceError(str(error).strip())
                logger.warning("%s: %s; next attempt in %.0f s", name, report.problem, pause)
                close_old_connections()  # a broken one is opened again
                stop.wait(pause)
                pause = min(2 * pause, LONGEST)
    return report


def _after(stored: Callable[[frozenset[int]], object], ids: frozenset[int], stop: Stop) -> None:
    """Call what follows a batch; the batch is committed, so that a mistake there ends nothing."""
    with stop.between():
        try:
            stored(ids)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  # the boundary of what follows a batch: the stream goes on
            logger.error("after a batch: %s", explain(error, "after a batch"))
