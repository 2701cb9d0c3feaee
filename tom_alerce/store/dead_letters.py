"""Messages that could not be read: kept once each, with where they were and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tom_alerce.models import DeadLetter
from tom_alerce.store.plain import plain


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that no adapter reads: where it came from, its bytes, and the reason."""

    source: str
    position: str
    message: bytes
    reason: str


def save(refused: Iterable[Refused]) -> int:
    """Keep a note of each message, without its bytes; how many were given."""
    rows = [
        DeadLetter(
            source=plain(r.source)[-300:],
            position=plain(r.position)[-64:],
            digest=hashlib.sha256(r.message).hexdigest(),
            size=len(r.message),
            reason=plain(r.reason)[:2000],
        )
        for r in refused
    ]
    DeadLetter.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)
