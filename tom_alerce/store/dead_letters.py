"""Dead letters: messages that could not be read or stored, kept once each with their place and the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from tom_alerce.models import DeadLetter
from tom_alerce.store.errors import explain
from tom_alerce.store.sanitize import sanitize_text

#: Lengths of the text columns; of a longer path the end is kept, which says most.
_LENGTHS = {field.name: field.max_length or 0 for field in DeadLetter._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be read or stored: its source and position, the SHA-256 and number of its bytes, and the reason.

    The bytes are not kept: a night of refused packets must not fill the memory, and they are still at their source.
    """

    source: str
    position: str
    digest: str
    size: int
    reason: str

    @classmethod
    def of(cls, source: str, position: str, message: bytes, error: BaseException | str) -> Refused:
        """Describe a refused message; the traceback of an error that is a mistake of ours goes to the log (`errors.explain`)."""
        reason = error if isinstance(error, str) else explain(error, f"{source} {position}".strip())
        return cls(source, position, hashlib.sha256(message).hexdigest(), len(message), sanitize_text(reason)[:2000])


def save(refused: Iterable[Refused]) -> int:
    """Store dead letters; return how many were given."""
    rows = [
        DeadLetter(
            source=sanitize_text(r.source)[-_LENGTHS["source"] :],
            position=sanitize_text(r.position)[-_LENGTHS["position"] :],
            digest=r.digest,
            size=r.size,
            reason=r.reason,
        )
        for r in refused
    ]
    DeadLetter.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(rows)
