"""How the TOM is doing, as its workers, commands and tables tell: streams, runs, dead letters, drift and disk, in a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from tom_alerce import conf
from tom_alerce.models import AwaitedObject, DeadLetter, DiskUse, Run, StreamPartition, StreamWorker
from tom_alerce.store import drift, poll_tasks


@dataclass(frozen=True, slots=True)
class Stream:
    """A Kafka stream of the settings, with its workers and partitions, and who of the workers follows it now."""

    name: str
    workers: Sequence[StreamWorker]
    alive: Sequence[StreamWorker]
    partitions: Sequence[StreamPartition]

    @property
    def lag(self) -> int:
        """Packets that wait, of all partitions."""
        return sum(one.lag for one in self.partitions)

    @property
    def rate(self) -> float:
        """Packets per second within the last minute."""
        return sum(one.rate for one in self.alive)

    @property
    def latency(self) -> float:
        """Seconds from receiving to committing a batch, the longest within the last minute."""
        return max((one.latency for one in self.alive), default=0.0)

    @property
    def kept_share(self) -> float | None:
        """Fraction of the alerts of these workers that were stored; None if there were none."""
        kept, passed = sum(one.kept for one in self.workers), sum(one.passed for one in self.workers)
        return kept / (kept + passed) if kept + passed else None

    @property
    def batched(self) -> datetime | None:
        """When a batch was last committed."""
        return max((one.batched for one in self.workers if one.batched), default=None)


@dataclass(frozen=True, slots=True)
class Letters:
    """Numbers of dead letters: all, and those of the last hour and day; objects that are awaited from brokers."""

    all: int
    hour: int
    day: int
    awaited: int


@dataclass(frozen=True, slots=True)
class Poller:
    """A broker that the queue of the pollers asks: when it last answered, and numbers of tasks by state that are not over."""

    broker: str
    succeeded: datetime | None
    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Drifted:
    """The night that was compared last with the training set, and the quantities that have drifted, the furthest first."""

    night: date
    quantities: Sequence[str]


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of the database, the largest tables first, when they were measured, and their growth in bytes a day (None: not known yet)."""

    day: date
    total: int
    tables: Sequence[tuple[str, int]]
    growth: float | None


@dataclass(frozen=True, slots=True)
class Health:
    """All that is known at a moment."""

    at: datetime
    streams: Sequence[Stream]
    runs: Sequence[Run]
    pollers: Sequence[Poller]
    letters: Letters
    drift: Drifted | None
    disk: Disk | None


def read(at: datetime | None = None) -> Health:
    """How the TOM is doing ``at`` a moment (now)."""
    at = timezone.now() if at is None else at
    return Health(at, streams(at), list(Run.objects.order_by("name")), _pollers(), _letters(at), _drift(), _disk())


def streams(at: datetime, names: Iterable[str] | None = None) -> list[Stream]:
    """Streams by name; those of the settings if no names are given."""
    names = list(conf.get("STREAMS") if names is None else names)
    workers, partitions = defaultdict[str, list[StreamWorker]](list), defaultdict[str, list[StreamPartition]](list)
    for worker in StreamWorker.objects.filter(stream__in=names).order_by("-beat", "name"):
        workers[worker.stream].append(worker)
    for partition in StreamPartition.objects.filter(stream__in=names).order_by("topic", "partition"):
        partitions[partition.stream].append(partition)
    return [Stream(name, workers[name], [w for w in workers[name] if is_alive(w, at)], partitions[name]) for name in names]


def is_alive(worker: StreamWorker, at: datetime) -> bool:
    """Whether a worker follows its stream: it has not left, and has given a sign of life of late."""
    return worker.ended is None and at - worker.beat <= timedelta(seconds=limit("dead"))


def limit(name: str) -> float:
    """A limit of ``HEALTH``, infinite for None."""
    value = limits()[name]
    return float("inf") if value is None else float(value)


def limits() -> dict[str, Any]:
    """``HEALTH`` with the defaults of what the settings do not name."""
    return {**conf.DEFAULTS["HEALTH"], **conf.get("HEALTH")}


def _pollers() -> list[Poller]:
    succeeded, tasks = poll_tasks.successes(), defaultdict[str, dict[str, int]](dict)
    for (broker, state), n in poll_tasks.open_tasks().items():
        tasks[broker][str(state)] = n
    return [Poller(broker, succeeded.get(broker), tasks[broker]) for broker in sorted({*succeeded, *tasks})]


def _letters(at: datetime) -> Letters:
    def since(hours: float) -> int:
        return DeadLetter.objects.filter(created__gt=at - timedelta(hours=hours)).count()

    return Letters(DeadLetter.objects.count(), since(1.0), since(24.0), AwaitedObject.objects.count())


def _drift() -> Drifted | None:
    night = drift.latest_night()
    return None if night is None else Drifted(night.night, drift.drifted(night))


def _disk() -> Disk | None:
    """The last size, and its growth since the first of the fortnight before it."""
    rows = list(DiskUse.objects.order_by("-day")[:15])
    if not rows:
        return None
    last, first = rows[0], rows[-1]
    days = (last.day - first.day).days
    tables = sorted(last.tables.items(), key=lambda item: -item[1])
    return Disk(last.day, last.total, tables, (last.total - first.total) / days if days else None)
