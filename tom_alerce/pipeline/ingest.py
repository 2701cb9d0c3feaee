"""Reads packets and messages, and writes them to the tables.

Two boundaries, one of reading and one of writing, take whatever is wrong with one item: it becomes a dead letter with the reason, and the
rest goes on. A database that is away is no fault of an item: that ends the run.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from broker_adapters import significance, values
from broker_adapters.errors import SourceError
from broker_adapters.records import Alert, Broker
from broker_adapters.sources.archives import Packet, records
from tom_alerce import conf
from tom_alerce.pipeline import items, keep
from tom_alerce.pipeline.items import Item, Progress
from tom_alerce.pipeline.prepare import Prepared
from tom_alerce.store import alerts as store
from tom_alerce.store import awaited, counterparts, dead_letters, passed
from tom_alerce.store.awaited import Named
from tom_alerce.store.dead_letters import Refused
from tom_alerce.store.errors import explain
from tom_alerce.store.sql import begin_write

logger = logging.getLogger(__name__)

Stored = Callable[[frozenset[int]], object]


def nothing(_: frozenset[int]) -> None:
    """Do nothing with what was stored."""


#: Bytes of packets, or of arrays, that are held at a time; how often one alert is tried; seconds after which a silent database is told.
BATCH_BYTES, ATTEMPTS, SILENT = 64 << 20, 3, 10.0
#: Classes of SQLSTATE that are the item's fault, though Django calls some of them operational: data, integrity, a limit of the server.
_ITEMS_FAULT = ("22", "23", "54")


@dataclass(slots=True)
class Report:
    """Sums of a run.

    Attributes
    ----------
    read : Counter
        Alerts by survey, of those that are stored.
    passed : Counter
        Alerts that no keep rule kept, by the condition that failed.
    without_detections, refused, named : int
        Alerts without a detection, dead letters, and objects that are named alone and will be fetched by ``alerce_sync``.
    failed : int
        Objects that a broker did not give, or not in full; ``failure`` is the first of them and why.
    dropped : Counter
        Rows of histories that were left out, by reason.
    saved : Saved
        New rows.
    problem : SourceError or None
        Why the run is incomplete.
    last_mjd : float or None
        The latest detection.
    """

    read: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    without_detections: int = 0
    refused: int = 0
    named: int = 0
    failed: int = 0
    failure: str = ""
    dropped: Counter[str] = field(default_factory=Counter)
    saved: store.Saved = field(default_factory=store.Saved)
    problem: SourceError | None = None
    last_mjd: float | None = None

    def __str__(self) -> str:
        by_survey = ", ".join(f"{n} {survey}" for survey, n in sorted(self.read.items())) or "nothing"
        by_survey += f" ({self.without_detections} without a detection)" if self.without_detections else ""
        new = self.saved
        parts = [
            f"read {by_survey}",
            f"not kept: {values.counted(self.passed)}" if self.passed else "",
            f"{self.named} named alone" if self.named else "",
            f"refused {self.refused}",
            f"rows left out: {values.counted(self.dropped)}" if self.dropped else "",
            f"new: {new.sky_objects} sky objects, {new.survey_objects} survey objects, {new.detections} measurements, {new.labels} labels",
            f"{new.ambiguous} ambiguous",
            f"dates of {new.doubtful} survey objects not believed" if new.doubtful else "",
            self.trouble,
        ]
        return "; ".join(part for part in parts if part)

    @property
    def trouble(self) -> str:
        """Why something is missing; '' if nothing is."""
        failed = f"{self.failed} objects failed, the first {self.failure}" if self.failed else ""
        return "; ".join(part for part in (failed, f"incomplete: {self.problem}" if self.problem else "") if part)

    def add(self, alerts: Sequence[Alert], saved: store.Saved) -> None:
        """Add a batch that was stored."""
        self.saved += replace(saved, sky_object_ids=frozenset())
        for alert in alerts:
            self.read[alert.survey] += 1
            self.dropped.update(alert.dropped)
            seen = alert.detections["mjd"][significance.alerts(alert.detections)]
            self.without_detections += not len(seen)
            self.last_mjd = max(self.last_mjd or 0.0, alert.mjd, *seen.tolist())

    def merge(self, other: Report) -> None:
        """Add the sums of another run."""
        for name in ("read", "passed", "dropped"):
            getattr(self, name).update(getattr(other, name))
        for name in ("without_detections", "refused", "named", "failed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.saved += other.saved
        self.failure, self.problem = self.failure or other.failure, self.problem or other.problem
        self.last_mjd = max((mjd for mjd in (self.last_mjd, other.last_mjd) if mjd is not None), default=None)


def ingest(
    packets: Iterable[Packet], progress: Progress = lambda n: None, report: Report | None = None, stored: Stored | None = None
) -> Report:
    """Read packets of any survey and messages of any broker, and store their alerts; what cannot be read or stored is a dead letter.

    The results are added to ``report`` if one is given; ``stored`` is called with the keys of the sky objects of each batch.
    """
    report = report or Report()
    _write((items.read(packet) for whole in packets for packet in records(whole)), report, progress, stored)
    return report


def ingest_alerts(alerts: Iterable[Alert], progress: Progress = lambda n: None, source: str = "") -> Report:
    """Store alerts from a broker; a failure of the broker ends the run and is the report's ``problem``."""
    report = Report()
    _write((items.given(alert, source) for alert in alerts), report, progress, None)
    return report


