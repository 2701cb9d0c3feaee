"""Signs of life of a worker of a stream: what it has done and where its partitions stand, written at most once a second."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from broker_adapters.errors import Unavailable
from broker_adapters.sources.kafka import Place
from tom_alerce.models import StreamPartition, StreamWorker
from tom_alerce.store import beats as store

logger = logging.getLogger(__name__)

#: Seconds between two signs after a batch, and while nothing comes; seconds of which the rate is told.
SOON, SELDOM, RECENT = 1.0, 15.0, 60.0
#: Name of this computer or container.
HOST = socket.gethostname()[:80]


class Sums(Protocol):
    """What a worker of a stream has taken, as its report has it."""

    read: Counter[str]
    passed: Counter[str]
    refused: int


class Beats:
    """The signs of life of one worker; a context manager, which tells when the worker leaves.

    They are written apart from the batch, once its offsets are committed: they tell what Kafka would deliver again, and a batch is not
    undone because its sign could not be written.

    Parameters
    ----------
    stream : str
        Name in the settings.
    report : Sums
        The sums of the worker, which it adds to.
    places : callable
        Where its partitions stand.
    """

    def __init__(self, stream: str, report: Sums, places: Callable[[], Sequence[Place]]) -> None:
        now = timezone.now()
        self._row = StreamWorker(name=f"{stream} {HOST}:{os.getpid()}"[-200:], stream=stream[:100], host=HOST, started=now, beat=now)
        self._report, self._places = report, places
        self._recent: deque[tuple[float, int, float]] = deque()  # when a batch was committed, packets, and seconds since it was received
        self._waits: dict[tuple[str, int], tuple[int, datetime]] | None = None  # partition -> offset at which it stands still, since when
        self._began, self._told, self._news = time.monotonic(), -SELDOM, True

    def batch(self, name: str, packets: int, received: float) -> None:
        """Note a batch that was committed: its id, number of packets, and the monotonic time at which it was received."""
        now, row, report = time.monotonic(), self._row, self._report
        self._recent.append((now, packets, now - received))
        row.batch, row.batched, row.problem = name, timezone.now(), ""
        row.batches += 1
        row.packets += packets
        row.kept, row.passed, row.refused = report.read.total(), report.passed.total(), report.refused
        self._news = True
        self.tell()

    def tell(self, problem: str | None = None) -> None:
        """Write a sign of life if it is time, or if the problem (None: as before) is another; a database that is away gets none."""
        now = time.monotonic()
        if problem is not None and problem != self._row.problem:
            self._row.problem, self._news, self._told = problem, True, -SELDOM
        if now - self._told >= (SOON if self._news else SELDOM):
            self._told, self._news = now, False
            self._write(now)

    def __enter__(self) -> Beats:
        return self

    def __exit__(self, *_: object) -> None:
        """Write that the worker leaves."""
        self._row.ended = timezone.now()
        self._write(time.monotonic())

    def _write(self, now: float) -> None:
        while self._recent and now - self._recent[0][0] > RECENT:
            self._recent.popleft()
        row = self._row
        row.beat = timezone.now()
        row.rate = sum(n for _, n, _ in self._recent) / min(max(now - self._began, 1.0), RECENT)
        row.latency = max((seconds for _, _, seconds in self._recent), default=0.0)
        try:
            store.beat(row, self._partitions(row.beat))
        except (DatabaseError, InterfaceError) as error:
            logger.warning("%s: no sign of life could be written: %s", row.name, error)

    def _partitions(self, at: datetime) -> list[StreamPartition]:
        """Where the partitions stand; one at which a worker before this one died waits since then."""
        stream, before = self._row.stream, store.waiting(self._row.stream) if self._waits is None else self._waits
        try:
            places = self._places()
        except Unavailable:
            return []
        rows, self._waits = list[StreamPartition](), {}
        for place in places:
            key, waits = (place.topic, place.partition), None
            if place.offset < place.end:
                offset, since = before.get(key, (place.offset, at))
                waits = since if offset == place.offset else at
                self._waits[key] = (place.offset, waits)
            rows.append(StreamPartition(stream=stream, worker=self._row.name, waits=waits, seen=at, **place._asdict()))
        return rows
