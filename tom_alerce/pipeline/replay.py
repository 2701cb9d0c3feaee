"""Archives through the path of a stream: keep rules, light rows, one transaction a batch; a thread reads while the batch before is stored.

Reading the same packets again adds nothing, so that a replay that was broken off is begun anew. On a Dask cluster each file is a task of
its own, done by whichever worker is free; the workers need our packages, the settings of the TOM and its database.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, cast

from broker_adapters.errors import SourceError
from broker_adapters.sources import files
from broker_adapters.sources.archives import Packet, records
from tom_alerce import conf
from tom_alerce.pipeline import apart, ingest
from tom_alerce.pipeline.classify import OfBatches
from tom_alerce.pipeline.ingest import Report, Stored
from tom_alerce.pipeline.items import Progress
from tom_alerce.pipeline.prepare import Prepared, prepare
from tom_alerce.store import profiles

logger = logging.getLogger(__name__)

#: Attempts at a batch before it is taken apart, or before a database that is away ends the replay; seconds to the next, doubled each time.
ATTEMPTS, PAUSE = 5, 1.0
#: How often Dask does a file again of which the worker has died.
RETRIES = 3


def replay(
    packets: Iterable[Packet],
    progress: Progress = lambda n: None,
    stored: Stored = ingest.nothing,
    inside: Stored = ingest.nothing,
    going: Callable[[], bool] = lambda: True,
) -> Report:
    """Store packets as a stream would, until there are no more, or ``going`` says no; a source that fails is the report's ``problem``.

    ``inside`` and ``stored`` are called as `tom_alerce.pipeline.stream.follow` does.

    Raises
    ------
    OperationalError, InterfaceError
        The database stays away.
    """
    report = Report()
    with ThreadPoolExecutor(1, "prepare") as thread:
        before: tuple[list[Packet], Future[Prepared]] | None = None
        for batch in chain(_batches(packets, report, going), [[]]):
            following = (batch, thread.submit(prepare, batch, profiles.kept())) if batch else None
            if before is not None:
                _take(*before, report, stored, inside)
                progress(len(before[0]))
            before = following
    return report


def _take(batch: Sequence[Packet], prepared: Future[Prepared], report: Report, stored: Stored, inside: Stored) -> None:
    """Store a batch; where that fails, again after a while, and in the end in parts."""
    for attempt in range(ATTEMPTS):
        try:
            ingest.take(prepare(batch, profiles.kept()) if attempt else prepared.result(), report, stored, inside)
            return
        except Exception as error:
            if attempt == ATTEMPTS - 1 and apart.is_away(error):
                raise
            logger.warning("a batch of %d packets: %s; next attempt in %.0f s", len(batch), error, PAUSE * 2**attempt)
            time.sleep(PAUSE * 2**attempt)
    apart.take(batch, report, stored)


def _batches(packets: Iterable[Packet], report: Report, going: Callable[[], bool]) -> Iterator[list[Packet]]:
    """Lists of packets of one record each, bounded in number and bytes, until their source fails or ends."""
    most, batch, size = conf.get("BATCH"), list[Packet](), 0
    try:
        for packet in (one for whole in packets for one in records(whole)):
            batch.append(packet)
            size += len(packet.data)
            if len(batch) >= most or size >= ingest.BATCH_BYTES:
                yield batch
                batch, size = [], 0
            if not going():
                break
    except SourceError as error:
        report.problem = error
    if batch:
        yield batch


def on_cluster(address: str, paths: Sequence[Path], progress: Progress = lambda n: None, classify: bool = False) -> Report:
    """Replay each of these files on a worker of the Dask cluster at ``address``; what its workers could not do is the report's ``problem``.

    Raises
    ------
    SourceError
        Dask is not installed, or the cluster cannot be reached.
    """
    try:
        from dask import distributed as untyped
    except ImportError as error:
        raise SourceError(f"--dask needs the extra 'scale' of tom-alerce: {error}") from error
    report, distributed = Report(), cast(Any, untyped)
    environment = {"DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "")}
    try:
        client = distributed.Client(address, timeout=20, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SourceError(f"Dask at {address}: {error}") from error
    with client, client.as_current():
        tasks = {client.submit(of_file, str(p), environment, classify, key=f"replay {p}", retries=RETRIES, pure=False): p for p in paths}
        for task in distributed.as_completed(tasks):
            failure = task.exception()
            if failure is None:
                done = task.result()
                report.merge(done)
                progress(done.read.total() + done.passed.total() + done.refused)
            else:
                report.problem = SourceError(f"{tasks[task]}: {failure}")
    return report


def of_file(path: str, environment: Mapping[str, str], classify: bool) -> Report:
    """Replay one file, in a process of a cluster that may not have loaded Django yet."""
    import django
    from django.apps import apps
    from django.db import connections

    if not apps.ready:
        os.environ.update(environment)
        django.setup()
    try:
        return replay(files.packets([path]), **hooks(classify))
    finally:
        connections.close_all()


def hooks(classify: bool) -> dict[str, Any]:
    """What `replay` calls inside and after a batch."""
    if not classify:
        return {}
    of_batches = OfBatches()
    return {"inside": of_batches.inside, "stored": of_batches.after}
