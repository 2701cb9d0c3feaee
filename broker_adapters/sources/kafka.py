"""Packets from Kafka: one consumer of a group, which delivers again whatever was not committed.

The offsets are committed by the caller once the packets are stored, never by a timer, so that a packet is delivered at least once
whatever dies in between. A topic that does not exist yet is no error: tonight's topic appears with tonight's first message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer as _Consumer
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from broker_adapters.errors import SourceError, Unauthorized, Unavailable
from broker_adapters.sources.archives import Packet

logger = logging.getLogger(__name__)

#: Messages that are taken at a time, so that few large ones are in memory together; the property that librdkafka names in its complaint.
_AT_ONCE, _LIMIT = 16, "receive.message.max.bytes"
#: Seconds that a question about committed offsets may take.
_ASK = 5.0
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


class Place(NamedTuple):
    """Where a member of a group stands in a partition: the next offset to be committed, and the next one to be written."""

    topic: str
    partition: int
    offset: int
    end: int


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

    _oversized = ""

    def __init__(self, servers: str, group: str, topics: Sequence[str], config: Mapping[str, Any] | None = None) -> None:
        self._pending: dict[tuple[str, int], tuple[int, int]] = {}  # (topic, partition) -> first and next offset that is not committed
        self._committed: dict[tuple[str, int], int] = {}  # (topic, partition) -> what was committed when it became ours
        self._error: KafkaError | None = None
        settings = {
            "auto.offset.reset": "earliest",
            "topic.metadata.refresh.interval.ms": 60_000,  # a topic that is new is seen within a minute
            "max.poll.interval.ms": 900_000,  # a batch may be classified at leisure
            "partition.assignment.strategy": "cooperative-sticky",  # a new member takes what it needs, and the others go on
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

    def poll(self, n: int = 500, seconds: float = 1.0, most: int = 64 << 20, *, ahead: bool = False) -> list[Packet]:
        """Return at most n packets of little more than ``most`` bytes, after a wait of at most ``seconds``; the list may be empty.

        Packets of earlier calls that were not committed are delivered again, unless ``ahead`` is true: then they are still being worked
        on, and those that follow are returned. The position of a packet is ``partition:offset``.

        Raises
        ------
        Unauthorized
            The broker refuses us, or this topic to us.
        Unavailable
            No broker can be reached, the next message is larger than the consumer may receive, or it is beyond recovery; in the first
            two cases polling again may succeed.
        """
        if not ahead:
            self._rewind()
        stuck, end = self._oversized, time.monotonic() + seconds
        packets: list[Packet] = []
        size, asked = 0, min(n, _AT_ONCE)
        while asked and size < most:
            try:
                messages = self._consumer.consume(asked, max(end - time.monotonic(), 0.0))
            except (KafkaException, RuntimeError) as error:
                raise Unavailable(f"Kafka at {self._servers}: {error}") from error
            packets += filter(None, map(self._packet, messages))
            size = sum(len(packet.data) for packet in packets)
            asked = min(n - len(packets), _AT_ONCE) if len(messages) == asked else 0
        if not packets:
            self._raise()
        elif stuck:  # it goes on; a complaint that came with these packets is about the next one
            self._oversized = ""
        return packets

    def _packet(self, message: Any) -> Packet | None:
        """The packet in a message, from now on pending; None for an error, which is noted."""
        if message.error() is not None:
            self._note(message.error())
            return None
        key, offset = (message.topic(), message.partition()), message.offset()
        first, _ = self._pending.get(key, (offset, offset))
        self._pending[key] = (first, offset + 1)
        return Packet(message.topic(), f"{message.partition()}:{offset}", message.value() or b"")

    def commit(self, packets: Sequence[Packet] | None = None) -> None:
        """Commit the offsets of everything that was polled, or of these packets of one call of `poll`, the earliest that is not committed.

        What belongs to a partition that has gone to another member is left to it.

        Raises
        ------
        Unavailable
            The commit did not reach the broker; what was polled will be delivered again, here or to another member of the group.
        """
        done = {key: after for key, (_, after) in self._pending.items()} if packets is None else self._after(packets)
        offsets = [TopicPartition(*key, after) for key, after in done.items()]
        if not offsets:
            return
        try:
            results = self._consumer.commit(offsets=offsets, asynchronous=False)
        except (KafkaException, RuntimeError) as error:
            raise Unavailable(f"Kafka at {self._servers}, commit: {error}") from error
        failed = [str(result.error) for result in results if result.error is not None]
        if failed:
            raise Unavailable(f"Kafka at {self._servers}, commit: {failed[0]}")
        for key, after in done.items():
            if key in self._pending:
                self._pending[key] = (after, max(after, self._pending[key][1]))
                if after >= self._pending[key][1]:
                    del self._pending[key]

    def _after(self, packets: Sequence[Packet]) -> dict[tuple[str, int], int]:
        """Offset behind these packets of each partition that is still ours."""
        done: dict[tuple[str, int], int] = {}
        for packet in packets:
            partition, offset = map(int, packet.position.split(":"))
            key = (packet.source, partition)
            if key in self._pending:
                done[key] = max(done.get(key, 0), offset + 1)
        return done

    def places(self) -> list[Place]:
        """Where this member stands in each of its partitions, as far as it knows without asking the broker for more than once.

        A partition of which the broker has told nothing yet is left out.

        Raises
        ------
        Unavailable
            The broker was asked and did not answer.
        """
        try:
            ours = self._consumer.assignment()
            new = [one for one in ours if (one.topic, one.partition) not in self._committed]
            if new:
                self._committed |= {(one.topic, one.partition): one.offset for one in self._consumer.committed(new, timeout=_ASK)}
            at = {(one.topic, one.partition): one.offset for one in self._consumer.position(ours)}
            ends = [self._consumer.get_watermark_offsets(one, cached=True) for one in ours]
        except (KafkaException, RuntimeError) as error:
            raise Unavailable(f"Kafka at {self._servers}: {error}") from error
        found = []
        for one, (low, high) in zip(ours, ends, strict=True):
            key = (one.topic, one.partition)
            known = (self._pending.get(key, (-1, -1))[0], at[key], self._committed[key], low)
            offset = next((offset for offset in known if offset >= 0), -1)
            if offset >= 0 and high >= 0:
                found.append(Place(*key, offset, max(offset, high)))
        return found

    def hold(self, seconds: float) -> None:
        """Stay in the group for ``seconds`` without receiving anything: the partitions are paused meanwhile."""
        try:
            ours = self._consumer.assignment()
            self._consumer.pause(ours)
            messages = self._consumer.consume(1, seconds)
            self._consumer.resume([one for one in self._consumer.assignment() if one in ours])
        except (KafkaException, RuntimeError) as error:
            raise Unavailable(f"Kafka at {self._servers}: {error}") from error
        for message in messages:  # an error, or one that came before the pause: it is delivered again
            self._packet(message)

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
            self._committed.pop((one.topic, one.partition), None)

    def _too_large(self, complaint: str) -> str:
        """What to do about a message that this consumer may not receive, with topic, partition and offset of what comes next."""
        try:
            places = self._consumer.position(self._consumer.assignment())
        except (KafkaException, RuntimeError):
            places = []
        following = ", ".join(f"{p.topic} {p.partition}:{p.offset}" for p in places if p.offset >= 0) or "unknown"
        return (
            f"Kafka at {self._servers}: a message is larger than this consumer may receive ({complaint}). Set {_LIMIT} in the config of "
            f"the stream to more than that, or pass the message by committing an offset behind it for the group; next: {following}"
        )

    def _note(self, error: KafkaError) -> None:
        if _LIMIT in error.str():
            if not self._oversized:
                logger.warning("Kafka at %s: %s", self._servers, error.str())
            self._oversized = error.str()
        elif error.code() in _AWAITED:
            logger.debug("Kafka at %s: %s", self._servers, error.str())
        elif error.code() != KafkaError._PARTITION_EOF:
            self._error = error

    def _raise(self) -> None:
        """The latest error, if there was one, once there are no more packets to deliver before it."""
        error, self._error = self._error, None
        if self._oversized:
            raise Unavailable(self._too_large(self._oversized))
        if error is None:
            return
        message = f"Kafka at {self._servers}: {error.str()}"
        if error.code() in _REFUSED:
            raise Unauthorized(message)
        if error.fatal() or error.code() in _PASSING:
            raise Unavailable(message)
        logger.warning("%s", message)
