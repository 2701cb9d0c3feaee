"""Packets of topics between two times: read from the start of the range to its end, outside of any group, so that nothing is committed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from broker_adapters.errors import SourceError, Unavailable
from broker_adapters.sources.archives import Packet

#: Seconds that the broker may take to answer, and to send the next message; messages at a time; seconds by which the times of messages may
#: be out of order at the end of the range.
_ASK, _SILENT, _AT_ONCE, _DISORDER = 20.0, 60.0, 16, 600.0


def packets(
    servers: str, topics: Sequence[str], since: float, until: float | None = None, config: Mapping[str, Any] | None = None
) -> Iterator[Packet]:
    """Yield the messages of topics that were written from ``since`` to ``until`` (seconds of the epoch; None: what is there now).

    The broker's own index of times says where to start; the time of each message decides.

    Raises
    ------
    SourceError
        A property is unknown, or a topic is not there; Unavailable if the broker cannot be reached, or falls silent.
    """
    settings = {
        **(config or {}),
        "bootstrap.servers": servers,
        "group.id": "no group",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
    try:
        consumer = Consumer(settings)
    except (KafkaException, TypeError, ValueError) as error:
        raise SourceError(f"Kafka at {servers}: {error}") from error
    try:
        yield from _range(consumer, _starts(consumer, topics, since), since, until)
    except KafkaException as error:
        raise Unavailable(f"Kafka at {servers}: {error}") from error
    finally:
        consumer.close()


def _starts(consumer: Consumer, topics: Sequence[str], since: float) -> list[TopicPartition]:
    """Where the range begins in each partition."""
    places = []
    for topic in topics:
        known = consumer.list_topics(topic, timeout=_ASK).topics[topic]
        if known.error is not None:
            raise SourceError(f"topic {topic}: {known.error.str()}")
        places += [TopicPartition(topic, partition, int(1000 * since)) for partition in known.partitions]
    starts: list[TopicPartition] = consumer.offsets_for_times(places, timeout=_ASK)
    return starts


def _range(consumer: Consumer, starts: Sequence[TopicPartition], since: float, until: float | None) -> Iterator[Packet]:
    consumer.assign(list(starts))
    left, heard = {(one.topic, one.partition) for one in starts}, time.monotonic()
    while left:
        messages = consumer.consume(_AT_ONCE, 1.0)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENT:
            raise Unavailable(f"Kafka has sent nothing for {_SILENT:.0f} s, though {len(left)} partitions have not ended")
        for message in messages:
            key = (message.topic(), message.partition())
            if message.error() is not None:
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(message.error())
                left.discard(key)
                continue
            written = message.timestamp()[1] / 1000.0
            if until is not None and written >= until + _DISORDER:
                left.discard(key)
            if key in left and since <= written and (until is None or written < until):
                yield Packet(key[0], f"{key[1]}:{message.offset()}", message.value() or b"")
