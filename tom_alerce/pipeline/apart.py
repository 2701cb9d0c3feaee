"""A batch of a stream at which a mistake of ours fails, in halves, until the packets that bring it about are alone: dead letters.

A mistake that every packet brings about is none of theirs: nothing is set apart then, and the batch waits for an update.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError, OperationalError

from broker_adapters.errors import Unavailable
from broker_adapters.sources.archives import Packet
from classifiers.records import ClassifierError
from tom_alerce.pipeline import ingest
from tom_alerce.pipeline.prepare import prepare
from tom_alerce.store import dead_letters, profiles
from tom_alerce.store.dead_letters import Refused

#: Packets of which not all are guilty at once: where all of as many fail, we do.
MANY = 16


def is_away(error: Exception) -> bool:
    """Whether something that we need is not there, such as the database: no fault of a packet, and it passes."""
    away = isinstance(error, (Unavailable, OperationalError, InterfaceError, ClassifierError))
    return away and not (isinstance(error, (DatabaseError, InterfaceError)) and ingest.is_items_fault(error))


def take(packets: Sequence[Packet], report: ingest.Report, stored: ingest.Stored) -> None:
    """Prepare and store packets; those at which that fails are dead letters, with the reason.

    Raises
    ------
    Exception
        What `is_away` says of, or the mistake itself if all of at least `MANY` packets bring it about.
    """
    guilty: list[tuple[Packet, Exception]] = []
    _take(packets, report, stored, guilty)
    if len(guilty) == len(packets) >= MANY:
        raise guilty[0][1]
    report.refused += dead_letters.save(Refused.of(*packet, error) for packet, error in guilty)


def _take(packets: Sequence[Packet], report: ingest.Report, stored: ingest.Stored, guilty: list[tuple[Packet, Exception]]) -> None:
    try:
        ingest.take(prepare(packets, profiles.kept()), report, stored)
    except Exception as error:  # the boundary of a batch that has failed often: what is wrong with one packet is found, the rest is stored
        if is_away(error):
            raise
        if len(packets) == 1:
            guilty.append((packets[0], error))
            return
        half = len(packets) // 2
        _take(packets[:half], report, stored, guilty)
        _take(packets[half:], report, stored, guilty)
