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
#: Columns of a partition that each look changes.
_LOOKED = ["worker", "offset", "end", "seen"]


def beat(worker: StreamWorker, moved: Sequence[StreamPartition] = (), still: Sequence[StreamPartition] = ()) -> None:
    """Write what a worker is doing, and its partitions: those of which the offset ``moved``, and those that stand ``still``."""
    with transaction.atomic():
        worker.problem = sanitize_text(worker.problem)[:2000]
        StreamWorker.objects.bulk_create([worker], update_conflicts=True, unique_fields=["name"], update_fields=_WORKER)
        for rows, fields in ((moved, [*_LOOKED, "moved"]), (still, _LOOKED)):
            StreamPartition.objects.bulk_create(
                sorted(rows, key=lambda row: (row.topic, row.partition)),
                update_conflicts=True,
                unique_fields=["stream", "topic", "partition"],
                update_fields=fields,
            )


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
