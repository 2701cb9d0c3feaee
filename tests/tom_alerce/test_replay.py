"""Archives, and ranges of a stream, go the way of a stream: what a rule keeps, and of all else a light row."""

from __future__ import annotations

import io
import tarfile
import time
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from dask import distributed
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.sources import kafka_range
from classifiers.simulate import stream as simulated
from tests.classifiers.test_simulate_stream import GOLDEN, NOW
from tests.kafka import QUICK
from tests.tom_alerce.alerts import counts
from tom_alerce.clock import now
from tom_alerce.models import Classification, DeadLetter, PassedAlert, SurveyObject
from tom_alerce.pipeline import replay
from tom_alerce.store import alerts as store

N = 12
RULES = {"KEEP": [{"regions": [[0.0, 0.0, 90.0]]}], "BATCH": 5, "CLASSIFIERS": []}


def packets(n=N):
    one = simulated.original("ztf", GOLDEN["ztf"].read_bytes())
    return [simulated.copy(one, i, NOW + 0.001 * i) for i in range(n)]


@pytest.fixture
def night(tmp_path, settings):
    """A folder with half of a night in an archive and half as files; a rule keeps those on one side of the sky."""
    settings.TOM_ALERCE = RULES
    data = packets()
    with tarfile.open(tmp_path / "ztf_public_1.tar.gz", "w:gz") as archive:
        for i, one in enumerate(data[: N // 2]):
            member = tarfile.TarInfo(f"{i}.avro")
            member.size = len(one)
            archive.addfile(member, io.BytesIO(one))
    for i, one in enumerate(data[N // 2 :]):
        (tmp_path / f"{i}.avro").write_bytes(one)
    return tmp_path


def run(*args):
    out = io.StringIO()
    call_command("alerce_replay", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def stored():
    return SurveyObject.objects.count(), PassedAlert.objects.count()


def of_alerts():
    """Rows of every table but those of what commands did, and of what objects are like now."""
    return {table: n for table, n in counts().items() if table not in ("Run", "Traits")}


def test_a_folder_is_kept_by_rule_and_adds_nothing_again(db, night):
    text = run(str(night))
    kept, passed = stored()
    assert kept + passed == N
    assert kept
    assert passed
    assert f"read {kept} ztf; not kept: {passed} (regions)" in text
    before = of_alerts()
    run(str(night), "--classify")
    assert of_alerts() == before
    assert not Classification.objects.exists()


def test_it_ends_where_it_is_told_to(db, night):
    run(str(night), "--limit", "3")
    assert sum(stored()) == 3


def test_a_source_that_cannot_be_read_is_told_after_the_rest(db, night):
    with pytest.raises(CommandError, match="no such file"):
        run(str(night), str(night / "gone"))
    assert sum(stored()) == N


def test_a_batch_that_fails_is_tried_again_and_then_taken_apart(db, night, monkeypatch):
    save, left = store.save, [OperationalError("away")]

    def failing(alerts):
        if left:
            raise left.pop()
        if any(a.object_id.endswith("b") for a in alerts):
            raise KeyError("a mistake")
        return save(alerts)

    monkeypatch.setattr(store, "save", failing)
    monkeypatch.setattr(replay, "PAUSE", 0.01)
    run(str(night))
    assert DeadLetter.objects.count() == N - sum(stored())


def test_a_database_that_stays_away_ends_it(db, night, monkeypatch):
    def away(alerts):
        raise OperationalError("away")

    monkeypatch.setattr(store, "save", away)
    monkeypatch.setattr(replay, "PAUSE", 0.01)
    with pytest.raises(OperationalError):
        run(str(night))


@pytest.fixture
def topic(cluster, settings):
    producer, servers = cluster
    topic = f"past_{uuid4().hex}"
    for i, data in enumerate(packets()):
        producer.produce(topic, data, partition=i % 3, timestamp=int(1000 * (time.time() - 60 * (N - i))))
    assert producer.flush(10) == 0
    given = {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": QUICK}
    settings.TOM_ALERCE = {**RULES, "STREAMS": {"night": given}}
    return given


class WithoutTimes(Consumer):
    """A mock cluster has no index of times: the range is looked for from the start, as where the index is wrong."""

    def offsets_for_times(self, places, timeout):
        return [TopicPartition(one.topic, one.partition, 0) for one in places]


def test_a_range_of_a_stream(db, topic, monkeypatch):
    monkeypatch.setattr(kafka_range, "Consumer", WithoutTimes)
    minute = 1.0 / 1440.0
    run("--stream", "night", "--since", str(now() - 8.5 * minute), "--until", str(now() - 4.5 * minute))
    assert sum(stored()) == 4
    run("--stream", "night", "--since", str(now() - 1.0))
    assert sum(stored()) == N


def test_a_range_that_cannot_be_read(topic, monkeypatch):
    with pytest.raises(SourceError, match="topic nothing_here"):
        list(kafka_range.packets(topic["servers"], ["nothing_here"], 0.0, None, {"allow.auto.create.topics": False}))
    monkeypatch.setattr(kafka_range, "_ASK", 0.2)
    with pytest.raises(Unavailable, match=r"Kafka at 127\.0\.0\.1:9"):
        list(kafka_range.packets("127.0.0.1:9", ["t"], 0.0, None, {"log_level": 0}))


@pytest.mark.parametrize("args", [[], ["--stream", "night"], ["x", "--stream", "night"], ["--stream", "no", "--since", "60000"]])
def test_what_makes_no_sense_is_told(db, args):
    with pytest.raises(CommandError, match=r"give paths|no stream"):
        run(*args)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="a worker is a process, which does not see SQLite's tables in memory")
def test_the_workers_of_a_cluster_take_a_file_each(night, monkeypatch):
    monkeypatch.setattr("distributed.utils._get_ip", lambda *_, **__: "127.0.0.1")  # it would connect to the outside to learn of it
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=":0"
    ) as cluster:
        text = run(str(night), "--dask", cluster.scheduler_address)
    assert sum(stored()) == N
    assert f"read {stored()[0]} ztf" in text


def test_a_cluster_that_is_not_there(db, night):
    with pytest.raises(CommandError, match="Dask at"):
        run(str(night), "--dask", "nowhere")
