"""Follows streams of notices: each is stored and matched with the objects before its offset is committed.

What fails in between comes again, and storing it again adds nothing. What cannot be read, or has no place that can be used, is a dead
letter with its reason. While Kafka or the database is down the worker waits and tries again.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import close_old_connections

from broker_adapters import notice
from broker_adapters.errors import PacketError, SourceError
from broker_adapters.sources.archives import Packet, Unreadable
from broker_adapters.sources.kafka import Consumer
from tom_alerce import logs
from tom_alerce.models import SkyEvent
from tom_alerce.pipeline import apart, stream
from tom_alerce.pipeline.beats import Beats
from tom_alerce.pipeline.items import Progress
from tom_alerce.store import counterparts, dead_letters, events, nonlocalized
from tom_alerce.store.dead_letters import Refused

logger = logging.getLogger(__name__)

#: Notices that are taken at a time: they are few, and a map has a megabyte.
BATCH = 20


@dataclass(slots=True)
class Report:
    """Sums of a run: notices by messenger, repeated and refused ones, what was none, candidates of each event; why it is incomplete."""

    read: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    refused: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    candidates: dict[str, int] = field(default_factory=dict)
    problem: SourceError | None = None

    def __str__(self) -> str:
        new = ", ".join(f"{n} of {messenger}" for messenger, n in sorted(self.read.items())) or "nothing"
        found = sum(self.candidates.values())
        parts = [f"new notices: {new}", f"repeated {self.repeated}", f"refused {self.refused}", f"{found} candidates"]
        parts += [f"{self.passed.total()} messages about topics"] if self.passed else []
        return "; ".join(parts + ([f"incomplete: {self.problem}"] if self.problem else []))


def take(packets: Iterable[Packet], report: Report | None = None) -> Report:
    """Store notices, match their events with the objects, and add to the report."""
    report, refused = report or Report(), []
    for packet in packets:
        if notice.about_topics(packet.data):
            report.passed["about topics"] += 1
            continue
        try:
            _take(packet, report)
        except Exception as error:  # the boundary of one notice: whatever is wrong with it, the rest is stored
            if apart.is_away(error):
                raise
            refused.append(Refused.of(packet.source, packet.position, packet.data, error))
    report.refused += dead_letters.save(refused)
    return report


def _take(packet: Packet, report: Report) -> None:
    if isinstance(packet, Unreadable):
        raise PacketError(packet.reason)
    one = notice.read(packet.data)
    event, new = events.save(one)
    report.repeated += not new
    report.read.update({one.messenger.value: 1} if new else {})
    report.candidates[event.name] = counterparts.match_event(event)


def rematch(at: float | None = None) -> int:
    """Match every event that still counts with the stored objects again; how many candidates they have."""
    current: Sequence[SkyEvent] = list(counterparts.live(at))
    return sum(counterparts.match_event(event) for event in current)


def exchange() -> tuple[int, int]:
    """Read the events of ``tom_nonlocalizedevents`` and write candidates to it; how many versions were new, and how many candidates.

    Raises
    ------
    LookupError
        The TOM does not have it.
    """
    if not nonlocalized.installed():
        raise LookupError("tom_nonlocalizedevents is not among the INSTALLED_APPS of this TOM")
    return nonlocalized.read(), nonlocalized.write()


def follow(name: str, idle: float | None = None, progress: Progress = lambda n: None, stop: stream.Stop | None = None) -> Report:
    """Store the notices of a stream of the settings until none came for ``idle`` seconds (None: for ever), or until ``stop`` is requested.

    If the stream or the database is down at the end, that is the report's ``problem``.

    Raises
    ------
    LookupError, SourceError
        As `stream.consumer`; Unauthorized, a SourceError, if Kafka refuses the connection.
    """
    report, stop = Report(), stream.Stop() if stop is None else stop
    with stream.consumer(name) as packets, Beats(name, report, packets.places) as beats:
        latest, pause = time.monotonic(), stream.PAUSE
        while not stop and (idle is None or time.monotonic() - latest < idle):
            try:
                if _batch(packets, report, progress, beats):
                    latest = time.monotonic()
                report.problem, pause = None, stream.PAUSE
                beats.tell("")
            except Exception as error:
                if not apart.is_away(error):
                    raise
                report.problem = SourceError(str(error).strip())
                logger.warning("%s: %s; next attempt in %.0f s", name, error, pause)
                close_old_connections()  # a broken one is opened again
                beats.tell(str(report.problem))
                stream.rest(packets, pause, stop)
                pause = min(2 * pause, stream.LONGEST)
    return report


def _batch(packets: Consumer, report: Report, progress: Progress, beats: Beats) -> int:
    """Take what has come, and commit it; how many messages there were."""
    polled, received = packets.poll(BATCH, stream.WAIT), time.monotonic()
    if polled:
        name = logs.new_batch()
        with logs.in_batch(name):
            take(polled, report)
            packets.commit(polled)
            beats.batch(name, len(polled), received)
        progress(len(polled))
    return len(polled)
