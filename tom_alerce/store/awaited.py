"""Awaited objects: named by a message without their place, or not given by a broker that failed; `alerce_sync` fetches them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from tom_alerce import conf
from tom_alerce.models import AwaitedObject
from tom_alerce.store.sanitize import sanitize_text
from tom_alerce.store.sql import chunks


@dataclass(frozen=True, slots=True)
class Named:
    """A survey object to be fetched, who named it, and why it is not stored."""

    survey: str
    object_id: str
    source: str
    reason: str


def save(named: Iterable[Named]) -> int:
    """Keep objects until they are fetched, each once; return how many were given."""
    given = list(named)
    now = timezone.now()
    rows = [
        AwaitedObject(
            survey=n.survey,
            object_id=n.object_id,
            source=sanitize_text(n.source)[-300:],
            reason=sanitize_text(n.reason)[:2000],
            named=now,
        )
        for n in {(n.survey, n.object_id): n for n in given}.values()
    ]
    AwaitedObject.objects.bulk_create(
        sorted(rows, key=lambda row: (row.survey, row.object_id)),
        update_conflicts=True,
        unique_fields=["survey", "object_id"],
        update_fields=["source", "reason", "named"],
        batch_size=100,
    )
    return len(given)


def named(survey: str) -> dict[str, datetime]:
    """Object ids of a survey that were named within ``RANK_DAYS`` and are still awaited, sorted, and when they were last named."""
    since = timezone.now() - timedelta(days=conf.get("RANK_DAYS"))
    rows = AwaitedObject.objects.filter(survey=survey, named__gte=since).order_by("object_id")
    return dict(rows.values_list("object_id", "named"))


def ids(survey: str) -> list[str]:
    """Object ids of a survey that were named within ``RANK_DAYS`` and are still awaited, sorted."""
    return list(named(survey))


def came(survey: str, object_ids: Collection[str], asked: datetime) -> None:
    """Forget objects that a broker has given; one that was named again after it was asked is still awaited."""
    for part in chunks(sorted(object_ids)):
        AwaitedObject.objects.filter(survey=survey, object_id__in=part, named__lte=asked).delete()
