"""Follows a Kafka stream of packets: each batch is stored before its offsets are committed, while a thread prepares the next one.

If anything fails in between, the batch is delivered again, and storing it again adds nothing: nothing is lost or stored twice. While Kafka
or the database is down the worker waits and tries again; so it does with a batch at which a mistake of ours fails, before it is taken apart
(`tom_alerce.pipeline.apart`). Workers of the same group share the partitions of the topics; one that is asked to stop finishes its batch,
commits it and leaves the group, so that the others take over at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import NamedTuple

from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.sources.archives import Packet
from broker_adapters.sources.kafka import Consumer
from tom_alerce import conf, logs
from tom_alerce.pipeline import apart, ingest
from tom_alerce.pipeline.beats import Beats
from tom_alerce.pipeline.items import Progress
from tom_alerce.pipeline.prepare import Prepared, prepare
from tom_alerce.store import profiles
from tom_alerce.store.errors import explain

logger = logging.getLogger(__name__)

#: Seconds that a poll waits for packets, and while a batch is ready to be stored; seconds between attempts, first and longest.
WAIT, SOON, PAUSE, LONGEST = 0.5, 0.02, 1.0, 60.0
#: Mistakes of ours in a row after which a batch is taken apart.
MISTAKES = 3


class Stopped(BaseException):
    """The work beside the storing of batches is cut short, as by Ctrl-C: what it has committed is kept, and the next run does the rest."""


class Stop:
    """A request to stop, which a signal handler may make at any time."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._between = False

    def __call__(self, *_: object) -> None:
        """Make the request; as a signal handler, cut short the work that the next run can do."""
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
        """A context that the request ends at once; its body asks first whether the request was made before."""
        try:
            self._between = True
            yield
        except Stopped:
            logger.info("stopped beside the storing of a batch")
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
    return Consumer(**conf.stream(name))


def follow(
    name: str,
    idle: float | None = None,
    stored: Callable[[frozenset[int]], object] = lambda ids: None,
    progress: Progress = lambda n: None,
    stop: Stop | None = None,
    inside: ingest.Stored = ingest.nothing,
) -> ingest.Report:
    """Store the packets of a stream until none came for ``idle`` seconds (None: for ever), or until ``stop`` is requested.

    ``inside`` is called with the keys of its sky objects in the transaction that stores a batch, ``stored`` after it was committed; the
    request to stop cuts both short. If the stream or the database is down at the end, that is the report's ``problem``.

    Raises
    ------
    LookupError, SourceError
        As `consumer`; Unauthorized, a SourceError, if Kafka refuses the connection.
    """
    report, stop = ingest.Report(), Stop() if stop is None else stop
    within = partial(_inside, inside, stop)
    with consumer(name) as packets, Beats(name, report, packets.places) as beats, ThreadPoolExecutor(1, "prepare") as thread:
        latest, pause, mistakes = time.monotonic(), PAUSE, 0
        waiting: _Waiting | None = None
        while not stop and (waiting or idle is None or time.monotonic() - latest < idle):
            try:
                polled = _poll(packets, waiting is not None)
                following = _Waiting.of(polled, thread) if polled else None
                if waiting is not None:
                    ids: set[int] = set()
                    with logs.in_batch(waiting.name):
                        _take(waiting, report, ids.update, within, whole=mistakes < MISTAKES)
                        packets.commit(waiting.packets)
                        logger.info("%s: %d packets stored and committed", name, len(waiting.packets))
                        progress(len(waiting.packets))
                        beats.batch(waiting.name, len(waiting.packets), waiting.received)
                        _after(stored, frozenset(ids), stop)
                    latest, pause, mistakes = time.monotonic(), PAUSE, 0
                if waiting is not None or not polled:
                    report.problem = None
                    beats.tell("")
                waiting = following
            except Exception as error:  # the boundary of a batch: whatever is wrong comes again until it is mended or told apart
                if isinstance(error, SourceError) and not isinstance(error, Unavailable):
                    raise
                mistakes += not apart.is_away(error)
                waiting = None  # what was polled and not committed comes again
                report.problem = _problem(error, name)
                logger.warning("%s: %s; next attempt in %.0f s", name, report.problem, pause)
                close_old_connections()  # a broken one is opened again
                beats.tell(str(report.problem))
                rest(packets, pause, stop)
                pause = min(2 * pause, LONGEST)
    return report


def _take(waiting: _Waiting, report: ingest.Report, stored: ingest.Stored, inside: ingest.Stored, *, whole: bool) -> None:
    """Store a batch as it was prepared or, if it is not to be taken ``whole``, in parts that are prepared anew, and classified later."""
    if whole:
        ingest.take(waiting.prepared.result(), report, stored, inside)
    else:
        apart.take(waiting.packets, report, stored)


def _problem(error: Exception, name: str) -> SourceError:
    return SourceError(str(error).strip() if apart.is_away(error) else explain(error, f"a batch of {name}"))


def _poll(packets: Consumer, ahead: bool) -> list[Packet]:
    """The next batch; trouble of Kafka ahead of one that waits to be stored is left to the poll after that."""
    try:
        return packets.poll(conf.get("BATCH"), SOON if ahead else WAIT, ingest.BATCH_BYTES, ahead=ahead)
    except Unavailable:
        if not ahead:
            raise
        return []


class _Waiting(NamedTuple):
    """A batch that is being prepared while the one before is stored."""

    packets: list[Packet]
    prepared: Future[Prepared]
    name: str
    received: float

    @classmethod
    def of(cls, packets: list[Packet], thread: ThreadPoolExecutor) -> _Waiting:
        """Have a batch prepared, under a name of its own in the log."""
        name, received = logs.new_batch(), time.monotonic()
        with logs.in_batch(name):
            prepared = thread.submit(copy_context().run, prepare, packets, profiles.kept())
        return cls(packets, prepared, name, received)


def rest(packets: Consumer, seconds: float, stop: Stop) -> None:
    """Let time pass, with the partitions paused and without leaving the group; not after the request to stop."""
    end = time.monotonic() + seconds
    while not stop and (left := end - time.monotonic()) > 0.0:
        try:
            packets.hold(min(left, WAIT))
        except Unavailable:
            stop.wait(min(left, WAIT))


def _inside(inside: ingest.Stored, stop: Stop, ids: frozenset[int]) -> None:
    """Call what belongs to the transaction of a batch; cut short, it leaves nothing behind, and the batch is stored without."""
    with stop.between(), transaction.atomic():
        if not stop:
            inside(ids)


def _after(stored: Callable[[frozenset[int]], object], ids: frozenset[int], stop: Stop) -> None:
    """Call what follows a batch; the batch is committed, so that a mistake there ends nothing."""
    with stop.between():
        if stop:
            return
        try:
            stored(ids)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001  # the boundary of what follows a batch: the stream goes on
            logger.error("after a batch: %s", explain(error, "after a batch"))
