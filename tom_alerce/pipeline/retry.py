"""Dead letters once more, after an update or a correction that lets them be read or stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from broker_adapters import notice
from tom_alerce.models import DeadLetter
from tom_alerce.pipeline import ingest, notices
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import dead_letters


@dataclass(slots=True)
class Retried:
    """How many letters were stored and are gone, were refused again and remain, and cannot be tried since their bytes are not kept."""

    stored: int = 0
    refused: int = 0
    without_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.stored} stored; {self.refused} refused again; {self.without_bytes} of which the bytes are not kept"


def retry(keys: Iterable[int], progress: Progress = lambda n: None) -> Retried:
    """Take the messages of dead letters, alerts or notices, one by one; a letter goes once its message is stored, or its object awaited."""
    keys, done, tried = list(keys), Retried(), 0
    for key, packet in dead_letters.packets(keys):
        refused = (notices.take if notice.recognised(packet.data) else ingest.ingest)([packet]).refused
        tried += 1
        if refused:
            done.refused += 1
        else:
            dead_letters.answered(key)
            done.stored += 1
        progress(1)
    done.without_bytes = len(keys) - tried
    return done


def wanted(reason: str = "", source: str = "") -> list[int]:
    """Keys of the dead letters of which reason and source contain these texts, the oldest first."""
    rows = DeadLetter.objects.filter(reason__icontains=reason, source__icontains=source)
    return list(rows.order_by("pk").values_list("pk", flat=True))
