"""A worker: follows a stream in this process, or in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.stream import feeds
from broker_adapters.sources.archives import Packet

#: Alerts in a transaction.
BATCH = 250


def setup() -> None:
    """Load Django with the settings of the environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def warm(packets: Iterable[Packet]) -> None:
    """Load and compile the model."""
    from tom_alerce.pipeline.prepare import prepare

    prepare(list(packets))


def follow(feed: feeds.Feed | None, rules: list[dict[str, Any]], total: int, kafka: dict[str, Any] | None = None, **how: Any) -> float:
    """Follow a stream to its end with these keep rules; seconds. Without a feed from Kafka, whose settings are given."""
    from django.test import override_settings

    from tom_alerce.pipeline import stream

    stop, done = stream.Stop(), 0
    after = how.pop("stored", None)

    def progress(n: int) -> None:
        nonlocal done
        done += n
        if done >= total and after is None:
            stop()

    def stored(ids: frozenset[int]) -> None:
        if after is not None:
            after(ids)
            if done >= total:  # not before: what follows a batch is not begun after the request
                stop()

    consumer = stream.consumer
    if feed is not None:
        stream.consumer = lambda name: feed  # type: ignore[assignment,return-value]
    try:
        with override_settings(TOM_ALERCE={"KEEP": rules, "STREAMS": {"all": kafka or {}}, "BATCH": BATCH}):
            started = time.monotonic()
            report = stream.follow("all", stop=stop, progress=progress, stored=stored, **how)
            if report.problem or report.refused:
                raise RuntimeError(str(report))
            return time.monotonic() - started
    finally:
        stream.consumer = consumer


def _one(path: Path, part: int, parts: int, rules: list[dict[str, Any]], barrier: Any, times: Any) -> None:
    """A worker that follows its share of a file, when all are ready."""
    setup()
    from django.test import override_settings

    with override_settings(TOM_ALERCE={"KEEP": rules}):
        warm(islice(feeds.read(path), 64))
    total = sum(1 for _ in feeds.share(path, part, parts))
    barrier.wait()
    started = time.monotonic()
    follow(feeds.Feed(feeds.share(path, part, parts)), rules, total)
    times.put((started, time.monotonic()))


def together(path: Path, workers: int, rules: list[dict[str, Any]]) -> float:
    """Seconds in which so many workers, in processes of their own, have stored the packets of a file."""
    context = multiprocessing.get_context("spawn")
    barrier, times = context.Barrier(workers), context.Queue()
    running = [context.Process(target=_one, args=(path, i, workers, rules, barrier, times)) for i in range(workers)]
    for process in running:
        process.start()
    found = [times.get(timeout=600) for _ in running]
    for process in running:
        process.join()
    return float(max(end for _, end in found) - min(start for start, _ in found))


def _long(path: Path, total: int, rules: list[dict[str, Any]], memory: Any) -> None:
    """A worker that follows a file over and over, and tells how much memory it holds after a tenth of the alerts, and at the end."""
    setup()
    held: list[float] = []
    follow(feeds.Feed(islice(feeds.read(path), 64)), rules, 64)  # loads the model, too

    def packets() -> Iterable[Packet]:
        for i, packet in enumerate(feeds.share(path, 0, 1, total)):
            if i in (total // 10, total - 1):
                held.append(_resident())
            yield packet

    follow(feeds.Feed(packets()), rules, total)
    memory.put(held)


def memory_growth(path: Path, total: int, rules: list[dict[str, Any]]) -> float:
    """Resident memory of a worker after so many alerts over that after a tenth of them, less 1."""
    context = multiprocessing.get_context("spawn")
    memory = context.Queue()
    process = context.Process(target=_long, args=(path, total, rules, memory))
    process.start()
    first, last = memory.get(timeout=1800)
    process.join()
    return float(last / first - 1.0)


def _resident() -> float:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * float(resource.getpagesize())
