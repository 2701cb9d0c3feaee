"""Packets and messages, each with the alert that is in it or with what is wrong with it: the boundary of reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from broker_adapters import packets as adapters
from broker_adapters import values
from broker_adapters.errors import PacketError, Unplaced
from broker_adapters.records import Alert
from broker_adapters.sources.archives import Packet, Unreadable
from tom_alerce.store.awaited import Named
from tom_alerce.store.dead_letters import Refused

#: Is called with the number of packets, or of alerts, that are done.
Progress = Callable[[int], object]


class Item(NamedTuple):
    """An alert with the packet that it came in, or what became of a packet that could not be read."""

    packet: Packet
    alert: Alert | None = None
    refused: Refused | Named | None = None

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, nearly."""
        if self.alert is None:
            return len(self.refused.data or b"") if isinstance(self.refused, Refused) else 0
        stamps = self.alert.cutouts
        images = (stamps.science, stamps.template, stamps.difference) if stamps is not None else ()
        return len(self.packet.data) + self.alert.detections.nbytes + sum(map(len, filter(None, images)))


def read(packet: Packet, *, history: bool = True) -> Item:
    """What is in a packet; with ``history`` False without what came before the alert."""
    try:
        if isinstance(packet, Unreadable):
            raise PacketError(packet.reason)
        alert = adapters.read(packet.data) if history else adapters.read(packet.data, history=False)
        return Item(packet, values.checked(alert))
    except Unplaced as error:
        return Item(packet, refused=Named(error.survey, error.object_id, packet.source, str(error)))
    except Exception as error:  # noqa: BLE001  # the boundary of reading: whatever is wrong with one packet, the rest is read
        return Item(Packet(packet.source, packet.position, b""), refused=Refused.of(*packet, error))


def given(alert: Alert, source: str) -> Item:
    """An alert that a broker's client has read."""
    packet = Packet(source or alert.broker, alert.object_id, b"")
    try:
        return Item(packet, values.checked(alert))
    except PacketError as error:
        return Item(packet, refused=Refused.of(*packet, error))