def ingest_answers(client: Broker, alerts: Iterable[Alert], survey: str, progress: Progress = lambda n: None, source: str = "") -> Report:
    """Store alerts that a client of a broker yields, and note the objects of which it says that something is missing.

    What could not be read is a dead letter; what the service did not give is awaited, and fetched by the next ``alerce_sync``.
    """
    report = ingest_alerts(alerts, progress, source)
    failed = [(oid, error) for oid, error in client.rejected if isinstance(error, SourceError)]
    awaited.save(Named(survey, oid, source, str(error)) for oid, error in failed)
    report.failed += len({oid for oid, _ in failed})
    report.failure = report.failure or next((f"{oid}: {error}" for oid, error in failed), "")
    others = [(oid, error) for oid, error in client.rejected if not isinstance(error, SourceError)]
    report.refused += dead_letters.save(Refused.of(source, oid, b"", error) for oid, error in others)
    return report


def take(prepared: Prepared, report: Report, stored: Stored, inside: Stored = nothing) -> None:
    """Store a batch of a stream in one transaction: what the keep rules keep, now that the tables can be asked, of all else a light row.

    ``inside`` is called within the transaction, ``stored`` as in `ingest`.
    """
    verdict = keep.settle(prepared.verdict, [head.alert for head in prepared.heads if head.alert is not None])
    late = [items.read(head.packet) for head, kept in zip(prepared.heads, verdict.kept, strict=True) if kept]
    wanted = [*prepared.items, *late]
    incomplete = keep.incomplete([item.alert for item in wanted if item.alert is not None]) if prepared.ruled else []
    ids: set[int] = set()
    with transaction.atomic():
        begin_write()
        passed.save([light for light, kept in zip(prepared.passed, verdict.kept, strict=True) if not kept])
        awaited.save(incomplete)
        _store(wanted, report, ids.update, inside)  # last: where it ends nothing is counted twice
    stored(frozenset(ids))
    report.passed.update(verdict.reasons[~verdict.kept].tolist())


def _write(found: Iterable[Item], report: Report, progress: Progress, stored: Stored | None) -> None:
    for batch in _batches(_until_it_ends(found, report)):
        _store(batch, report, stored)
        progress(len(batch))


def _store(batch: Sequence[Item], report: Report, stored: Stored | None, inside: Stored = nothing) -> None:
    for part, saved in _save([item for item in batch if item.alert is not None], report, inside):
        report.add([item.alert for item in part if item.alert is not None], saved)
        counterparts.match_objects(saved.sky_object_ids)
        if stored is not None:
            stored(saved.sky_object_ids)
    report.refused += dead_letters.save(item.refused for item in batch if isinstance(item.refused, Refused))
    report.named += awaited.save(item.refused for item in batch if isinstance(item.refused, Named))


def _until_it_ends(found: Iterable[Item], report: Report) -> Iterator[Item]:
    """The items until their source fails, which is the report's problem, be it the source's fault or ours."""
    try:
        yield from found
    except SourceError as error:
        report.problem = error
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  # the boundary of one source: another broker or path may work
        report.problem = SourceError(explain(error, "a source of alerts"))


def _batches(found: Iterable[Item]) -> Iterator[list[Item]]:
    """Lists of items, as many as ``BATCH`` and `BATCH_BYTES` allow."""
    most, batch, size = conf.get("BATCH"), list[Item](), 0
    for item in found:
        batch.append(item)
        size += item.size
        if len(batch) >= most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _save(batch: Sequence[Item], report: Report, inside: Stored, attempt: int = 1) -> Iterator[tuple[Sequence[Item], store.Saved]]:
    """Write alerts in one transaction; where that fails write them in two halves, until what cannot be stored is alone: a dead letter.

    Raises
    ------
    OperationalError, InterfaceError
        The database is away.
    """
    if not batch:
        return
    try:
        with told_after(SILENT, f"the database has not stored a batch of {len(batch)} alerts"):
            saved = store.save([item.alert for item in batch if item.alert is not None])
    except Exception as error:  # the boundary of writing: whatever is wrong with one alert, the rest is stored
        if isinstance(error, (OperationalError, InterfaceError)) and not is_items_fault(error):
            raise
        if len(batch) == 1 and attempt >= ATTEMPTS:
            report.refused += dead_letters.save([Refused.of(*batch[0].packet, error)])
            return
        half = max(len(batch) // 2, 1)
        for part in filter(None, (batch[:half], batch[half:])):
            yield from _save(part, report, inside, attempt + 1 if len(batch) == 1 else 1)
    else:
        inside(saved.sky_object_ids)
        yield batch, saved


def is_items_fault(error: DatabaseError | InterfaceError) -> bool:
    """Whether the database is there, and refuses what it was given."""
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(state, str) and state.startswith(_ITEMS_FAULT)


@contextmanager
def told_after(seconds: float, what: str) -> Iterator[None]:
    """Warn in the log when the body takes longer than a number of seconds."""
    timer = threading.Timer(seconds, logger.warning, ("%s within %.0f s; still waiting", what, seconds))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
