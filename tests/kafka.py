"""A Kafka to test against, and what makes a consumer of it quick."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

QUICK = {"topic.metadata.refresh.interval.ms": 200, "session.timeout.ms": 6000, "heartbeat.interval.ms": 200, "log_level": 0}


@contextmanager
def mock_cluster() -> Iterator[tuple[Producer, str]]:
    """A producer and the servers of librdkafka's own mock cluster: real listeners on loopback, as long as the producer lives."""
    producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = producer.list_topics(timeout=10).brokers.values()
    yield producer, f"{broker.host}:{broker.port}"
    producer.flush(5)
