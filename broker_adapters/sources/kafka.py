"""Packets from Kafka: one consumer of a group, which delivers again whatever was not committed.

The offsets are committed by the caller once the packets are stored, never by a timer, so that a packet is delivered at least once
whatever dies in between. A topic that does not exist yet is no error: tonight's topic appears with tonight's first message.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Consumer as _Consumer
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from broker_adapters.errors import SourceError, Unauthorized, Unavailable
from broker_adapters.sources.archives import Packet

logger = logging.getLogger(__name__)

#: Not there yet.
_AWAITED = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})
_REFUSED = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
#: librdkafka recovers from these by itself; they are raised, and the caller polls again.
_PASSING = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})


class Consumer:
    """One member of a consumer group; a context manager.

    Parameters
    ----------
    servers : str
        ``host:port``, with commas between several.
    group : str
        Keep it constant: the offsets belong to it.
    topics : sequence of str
    config : mapping
        Further properties of librdkafka (``security.protocol``, ``sasl.username``, ...). ``enable.auto.commit`` is always off.

    Raises
    ------
    SourceError
        A property is unknown or impossible.
    """

    def __init__(self, servers: str, group: str, topics: Sequence[str], config: Mapping[str, Any] | None = None) -> None:
        self._pending: dict[tuple[str, int], tuple[int, int]] = {}  # (topic, partition) -> first and next offset that is not committed
        self._error: KafkaError | None = None
        settings = {
            "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 60_000,  # a topic that is new is seen within a minute
            "max.poll.interval.ms": 900_000,  # a batch may be classified at leisure
            **(config or {}),
            "bootstrap.servers": servers,
            "group.id": group,
            "enable.auto.commit": False,
            "error_cb": self._note,
        }
        try:
            self._consumer = _Consumer(settings)
            self._consumer.subscribe(list(topics), on_revoke=self._forget, on_lost=self._forget)
        except (KafkaException, TypeError, ValueError) as error:
            raise SourceError(f"Kafka at {servers}: {error}") from error
        self._servers = servers

    def poll(self, n: int = 500, seconds: float = 1.0) -> list[Packet]:
        """Return at most n packets, after a wait of at most ``seconds``; the list may be empty.

        Packets of earlier calls that were not committed are delivered again. The position of a packet is ``partition:offset``.

        Raises
        ------
        Unauthorized
            The broker refuses us, or this topic to us.
        Unavailable
            No broker can be reached, or the consumer is beyond recovery; in the first case polling again may succeed.
        """
        self._rewind()
        try:
            messages = self._consumer.consume(n, seconds)
        except (KafkaException, RuntimeError) as error:
            raise Unavailable(f"Kafka at {self._servers}: {error}") from error
        packets = []
        for message in messages:
            if message.error() is not None:
                self._note(message.error())
                continue
            key, offset = (message.topic(), message.partition()), message.offset()
            first, _ = self._pending.get(key, (offset, offset))
            self._pending[key] = (first, offset + 1)
            packets.append(Packet(message.topic(), f"{message.partition()}:{offset}", message.value() or b""))
        if not packets:
            self._raise()
        return packets

    def commit(self) -> None:
        """Commit the offsets of everything that was polled.

        Raises
        ------
        Unavailable
            The commit did not reach the broker; what was polled will be delivered again, here or to another member of the group.
        """
        offsets = [TopicPartition(topic, partition, after) for (topic, partition), (_, after) in self._pending.items()]
        if not offsets:
            return
        try:
            results = self._consumer.commit(offsets=offsets, asynchronous=False)
        except (KafkaException, RuntimeError) as error:
            raise Unavailable(f"Kafka at {self._servers}, commit: {error}") from error
        failed = [str(result.error) for result in results if result.error is not None]
        if failed:
            raise Unavailable(f"Kafka at {self._servers}, commit: {failed[0]}")
        self._pending.clear()

    def close(self) -> None:
        """Leave the group; what was not committed goes to another member."""
        self._consumer.close()

    def __enter__(self) -> Consumer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rewind(self) -> None:
        """Go back to the first packet that was delivered and not committed."""
        for (topic, partition), (first, _) in self._pending.items():
            try:
                self._consumer.seek(TopicPartition(topic, partition, first))
            except KafkaException as error:
                raise Unavailable(f"Kafka at {self._servers}: {error}") from error
        self._pending.clear()

    def _forget(self, _: _Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Partitions were given to another member, which starts where the offsets were committed."""
        for one in partitions:
            self._pending.pop((one.topic, one.partition), None)

    def _note(self, error: KafkaError) -> None:
        if error.code() in _AWAITED:
            logger.debug("Kafka at %s: %s", self._servers, error.str())
        elif error.code() != KafkaError._PARTITION_EOF:
            self._error = error

    def _raise(self) -> None:
        """The latest error, if there was one, once there are no more packets to deliver before it."""
        error, self._error = self._error, None
        if error is None:
            return
        message = f"Kafka at {self._servers}: {error.str()}"
        if error.code() in _REFUSED:
            raise Unauthorized(message)
        if error.fatal() or error.code() in _PASSING:
            raise Unavailable(message)
        logger.warning("%s", message)
