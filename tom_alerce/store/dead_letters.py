"""Dead letters: messages that could not be read or stored, kept once each with their place, the reason and, within limits, their bytes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Sum

from broker_adapters.sources.archives import Packet
from tom_alerce import logs
from tom_alerce.models import DeadLetter
from tom_alerce.store.errors import explain, traceback_id
from tom_alerce.store.sanitize import sanitize_text

#: Bytes of a message that are kept, compressed, at most; bytes of all messages that are kept: the oldest give way.
MESSAGE, ALL = 1 << 20, 256 << 20
#: Lengths of the text columns; of a longer path the end is kept, which says most.
_LENGTHS = {field.name: field.max_length or 0 for field in DeadLetter._meta.concrete_fields}


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that cannot be read or stored: its source and position, the SHA-256 and number of its bytes, the reason, the id of the
    traceback in the log ('' if the mistake is not ours), and its bytes, compressed, where they are no more than `MESSAGE`.
    """

    source: str
    position: str
    digest: str
    size: int
    reason: str
    traceback: str = ""
    data: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, source: str, position: str, message: bytes, error: BaseException | str) -> Refused:
        """Describe a refused message; the traceback of an error that is a mistake of ours goes to the log (`errors.explain`)."""
        reason = error if isinstance(error, str) else explain(error, f"{source} {position}".strip())
        name = "" if isinstance(error, str) else traceback_id(error)
        packed = zlib.compress(message) if message else b""
        data = packed if 0 < len(packed) <= MESSAGE else None
        return cls(source, position, hashlib.sha256(message).hexdigest(), len(message), sanitize_text(reason)[:2000], name, data)


def save(refused: Iterable[Refused]) -> int:
    """Store dead letters; return how many were given."""
    rows = [
        DeadLetter(
            source=sanitize_text(r.source)[-_LENGTHS["source"] :],
            position=sanitize_text(r.position)[-_LENGTHS["position"] :],
            digest=r.digest,
            size=r.size,
            reason=r.reason,
            traceback=r.traceback,
            batch=logs.batch.get(),
            data=r.data,
            held=len(r.data or b""),
        )
        for r in refused
    ]
    if rows:
        DeadLetter.objects.bulk_create(rows, ignore_conflicts=True, batch_size=100)
        _make_room()
    return len(rows)


def _make_room() -> None:
    """Drop the bytes of the oldest letters while those of all are more than `ALL`."""
    over = (DeadLetter.objects.aggregate(all=Sum("held"))["all"] or 0) - ALL
    held = DeadLetter.objects.filter(held__gt=0).order_by("pk").values_list("pk", "held")
    while over > 0 and (oldest := list(held[:100])):
        for pk, size in oldest:
            if over > 0:
                DeadLetter.objects.filter(pk=pk).update(data=None, held=0)
                over -= size


def message(letter: DeadLetter) -> bytes | None:
    """The bytes of a dead letter; None if they are not kept, or are not those that were refused."""
    if letter.data is None:
        return None
    unpack = zlib.decompressobj()
    data = unpack.decompress(bytes(letter.data), letter.size + 1)
    return data if hashlib.sha256(data).hexdigest() == letter.digest else None


def packets(keys: Iterable[int]) -> Iterator[tuple[int, Packet]]:
    """Keys and packets of those of these dead letters of which the bytes are kept, one after the other."""
    for key in keys:
        letter = DeadLetter.objects.filter(pk=key, held__gt=0).first()
        data = None if letter is None else message(letter)
        if letter is not None and data is not None:
            yield letter.pk, Packet(letter.source, letter.position, data)


def answered(key: int) -> None:
    """Forget a dead letter that has been stored after all."""
    DeadLetter.objects.filter(pk=key).delete()
