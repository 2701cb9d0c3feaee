"""Workers and their connections to the database are killed at random: every alert is stored exactly once, and none is lost."""

from __future__ import annotations

import io
import multiprocessing
import random
import time
from functools import cache
from pathlib import Path
from uuid import uuid4

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition
from django.db import connection

from tests.kafka import QUICK
from tests.tom_alerce import stream_worker
from tom_alerce.models import DeadLetter, Detection, PassedAlert, SkyObject, SurveyObject

GOLDEN = Path(__file__).parents[1] / "data/ztf/4.02/history.avro"
OBJECTS, VISITS, WORKERS, PARTITIONS, TURNS, DEADLINE = 80, 4, 3, 4, 12, 120.0


@cache
def golden():
    with GOLDEN.open("rb") as file:
        reader = fastavro.reader(file)
        return reader.writer_schema, next(reader)


def packet(i):
    """A packet of ZTF without a history: visit ``i // OBJECTS`` of an object, every other of which is too faint to be kept."""
    schema, record = golden()
    visit, number = divmod(i, OBJECTS)
    candidate = record["candidate"]
    magnitude, candid = (18.0, 21.0)[number % 2], candidate["candid"] + i
    own = {"ra": 4.0 * number, "dec": 10.0, "jd": candidate["jd"] + visit, "candid": candid, "magpsf": magnitude}
    stream = io.BytesIO()
    content = {
        "objectId": f"ZTF26aaaaa{chr(97 + number // 26)}{chr(97 + number % 26)}",
        "candid": candid,
        "candidate": candidate | own,
        "prv_candidates": None,
        "fp_hists": None,
    }
    fastavro.writer(stream, schema, [record | content])
    return stream.getvalue()


def until(holds, deadline, what):
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Night:
    """A topic, the workers that follow it, and what befalls them."""

    def __init__(self, producer, servers):
        self.producer, self.topic, self.group = producer, f"kills_{uuid4().hex}", uuid4().hex
        self.produced = dict.fromkeys(range(PARTITIONS), 0)
        stream = {"servers": servers, "group": self.group, "topics": [self.topic], "config": QUICK}
        self.settings = {"STREAMS": {"night": stream}, "KEEP": [{"magnitude": 20.0}], "BATCH": 8}
        self.asks = Consumer({"bootstrap.servers": servers, "group.id": self.group, "log_level": 0})
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([stream_worker.__name__])
        self.workers = []

    def start(self):
        """Start a worker; one whose connection is cut before it has found its tables would end, and be started again by whoever runs it."""
        ready = self.context.Event()
        worker = self.context.Process(target=stream_worker.follow, args=(self.settings, ready), daemon=True)
        worker.start()
        self.workers.append(worker)
        assert ready.wait(60)

    def produce(self, alerts):
        for i in alerts:
            partition = i % PARTITIONS
            self.producer.produce(self.topic, packet(i), partition=partition)
            self.produced[partition] += 1
        assert self.producer.flush(10) == 0

    def kill(self, chance):
        worker = self.workers.pop(chance.randrange(len(self.workers)))
        worker.kill()
        worker.join(10)
        worker.close()
        self.start()

    def cut(self, _):
        with connection.cursor() as cursor:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    def is_committed(self):
        places = self.asks.committed([TopicPartition(self.topic, p) for p in self.produced], timeout=10)
        return {place.partition: place.offset for place in places} == self.produced

    def end(self):
        """Ask all workers to stop, and return their exit codes."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.join(10)
        return [worker.exitcode for worker in self.workers]

    def close(self):
        self.asks.close()
        for worker in self.workers:
            worker.kill()
            worker.join(10)
            worker.close()


@pytest.fixture
def night(cluster, monkeypatch):
    monkeypatch.setenv("PGDATABASE", connection.settings_dict["NAME"])
    night = Night(*cluster)
    yield night
    night.close()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests run on SQLite; set TOM_ALERCE_POSTGRESQL")
def test_every_alert_is_stored_exactly_once(night):
    """Kills of workers in the midst of a batch, and of all connections; then SIGTERM, which ends each worker within 10 seconds."""
    chance, alerts, deadline = random.Random(0), list(range(OBJECTS * VISITS)), time.monotonic() + DEADLINE
    alerts += chance.sample(alerts, len(alerts) // 3)  # repeats
    chance.shuffle(alerts)
    night.produce(alerts[::TURNS])
    for _ in range(WORKERS):
        night.start()
    until(Detection.objects.exists, deadline, "no worker has stored anything")
    assert not DeadLetter.objects.exists()
    for turn in range(1, TURNS):
        night.produce(alerts[turn::TURNS])
        time.sleep(chance.uniform(0.0, 0.4))
        (night.kill if turn % 3 == 0 else night.cut)(chance)
    until(night.is_committed, deadline, "not everything is committed")
    assert night.end() == [0] * WORKERS
    kept, light = (Detection.objects, PassedAlert.objects)
    assert (kept.count(), light.count()) == (OBJECTS * VISITS // 2, OBJECTS * VISITS // 2)
    assert SurveyObject.objects.count() == SkyObject.objects.count() == OBJECTS // 2
    assert set(SurveyObject.objects.values_list("n_detections", flat=True)) == {VISITS}
    assert not DeadLetter.objects.exists()
