"""``python -m benchmarks.stream.measure OPTIONS``: the figures of one database, as JSON in the last line."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.stream import feeds, tables, work
from broker_adapters.surveys import ztf

CORES = 2
#: Objects in the tables with which the rate is compared.
FEW = 10_000
#: Nights on which the same alerts leave a light row.
NIGHTS = 10
#: Alerts a second while the latency is measured.
PACE = 100.0


class Measure:
    """Measures into ``figures``; each part has objects of its own."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.figures: dict[str, float] = {}
        self._folder, self._first, self._kafka = folder, 0, options["kafka"]
        self.rules = [{"label": "SN", "probability": self._quantile(0.95)}]

    def _quantile(self, share: float) -> float:
        """Probability of a supernova that this share of the alerts does not exceed."""
        from django.test import override_settings

        from tom_alerce.pipeline.prepare import prepare

        with override_settings(TOM_ALERCE={"KEEP": [{"label": "SN", "probability": 2.0}]}):
            passed = prepare(list(feeds.read(self.file(512)))).passed
        return max(float(np.quantile([light.probability if light.label == "SN" else 0.0 for light in passed], share)), 0.2)

    def file(self, n: int, again: int | None = None, later: float = 0.0) -> Path:
        """A file of n packets of new objects, or of those numbered from ``again`` on."""
        first = self._first if again is None else again
        self._first += n if again is None else 0
        return feeds.write(self._folder / f"{first}_{later}", feeds.copies(n, first, later))

    def rate(self, name: str, path: Path, rules: list[dict[str, Any]]) -> None:
        """Alerts per second by the clock and on free cores, and microseconds of processor time of the stages.

        A quarter of the packets goes through the stages one after the other, the others through the stream.
        """
        from django.test import override_settings

        from tom_alerce.pipeline import ingest
        from tom_alerce.pipeline.prepare import prepare

        packets = list(feeds.read(path))
        few = len(packets) // 4
        with override_settings(TOM_ALERCE={"KEEP": rules}):
            prepare(packets[:64])
            prepared = stored = 0.0
            for i in range(0, few, work.BATCH):
                started = time.process_time()
                ready = prepare(packets[i : min(i + work.BATCH, few)])
                between = time.process_time()
                ingest.take(ready, ingest.Report(), lambda ids: None)
                prepared, stored = prepared + between - started, stored + time.process_time() - between
        stages = [1e6 * prepared / few, 1e6 * stored / few]
        rest = packets[few:]
        seconds = self._through_kafka(rest, rules) if self._kafka else work.follow(feeds.Feed(rest), rules, len(rest))
        self.figures[name] = len(rest) / seconds
        self.figures[f"{name}_free"] = 1e6 * min(1.0 / max(stages), CORES / sum(stages))
        self.figures[f"{name}_us_prepare"], self.figures[f"{name}_us_store"] = stages

    def _through_kafka(self, packets: list[Any], rules: list[dict[str, Any]]) -> float:
        topic = feeds.produced(self._kafka, feeds.write(self._folder / "to_kafka", (packet.data for packet in packets)))
        config = {"session.timeout.ms": 6000}
        return work.follow(None, rules, len(packets), {"servers": self._kafka, "group": topic, "topics": [topic], "config": config})

    def workers(self, n: int) -> None:
        """One worker, and two, in processes of their own."""
        one = work.together(self.file(n), 1, self.rules)
        two = work.together(self.file(n), 2, self.rules)
        self.figures |= {"second_worker_gain": one / two, "one_worker_per_s": n / one, "two_workers_per_s": n / two}

    def visit(self, n: int, memory: int) -> None:
        """A visit, and the same alerts over and over."""
        path = self.file(n)
        self.figures["visit_s"] = work.together(path, 1 + (self.figures["second_worker_gain"] > 1.0), self.rules)
        if memory:
            self.figures["memory_growth"] = work.memory_growth(path, memory, self.rules)

    def latency(self, seconds: int) -> None:
        """Seconds from the coming of a packet to its commit, at `PACE`, after the first fifth, in which connections are made."""
        n = int(seconds * PACE)
        feed = feeds.Feed(list(feeds.read(self.file(n))), PACE)
        work.follow(feed, self.rules, n)
        p50, p99 = np.quantile(feed.latencies[n // 5 :], [0.5, 0.99])
        self.figures |= {"latency_p50_s": float(p50), "latency_p99_s": float(p99)}

    def classified(self, n: int) -> None:
        """All kept and classified as objects, in the transaction of their batch, and after it."""
        from tom_alerce.pipeline.classify import OfBatches

        for name in ("first", "classified_alerts_per_s", "classified_after_per_s"):  # the first loads and compiles
            of_batches = OfBatches(every=1e9)
            of_batches.after(())  # the look at everything
            inside: dict[str, Any] = {"inside": of_batches.inside} if name == "classified_alerts_per_s" else {}
            packets = list(feeds.read(self.file(n)))
            started = time.process_time()
            self.figures[name] = n / work.follow(feeds.Feed(packets), [], n, stored=of_batches.after, **inside)
            self.figures[f"{name}_us"] = 1e6 * (time.process_time() - started) / n
        self.figures = {name: value for name, value in self.figures.items() if not name.startswith("first")}


def measure(options: dict[str, Any], folder: Path) -> dict[str, float]:
    """The figures that the options ask for."""
    from django.core.management import call_command
    from django.db import connection, connections

    call_command("migrate", verbosity=0)
    vendor = "postgres" if connection.vendor == "postgresql" else connection.vendor
    n = options["alerts"]
    m = Measure(folder, options)
    m.rate(f"alerts_per_s_{vendor}", m.file(n), m.rules)
    m.figures["kept"] = tables.stored() / n
    before = tables.disk()
    m.rate(f"alerts_per_s_{vendor}_all", m.file(n), [])
    between = tables.disk()
    light = tables.light_rows(feeds.read(m.file(n)), NIGHTS)
    m.figures |= {"bytes_per_alert_kept": (between - before) / n, "bytes_per_alert_seen": (tables.disk() - between) / light}
    if options["targets"]:
        again = m.file(options["targets"])
        m.rate("new_alerts_per_s", again, [])
        tables.promote([ztf.read(packet.data, history=False).object_id for packet in feeds.read(again)])
        m.rate("targets_alerts_per_s", m.file(options["targets"], int(again.name.partition("_")[0]), 1.0), [])
    if options["visit"]:
        m.workers(n)
        m.visit(options["visit"], options["memory"])
    if options["seconds"]:
        m.latency(options["seconds"])
    if options["classified"]:
        m.classified(options["classified"])
    if options["objects"]:
        tables.fill(FEW, 0)
        m.rate("alerts_per_s_10k", m.file(n), [])
        tables.fill(options["objects"] - FEW, FEW)
        m.rate("alerts_per_s_1m", m.file(n), [])
    connections.close_all()
    return m.figures


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as where:
        os.environ["TOM_ALERCE_DEMO_DATA"] = where
        work.setup()
        print(json.dumps(measure(json.loads(sys.argv[1]), Path(where))))
