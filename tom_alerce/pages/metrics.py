"""Health as metrics of Prometheus: the facts of the health page, read from the tables when they are asked for.

Whatever a worker counts (packets, kept, passed, refused) is a counter with the worker as a label, which begins anew with each worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tom_alerce.models import StreamWorker
from tom_alerce.store import symptoms
from tom_alerce.store.health import Health

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
#: Counter -> field of a worker and help.
_COUNTED = {
    "alerce_stream_packets": ("packets", "Packets that a worker has committed."),
    "alerce_stream_batches": ("batches", "Batches that a worker has committed."),
    "alerce_stream_kept": ("kept", "Alerts that a worker has stored."),
    "alerce_stream_passed": ("passed", "Alerts that no keep rule kept."),
    "alerce_stream_refused": ("refused", "Packets that became dead letters."),
}


def text(found: Health) -> bytes:
    """All metrics, as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(found))
    return generate_latest(registry)


class _Facts(Collector):
    """The metrics of one scrape."""

    def __init__(self, found: Health) -> None:
        self._found = found

    def describe(self) -> list[Metric]:
        """Nothing before the scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        yield from _of_streams(self._found)
        yield from _of_partitions(self._found)
        yield from _of_workers([worker for stream in self._found.streams for worker in stream.workers])
        yield from _of_runs(self._found)
        yield from _of_pollers(self._found)
        yield from _of_tables(self._found)
        yield GaugeMetricFamily("alerce_symptoms", "Things that are wrong.", value=len(symptoms.of(self._found)))


def _of_streams(found: Health) -> Iterator[Metric]:
    lag = GaugeMetricFamily("alerce_stream_lag", "Packets that wait.", labels=["stream"])
    alive = GaugeMetricFamily("alerce_stream_workers", "Workers that follow.", labels=["stream"])
    rate = GaugeMetricFamily("alerce_stream_packets_per_second", "Rate within the last minute.", labels=["stream"])
    latency = GaugeMetricFamily(
        "alerce_stream_batch_seconds", "Longest batch of the last minute, received to committed.", labels=["stream"]
    )
    last = GaugeMetricFamily("alerce_stream_last_batch_timestamp_seconds", "When a batch was last committed.", labels=["stream"])
    share = GaugeMetricFamily("alerce_stream_kept_share", "Fraction of the alerts that were stored.", labels=["stream"])
    for stream in found.streams:
        lag.add_metric([stream.name], stream.lag)
        alive.add_metric([stream.name], len(stream.alive))
        rate.add_metric([stream.name], stream.rate)
        latency.add_metric([stream.name], stream.latency)
        if stream.batched:
            last.add_metric([stream.name], stream.batched.timestamp())
        if stream.kept_share is not None:
            share.add_metric([stream.name], stream.kept_share)
    yield from (lag, alive, rate, latency, last, share)


def _of_partitions(found: Health) -> Iterator[Metric]:
    labels = ["stream", "topic", "partition"]
    lag = GaugeMetricFamily("alerce_partition_lag", "Packets that wait.", labels=labels)
    offset = GaugeMetricFamily("alerce_partition_offset", "The next offset to be committed.", labels=labels)
    for stream in found.streams:
        for one in stream.partitions:
            lag.add_metric([stream.name, one.topic, str(one.partition)], one.lag)
            offset.add_metric([stream.name, one.topic, str(one.partition)], one.offset)
    yield from (lag, offset)


def _of_workers(workers: Sequence[StreamWorker]) -> Iterator[Metric]:
    labels = ["stream", "worker"]
    beat = GaugeMetricFamily("alerce_worker_beat_timestamp_seconds", "Last sign of life.", labels=labels)
    for one in workers:
        beat.add_metric([one.stream, one.name], one.beat.timestamp())
    yield beat
    for name, (field, told) in _COUNTED.items():
        counter = CounterMetricFamily(name, told, labels=labels)
        for one in workers:
            counter.add_metric([one.stream, one.name], getattr(one, field), created=one.started.timestamp())
        yield counter


def _of_runs(found: Health) -> Iterator[Metric]:
    last = GaugeMetricFamily("alerce_run_last_success_timestamp_seconds", "When a command last succeeded.", labels=["run"])
    seconds = GaugeMetricFamily("alerce_run_seconds", "Duration of its last run.", labels=["run"])
    failed = GaugeMetricFamily("alerce_run_failed", "1 if its last run had a problem.", labels=["run"])
    for run in found.runs:
        if run.succeeded:
            last.add_metric([run.name], run.succeeded.timestamp())
        seconds.add_metric([run.name], run.seconds)
        failed.add_metric([run.name], float(bool(run.problem)))
    yield from (last, seconds, failed)


def _of_pollers(found: Health) -> Iterator[Metric]:
    last = GaugeMetricFamily("alerce_poller_last_success_timestamp_seconds", "When a broker last answered a poller.", labels=["broker"])
    tasks = GaugeMetricFamily("alerce_poller_tasks", "Tasks of a poller that are not over.", labels=["broker", "state"])
    for poller in found.pollers:
        if poller.succeeded:
            last.add_metric([poller.broker], poller.succeeded.timestamp())
        for state, n in poller.tasks.items():
            tasks.add_metric([poller.broker, state], n)
    yield from (last, tasks)


def _of_tables(found: Health) -> Iterator[Metric]:
    yield GaugeMetricFamily("alerce_dead_letters", "Dead letters that are kept.", value=found.letters.all)
    yield GaugeMetricFamily("alerce_dead_letters_last_hour", "Dead letters of the last hour.", value=found.letters.hour)
    yield GaugeMetricFamily("alerce_awaited_objects", "Objects to be fetched from brokers.", value=found.letters.awaited)
    if found.drift:
        yield GaugeMetricFamily("alerce_drifted_quantities", "Quantities that have drifted.", value=len(found.drift.quantities))
    if found.disk:
        yield GaugeMetricFamily("alerce_database_bytes", "Size of the database.", value=found.disk.total)
        tables = GaugeMetricFamily("alerce_table_bytes", "Size of a table with its indexes.", labels=["table"])
        for name, size in found.disk.tables:
            tables.add_metric([name], size)
        yield tables
