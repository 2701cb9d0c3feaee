"""Where packets come from: a file of them, at once or at a rate, in the place of Kafka; or Kafka."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

from benchmarks.stamp import _packets as real_packets
from broker_adapters.sources.archives import Packet
from broker_adapters.sources.producer import Producer
from broker_adapters.surveys import ztf
from classifiers.simulate import stream

_SIZE = struct.Struct("<I")


@lru_cache
def _originals() -> list[tuple[stream.Original, float]]:
    """What is in different packets, and the times of their alerts."""
    return [(stream.original("ztf", data), ztf.read(data, history=False).mjd) for data in real_packets()]


def copies(n: int, first: int = 0, later: float = 0.0) -> Iterator[bytes]:
    """Packets of n objects of their own, numbered from ``first``; some days ``later`` the alert alone is new, not its history."""
    known = _originals()
    for i in range(n):
        one, mjd = known[i % len(known)]
        yield stream.copy(one, first + i, mjd + later, round(later), mjd)


def write(path: Path, packets: Iterable[bytes]) -> Path:
    """Write packets to a file."""
    with path.open("wb") as file:
        for packet in packets:
            file.write(_SIZE.pack(len(packet)) + packet)
    return path


def read(path: Path) -> Iterator[Packet]:
    """Packets of a file, of which one at a time is in memory."""
    with path.open("rb") as file:
        while start := file.read(_SIZE.size):
            yield Packet(path.name, f"0:{file.tell()}", file.read(_SIZE.unpack(start)[0]))


def share(path: Path, part: int, parts: int, total: int | None = None) -> Iterator[Packet]:
    """Every so-manieth packet of a file, over and over until there were ``total``."""
    if total is None:
        return islice(read(path), part, None, parts)
    return islice((packet for again in cycle([path]) for packet in read(again)), total)


class Feed:
    """What `broker_adapters.sources.kafka.Consumer` is to a stream, without a broker; with a rate, packets come as time passes.

    ``latencies`` are the seconds between the coming of each packet and its commit.
    """

    def __init__(self, packets: Iterable[Packet], rate: float | None = None) -> None:
        self._packets, self._rate = iter(packets), rate
        self._came = self._done = 0
        self._began = time.monotonic()
        self.latencies: list[float] = []
        self.ended = False

    def __enter__(self) -> Feed:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def poll(self, n: int, seconds: float, most: int, *, ahead: bool) -> list[Packet]:
        """The next packets; at a rate, those that have come."""
        if self._rate is not None:
            due = int((time.monotonic() - self._began) * self._rate) - self._came
            if due < 1:
                time.sleep(min(seconds, 1.0 / self._rate))
            n = max(min(n, due), 0)
        batch = list(islice(self._packets, n))
        self.ended = self.ended or len(batch) < n
        self._came += len(batch)
        return batch

    def commit(self, packets: Sequence[Packet]) -> None:
        """Note when these were committed."""
        if self._rate is not None:
            now = time.monotonic() - self._began
            self.latencies += [now - (self._done + i) / self._rate for i in range(len(packets))]
        self._done += len(packets)

    def places(self) -> list[object]:
        """It has no partitions."""
        return []


def produced(servers: str, path: Path) -> str:
    """The topic of a new name into which the packets of a file were written."""
    topic = f"benchmark_{uuid4().hex}"
    with Producer(servers, topic) as producer:
        for packet in read(path):
            producer.send(packet.data)
    return topic
