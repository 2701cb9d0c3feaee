"""Reads packets and messages, and writes them to the tables.

A message that no adapter can read becomes a dead letter, and the rest goes on: this is the only place where an error of one message is
caught.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from broker_adapters import packets as adapters
from broker_adapters import significance
from broker_adapters.errors import AdapterError, SourceError
from broker_adapters.records import Alert
from broker_adapters.sources.files import Packet
from tom_alerce import conf
from tom_alerce.store import alerts as store
from tom_alerce.store import dead_letters
from tom_alerce.store.dead_letters import Refused
from tom_alerce.store.sql import chunks

Progress = Callable[[int], object]


@dataclass(slots=True)
class Report:
    """Result of a run: messages read by survey, those without a detection, refused ones, new rows, and why it is incomplete."""

    read: Counter[str] = field(default_factory=Counter)
    without_detections: int = 0
    refused: int = 0
    saved: store.Saved = field(default_factory=store.Saved)
    problem: SourceError | None = None
    last_mjd: float | None = None

    def __str__(self) -> str:
        by_survey = ", ".join(f"{n} {survey}" for survey, n in sorted(self.read.items())) or "nothing"
        by_survey += f" ({self.without_detections} without a detection)" if self.without_detections else ""
        new = self.saved
        text = (
            f"read {by_survey}; refused {self.refused}; new: {new.sky_objects} sky objects, {new.survey_objects} survey objects, "
            f"{new.detections} measurements, {new.labels} labels; {new.ambiguous} ambiguous"
        )
        text += f"; dates of {new.doubtful} survey objects not believed" if new.doubtful else ""
        return f"{text}; incomplete: {self.problem}" if self.problem else text


def ingest(packets: Iterable[Packet], progress: Progress = lambda n: None, report: Report | None = None) -> Report:
    """Read packets of any survey and messages of any broker, and store their alerts; what no adapter reads becomes a dead letter.

    The results are added to ``report`` if one is given.
    """
    report = report or Report()

    def readable() -> Iterator[Alert | Refused]:
        for packet in packets:
            try:
                yield adapters.read(packet.data)
            except AdapterError as error:
                yield Refused.of(*packet, error)

    _write(readable(), report, progress)
    return report


def ingest_alerts(alerts: Iterable[Alert], progress: Progress = lambda n: None) -> Report:
    """Store alerts from a broker; a failure of the broker ends the run and is the report's ``problem``."""
    report = Report()
    _write(alerts, report, progress)
    return report


def _write(items: Iterable[Alert | Refused], report: Report, progress: Progress) -> None:
    def until_it_ends() -> Iterator[Alert | Refused]:
        try:
            yield from items
        except SourceError as error:
            report.problem = error

    for batch in chunks(until_it_ends(), conf.get("BATCH")):
        alerts = [item for item in batch if isinstance(item, Alert)]
        report.saved += store.save(alerts)
        report.refused += dead_letters.save(item for item in batch if isinstance(item, Refused))
        report.read.update(a.survey for a in alerts)
        report.without_detections += sum(not significance.alerts(a.detections).any() for a in alerts)
        report.last_mjd = max([*(a.mjd for a in alerts), report.last_mjd or 0.0]) or None
        progress(len(batch))
