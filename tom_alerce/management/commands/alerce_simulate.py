"""``manage.py alerce_simulate --rate N``: alert packets as a survey sends them, at any rate, into Kafka or a folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.errors import AdapterError
from broker_adapters.sources.producer import Producer
from classifiers.simulate import stream
from tom_alerce import conf
from tom_alerce.clock import now
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.progress import progress
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline.stream import Stop

#: Objects of different seeds have different numbers, up to this many of each.
PER_SEED = 10_000_000


class Command(command.Command):
    """Exit code: 0 when all is sent, or after SIGTERM; 1 if it cannot be written."""

    help = (
        "Send simulated alert packets, true to the survey's schema, with stamps and history, each at the present time: to rehearse a "
        "night, and to see what a TOM can take. Rubin sends 10,000 alerts of a visit every 40 seconds (--survey lsst --rate 250), ZTF "
        "up to 300,000 a night (--rate 10). Never send them to a stream that real science reads: they are stored like any others."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add rate and number, where to, and of what."""
        parser.add_argument("--rate", type=positive, default=10, metavar="N", help="alerts a second (default: %(default)s)")
        parser.add_argument("--count", type=positive, metavar="N", help="end after so many (default: never)")
        parser.add_argument("--survey", choices=stream.SURVEYS, default=stream.SURVEYS[0], help="default: %(default)s")
        parser.add_argument("--objects", type=positive, metavar="N", help="so many objects again and again (default: each is new)")
        parser.add_argument("--seed", type=int, default=1, help="another seed has other objects (default: %(default)s)")
        parser.add_argument("--topic", metavar="T", help="topic (default: the first of the stream)")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--stream", metavar="NAME", help="servers and credentials of this stream of TOM_ALERCE['STREAMS']")
        where.add_argument("--servers", metavar="HOST:PORT", help="of a Kafka without credentials; needs --topic")
        where.add_argument("--out", type=Path, metavar="DIR", help="a file for each packet in this folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """Send them, evenly."""
        number = options["seed"] * PER_SEED
        known = stream.originals(options["survey"], options["seed"], now())
        packets = islice(stream.packets(known, now, number, options["objects"]), options["count"])
        sent, began = 0, time.monotonic()
        try:
            with _sink(options) as send, terminated(stop := Stop()), progress("simulate", "packets", options["count"]) as done:
                began = time.monotonic()
                for packet in packets:
                    stop.wait(max(began + sent / options["rate"] - time.monotonic(), 0.0))
                    if stop:
                        break
                    send(packet)
                    sent += 1
                    done(1)
        except (AdapterError, LookupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{sent} packets of {options['survey']} in {time.monotonic() - began:.1f} s")


@contextmanager
def _sink(options: dict[str, Any]) -> Iterator[Callable[[bytes], object]]:
    """Where the packets go."""
    if options["out"] is not None:
        options["out"].mkdir(parents=True, exist_ok=True)
        names = (options["out"] / f"{options['seed']}_{i:09d}.avro" for i in range(PER_SEED))
        yield lambda packet: next(names).write_bytes(packet)
        return
    servers, topic, config = _kafka(options)
    with Producer(servers, topic, config) as producer:
        yield producer.send


def _kafka(options: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    if options["servers"] is not None:
        if not options["topic"]:
            raise LookupError("--servers needs --topic")
        return options["servers"], options["topic"], {}
    given = conf.stream(options["stream"])
    return given["servers"], options["topic"] or given["topics"][0], given.get("config") or {}
