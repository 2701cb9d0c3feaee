"""Signs of life: what workers of streams and runs of commands write of themselves, for `tom_alerce.store.health`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from tom_alerce.models import Run, StreamPartition, StreamWorker
from tom_alerce.store.sanitize import sanitize_text

#: Days after which a worker that has gone, and a partition that nobody follows any more, are forgotten.
FORGOTTEN = 7.0
_WORKER = [f.name for f in StreamWorker._meta.concrete_fields if f.name not in ("id", "name")]
_PARTITION = ["worker", "offset", "end", "waits", "seen"]


def beat(worker: StreamWorker, partitions: Sequence[StreamPartition]) -> None:
    """Write what a worker is doing, and where its partitions stand."""
    worker.problem = sanitize_text(worker.problem)[:2000]
    with transaction.atomic():
        StreamWorker.objects.bulk_create([worker], update_conflicts=True, unique_fields=["name"], update_fields=_WORKER)
        StreamPartition.objects.bulk_create(
            sorted(partitions, key=lambda row: (row.topic, row.partition)),  # in one order: two workers never wait for each other
            update_conflicts=True,
            unique_fields=["stream", "topic", "partition"],
            update_fields=_PARTITION,
        )


def waiting(stream: str) -> dict[tuple[str, int], tuple[int, datetime]]:
    """Partition (topic, number) -> offset at which it stands still, as was last told, and since when."""
    rows = StreamPartition.objects.filter(stream=stream, waits__isnull=False).values_list("topic", "partition", "offset", "waits")
    return {(topic, partition): (offset, since) for topic, partition, offset, since in rows if since is not None}


def ran(name: str, started: datetime, problem: str = "") -> None:
    """Write that a command or a poller has run until now, and its problem ('' if it succeeded)."""
    end = timezone.now()
    values = {"started": started, "seconds": (end - started).total_seconds(), "problem": sanitize_text(problem)[:2000]}
    Run.objects.update_or_create(name=name[:200], defaults=values if problem else values | {"succeeded": end})


def forget() -> None:
    """Remove workers that have gone, and partitions that nobody follows, after `FORGOTTEN` days."""
    before = timezone.now() - timedelta(days=FORGOTTEN)
    StreamWorker.objects.filter(beat__lt=before).delete()
    StreamPartition.objects.filter(seen__lt=before).delete()
