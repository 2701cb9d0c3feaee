"""Simulated packets into a folder and into Kafka."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from django.core.management import CommandError, call_command

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.packets import read
from broker_adapters.sources.producer import Producer
from classifiers.simulate import stream
from tests.classifiers.test_simulate_stream import GOLDEN
from tests.kafka import QUICK
from tom_alerce.clock import now


@pytest.fixture(autouse=True)
def _golden(monkeypatch):
    monkeypatch.setattr(stream, "originals", lambda survey, *_: [stream.original(survey, GOLDEN[survey].read_bytes())])


def simulate(*args):
    out = io.StringIO()
    call_command("alerce_simulate", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_into_a_folder(db, tmp_path):
    assert "3 packets of lsst" in simulate("--out", str(tmp_path / "night"), "--survey", "lsst", "--count", "3", "--rate", "1000")
    alerts = [read(path.read_bytes()) for path in sorted((tmp_path / "night").iterdir())]
    assert len({a.object_id for a in alerts}) == 3
    assert all(abs(a.mjd - now()) < 0.01 for a in alerts)


def test_into_the_topic_of_a_stream(db, settings, cluster):
    _, servers = cluster
    topic = f"simulated_{uuid4().hex}"
    settings.TOM_ALERCE = {"STREAMS": {"night": {"servers": servers, "group": "g", "topics": [topic], "config": QUICK}}}
    assert "5 packets of ztf" in simulate("--stream", "night", "--count", "5", "--rate", "1000", "--objects", "2")
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "g", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, p, 0) for p in range(4)])
    found = [read(m.value()) for m in consumer.consume(5, 10.0)]
    consumer.close()
    assert (len(found), len({a.object_id for a in found}), len({a.source_id for a in found})) == (5, 2, 5)


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--servers", "a:1"], "--servers needs --topic"),
        (["--stream", "day"], "no stream 'day' .* which has: none"),
        (["--out", "/dev/null/x"], "Not a directory"),
    ],
)
def test_what_cannot_be_written_is_told(db, args, reason):
    with pytest.raises(CommandError, match=reason):
        simulate("--count", "1", *args)


def test_a_message_that_does_not_arrive_is_an_error():
    with pytest.raises(Unavailable, match=r"Kafka at 127\.0\.0\.1:9"), Producer("127.0.0.1:9", "t", {"log_level": 0}, 0.2) as producer:
        producer.send(b"x")
    with pytest.raises(SourceError, match="Kafka at"):
        Producer("127.0.0.1:9", "t", {"security.protocol": "none"})
