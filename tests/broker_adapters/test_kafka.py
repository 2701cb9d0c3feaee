import time
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, TopicPartition

from broker_adapters.errors import SourceError, Unauthorized, Unavailable
from broker_adapters.sources import kafka
from broker_adapters.sources.kafka import Consumer
from tests.kafka import QUICK


@pytest.fixture
def topic():
    return f"lasair_{uuid4().hex}"


def fill(cluster, topic, values, partition=0):
    for value in values:
        cluster[0].produce(topic, value, partition=partition)
    assert cluster[0].flush(10) == 0


def drain(consumer, n, seconds=20.0):
    """Poll until n packets came or time is up, without a commit in between."""
    end = time.monotonic() + seconds
    packets = []
    while len(packets) < n and time.monotonic() < end:
        packets = consumer.poll(n, 0.3) or packets
    return packets


def test_packets_come_in_order_with_their_place(cluster, topic):
    fill(cluster, topic, [b"a", b"b", None])
    with Consumer(cluster[1], "g1", [topic], QUICK) as consumer:
        packets = drain(consumer, 3)
    assert [(p.source, p.position, p.data) for p in packets] == [(topic, "0:0", b"a"), (topic, "0:1", b"b"), (topic, "0:2", b"")]


def test_what_was_not_committed_comes_again_and_what_was_does_not(cluster, topic):
    fill(cluster, topic, [b"%d" % i for i in range(5)])
    with Consumer(cluster[1], "g2", [topic], QUICK) as consumer:
        assert [p.data for p in drain(consumer, 2)] == [b"0", b"1"]
        assert [p.data for p in drain(consumer, 2)] == [b"0", b"1"]  # nobody said that they are stored
        consumer.commit()
        assert [p.data for p in drain(consumer, 2)] == [b"2", b"3"]
    with Consumer(cluster[1], "g2", [topic], QUICK) as another:
        assert [p.data for p in drain(another, 3)] == [b"2", b"3", b"4"]
        another.commit()
        another.commit()
        assert another.poll(1, 0.2) == []


def test_what_is_worked_on_is_committed_batch_by_batch(cluster, topic):
    fill(cluster, topic, [b"%d" % i for i in range(6)])
    with Consumer(cluster[1], "g3", [topic], QUICK) as consumer:
        first = drain(consumer, 2)
        second = consumer.poll(2, 5.0, ahead=True)
        assert [p.data for p in first + second] == [b"0", b"1", b"2", b"3"]
        consumer.commit(first)
        consumer.hold(0.2)
        assert [p.data for p in drain(consumer, 2)] == [b"2", b"3"], "what was polled ahead and not committed comes again"
        consumer.commit(second)
        consumer.commit(second)
    with Consumer(cluster[1], "g3", [topic], QUICK) as another:
        assert [p.data for p in drain(another, 2)] == [b"4", b"5"]


def test_a_topic_that_does_not_exist_yet_is_waited_for(cluster, topic):
    with Consumer(cluster[1], "g4", [topic], QUICK) as consumer:
        assert consumer.poll(1, 0.5) == []
        fill(cluster, topic, [b"first of the night"])
        assert [p.data for p in drain(consumer, 1)] == [b"first of the night"]


def test_no_broker_is_unavailable():
    with Consumer("127.0.0.1:9", "g5", ["t"], {"log_level": 0}) as consumer, pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        drain(consumer, 1)


def test_a_closed_consumer_is_unavailable(cluster, topic):
    consumer = Consumer(cluster[1], "g6", [topic], QUICK)
    consumer.close()
    with pytest.raises(Unavailable):
        consumer.poll()


def test_an_impossible_property_is_a_source_error_that_does_not_print_the_others(cluster):
    with pytest.raises(SourceError) as caught:
        Consumer(cluster[1], "g7", ["t"], {"no.such.property": 1, "sasl.password": "hidden"})
    assert "hidden" not in str(caught.value)


def test_offsets_are_never_committed_by_a_timer(monkeypatch):
    given = {}

    class Fake:
        def __init__(self, settings):
            given.update(settings)

        def subscribe(self, *_, **__):
            pass

    monkeypatch.setattr(kafka, "_Consumer", Fake)
    Consumer("x", "g", ["t"], {"enable.auto.commit": True})
    assert given["enable.auto.commit"] is False


class Scripted(Consumer):
    """A consumer to which given errors happen, since a mock cluster cannot refuse anybody."""

    def __init__(self, *errors):
        self._pending, self._error, self._servers = {}, None, "x"
        self._errors = list(errors)
        self._consumer = self

    def consume(self, *_):
        class Message:
            def __init__(self, error):
                self.error = lambda: error

        return [Message(self._errors.pop(0))] if self._errors else []


@pytest.mark.parametrize("code", sorted(kafka._REFUSED))
def test_a_refusal_is_unauthorized(code):
    with pytest.raises(Unauthorized):
        Scripted(KafkaError(code)).poll()


def test_a_fatal_error_is_unavailable_and_end_of_partition_is_nothing():
    with pytest.raises(Unavailable):
        Scripted(KafkaError(KafkaError._FATAL, "fenced", fatal=True)).poll()
    for code in (KafkaError._PARTITION_EOF, *kafka._AWAITED):
        consumer = Scripted(KafkaError(code))
        assert consumer.poll() == []


class Answering(Consumer):
    """A consumer whose client answers as a script says: lists of offsets that arrive, with complaints that come meanwhile."""

    def __init__(self, script):
        self._pending, self._error, self._servers = {}, None, "x"
        self._consumer = self
        self.script = iter(script)

    def consume(self, n, seconds):
        offsets, complaint = next(self.script, ((), None))
        if complaint:
            self._note(KafkaError(complaint[0], complaint[1]))
        return [Delivered(offset) for offset in offsets]

    def seek(self, place):
        """Go back: the script does."""

    def assignment(self):
        return []

    def position(self, places):
        return [TopicPartition("t", 0, 1)]


class Delivered:
    def __init__(self, offset):
        self.offset = lambda: offset
        self.topic, self.partition, self.value, self.error = (lambda: "t"), (lambda: 0), (lambda: b"packet"), (lambda: None)


def test_a_complaint_that_comes_with_the_packet_before_is_not_forgotten():
    large = (KafkaError._BAD_MSG, "Receive failed: increase receive.message.max.bytes")
    consumer = Answering([((0,), large), ((), (KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))])
    assert len(consumer.poll(seconds=0)) == 1
    for _ in range(3):  # also when librdkafka says no more than that it cannot go on
        with pytest.raises(Unavailable, match=r"larger than this consumer may receive.*next: t 0:1"):
            consumer.poll(seconds=0)
    consumer.script = iter([((1,), None)])
    assert len(consumer.poll(seconds=0)) == 1
    assert consumer.poll(seconds=0) == []
