"""Workers of a stream tell what they do and where their partitions stand, and dead letters the batch that brought them."""

from __future__ import annotations

import logging
from uuid import uuid4

import pytest
from django.db import OperationalError

from broker_adapters.sources.kafka import Consumer
from tests.kafka import QUICK
from tom_alerce.models import DeadLetter, StreamPartition, StreamWorker
from tom_alerce.pipeline import beats, stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def night(cluster, settings, monkeypatch):
    """A stream 'night' with five packets that none can read, in two partitions; pauses are short."""
    producer, servers = cluster
    topic = f"beats_{uuid4().hex}"
    for i in range(5):
        producer.produce(topic, b"no packet %d" % i, partition=i % 2)
    assert producer.flush(10) == 0
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": servers, "group": uuid4().hex, "topics": [topic], "config": QUICK}}}
    monkeypatch.setattr(stream, "WAIT", 0.3)
    monkeypatch.setattr(stream, "PAUSE", 0.05)
    monkeypatch.setattr(beats, "SOON", 0.0)
    monkeypatch.setattr(beats, "SELDOM", 0.0)
    return topic


def until(n):
    """What stops a stream after n packets: the function that is told of progress, and the stop."""
    stop, done = stream.Stop(), [0]

    def progress(more):
        done[0] += more
        if done[0] >= n:
            stop()

    return {"progress": progress, "stop": stop}


def test_a_worker_tells_what_it_has_done_and_where_it_stands(night, caplog):
    caplog.set_level(logging.INFO, "tom_alerce")
    assert stream.follow("night", **until(5)).refused == 5
    (worker,) = StreamWorker.objects.all()
    assert (worker.stream, worker.packets, worker.refused, worker.kept, worker.problem) == ("night", 5, 5, 0, "")
    assert worker.started < worker.batched <= worker.beat
    assert worker.ended is not None
    assert worker.batch in {letter.batch for letter in DeadLetter.objects.all()}
    assert "packets stored and committed" in caplog.text
    rows = {row.partition: row for row in StreamPartition.objects.all() if row.end}
    assert {key: (row.topic, row.offset, row.end, row.lag) for key, row in rows.items()} == {0: (night, 3, 3, 0), 1: (night, 2, 2, 0)}
    assert not any(row.waits for row in rows.values())


def test_a_packet_that_waits_is_the_lag(night, cluster, settings):
    with Consumer(**settings.TOM_ALERCE["STREAMS"]["night"]) as consumer:
        got = []
        for _ in range(40):
            got += consumer.poll(1, 0.3, ahead=True)
            if len(got) >= 4:
                break
        consumer.commit(got[:1])
        places = consumer.places()
    assert sum(place.end - place.offset for place in places) == 4
    assert sorted((place.topic, place.end) for place in places if place.end) == [(night, 2), (night, 3)]


def test_a_worker_in_trouble_tells_why(night, monkeypatch):
    stop = stream.Stop()
    told = []
    beat = beats.store.beat

    def noted(worker, *rows):
        told.append(worker.problem)
        beat(worker, *rows)

    def away(*_):
        if any("away" in problem for problem in told):
            stop()
        raise OperationalError("the database is away")

    monkeypatch.setattr(beats.store, "beat", noted)
    monkeypatch.setattr(stream.ingest.dead_letters, "save", away)
    stream.follow("night", stop=stop)
    assert StreamWorker.objects.get().problem == "the database is away"
    assert StreamWorker.objects.get().packets == 0
    since = {row.partition: row.waits for row in StreamPartition.objects.filter(waits__isnull=False)}
    assert since
    monkeypatch.setattr(stream.ingest.dead_letters, "save", away)
    stream.follow("night", stop=stop)  # which was requested already: another worker that achieves nothing
    assert {row.partition: row.waits for row in StreamPartition.objects.filter(partition__in=since)} == since


def test_a_database_that_takes_no_sign_of_life_stops_nothing(night, monkeypatch):
    def away(*_):
        raise OperationalError("away")

    monkeypatch.setattr(beats.store, "beat", away)
    report = stream.follow("night", **until(5))
    assert (report.refused, report.problem) == (5, None)
