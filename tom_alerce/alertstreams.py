"""Our streams in a TOM that runs ``tom_alertstreams`` (``manage.py readstreams``), and its streams' messages in our tables.

The app is not required: nothing but the setting ``ALERT_STREAMS`` names this module. A stream of ours, with all that `alerce_stream` does::

    ALERT_STREAMS = [
        {"NAME": "tom_alerce.alertstreams.AlerceStream", "OPTIONS": {"STREAM": "ztf", "CLASSIFY": True}},
    ]

Packets of surveys, or notices of GCN and IGWN, that come by the app's own streams are stored by the handlers of this module::

    "TOPIC_HANDLERS": {"gcn.notices.einstein_probe.wxt.alert": "tom_alerce.alertstreams.store_notice"}
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from typing import Any, ClassVar

from django.db import close_old_connections
from tom_alertstreams.alertstreams.alertstream import AlertStream

from broker_adapters.sources.archives import Packet
from tom_alerce.pipeline import ingest, notices, replay
from tom_alerce.pipeline import stream as streams

logger = logging.getLogger(__name__)


class AlerceStream(AlertStream):
    """A stream of ``TOM_ALERCE["STREAMS"]`` as one of ``ALERT_STREAMS``.

    ``OPTIONS`` are STREAM, its name; CLASSIFY (False): classify the objects of each batch as it is stored, then promote; and
    TOPIC_HANDLERS, of which ``"*"`` names a function that is called with the keys of the sky objects of each batch that was committed.
    """

    required_keys: ClassVar = ["STREAM"]
    allowed_keys: ClassVar = ["STREAM", "CLASSIFY", "TOPIC_HANDLERS"]
    stream: str
    classify = False
    topic_handlers: ClassVar[dict[str, str]] = {}

    def listen(self, stop: streams.Stop | None = None) -> ingest.Report:
        """Follow the stream for ever, or until ``stop`` is requested."""
        hooks = replay.hooks(self.classify)
        classified, handler = hooks.get("stored", ingest.nothing), self.alert_handler.get("*", ingest.nothing)

        def stored(keys: Collection[int]) -> None:
            classified(keys)
            handler(keys)

        return streams.follow(self.stream, stop=stop, stored=stored, inside=hooks.get("inside", ingest.nothing))


def store_packet(alert: Any, metadata: Any = None) -> ingest.Report:
    """Store a packet of any survey, or a message of any broker that we can read; what cannot be read is a dead letter."""
    close_old_connections()  # a handler runs in a thread that lives for ever
    return ingest.ingest([_packet(alert, metadata)])


def store_notice(alert: Any, metadata: Any = None) -> notices.Report:
    """Store a notice of GCN or IGWN, and match its event with the objects; what cannot be read is a dead letter."""
    close_old_connections()
    return notices.take([_packet(alert, metadata)])


def _packet(alert: Any, metadata: Any) -> Packet:
    """The bytes of a message of confluent-kafka, as GCN's stream gives it, or of hop-client, with its metadata."""
    if metadata is None:
        return Packet(alert.topic(), f"{alert.partition()}:{alert.offset()}", alert.value() or b"")
    content = alert.content if hasattr(alert, "content") else alert
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Packet(metadata.topic, f"{metadata.partition}:{metadata.offset}", data)
