"""Messages into Kafka: for simulated streams and rehearsals; what surveys and brokers do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka import Producer as _Producer

from broker_adapters.errors import SourceError, Unavailable

#: Beginnings of the properties of a consumer that a producer has as well: how to reach and convince the servers.
_SHARED = ("security.", "sasl.", "ssl.", "log_level", "socket.", "debug")


class Producer:
    """A producer for one topic; a context manager, which ends when all is delivered.

    Parameters
    ----------
    servers, topic : str
    config : mapping
        Properties of librdkafka, such as those of a consumer: those that only a consumer has are left out.
    patience : float
        Seconds that a message may take.

    Raises
    ------
    SourceError
        A property is unknown or impossible.
    """

    def __init__(self, servers: str, topic: str, config: Mapping[str, Any] | None = None, patience: float = 30.0) -> None:
        shared = {name: value for name, value in (config or {}).items() if name.startswith(_SHARED)}
        settings = {**shared, "bootstrap.servers": servers, "message.timeout.ms": int(1000 * patience), "message.max.bytes": 16 << 20}
        try:
            self._producer = _Producer(settings)
        except (KafkaException, TypeError, ValueError) as error:
            raise SourceError(f"Kafka at {servers}: {error}") from error
        self._servers, self._topic, self._patience, self._failed = servers, topic, patience, ""

    def send(self, message: bytes) -> None:
        """Hand a message over; waits while too many are on their way.

        Raises
        ------
        Unavailable
            An earlier message was not delivered, or the topic cannot be written.
        """
        while True:
            try:
                self._producer.produce(self._topic, message, on_delivery=self._told)
                self._producer.poll(0)
                break
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise Unavailable(f"Kafka at {self._servers}: {error}") from error
        self._check()

    def flush(self) -> None:
        """Wait until all messages are delivered; Unavailable if one was not."""
        left = self._producer.flush(self._patience)
        self._check()
        if left:
            raise Unavailable(f"Kafka at {self._servers}: {left} messages were not delivered within {self._patience:.0f} s")

    def _told(self, error: Any, _: Any) -> None:
        if error is not None:
            self._failed = str(error)

    def _check(self) -> None:
        if self._failed:
            raise Unavailable(f"Kafka at {self._servers}: a message was not delivered: {self._failed}")

    def __enter__(self) -> Producer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.flush()
