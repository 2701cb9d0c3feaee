"""Keeps which objects a person has looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from tom_alerce.models import Seen, SkyObject
from tom_alerce.store.sql import chunks


def look(keys: Iterable[int], user: Any) -> int:
    """Keep that a person has looked at these objects as they are now; how many there are. Looking again changes only the time."""
    seen = 0
    for part in chunks(sorted(set(keys))):
        rows = [
            Seen(user=user, sky_object_id=key, evidence=evidence)
            for key, evidence in SkyObject.objects.filter(pk__in=part).values_list("pk", "evidence")
        ]
        Seen.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["user", "sky_object"], update_fields=["evidence", "at"], batch_size=300
        )
        seen += len(rows)
    return seen


def unlook(keys: Iterable[int], user: Any) -> None:
    """Forget that a person has looked at these objects: they are new again to that person."""
    for part in chunks(keys):
        Seen.objects.filter(user=user, sky_object__in=part).delete()


def by(user: Any) -> QuerySet[Seen]:
    """What a person has looked at."""
    return Seen.objects.filter(user=user)


def is_seen(user: Any, key: str = "pk") -> Exists:
    """Database expression: whether a person has looked at an object with its present evidence; ``key`` leads to its key."""
    return Exists(by(user).filter(sky_object=OuterRef(key), evidence=F("sky_object__evidence")))
