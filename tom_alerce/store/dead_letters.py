"""Messages that could not be read: kept once each, with where they were and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tom_alerce.models import DeadLetter
from tom_alerce.store.sanitize import plain

#: What the columns of text take; of a longer path the end is kept, which says most.
_LENGTHS = {field.name: field.max_length or 0 for field in DeadLetter._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that no adapter reads: where it came from, the SHA-256 and the number of its bytes, and the reason.

    The bytes are not kept: a night of refused packets must not fill the memory, and they are still where they came from.
    """

    source: str
    position: str
    digest: str
    size: int
    reason: str

    @classmethod
    def of(cls, source: str, position: str, message: bytes, reason: object) -> Refused:
        """The note of a message."""
        return cls(source, position, hashlib.sha256(message).hexdigest(), len(message), plain(str(reason))[:2000])


def save(refused: Iterable[Refused]) -> int:
    """Keep the note of each message; how many were given."""
    rows = [
        DeadLetter(
            source=plain(r.source)[-_LENGTHS["source"] :],
            position=plain(r.position)[-_LENGTHS["position"] :],
            digest=r.digest,
            size=r.size,
            reason=r.reason,
        )
        for r in refused
    ]
    DeadLetter.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)
