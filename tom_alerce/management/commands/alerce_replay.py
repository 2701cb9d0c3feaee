"""``manage.py alerce_replay``: archives of packets, or a range of a Kafka stream, through the path of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.errors import AdapterError
from broker_adapters.sources import files, kafka_range
from broker_adapters.sources.archives import Packet
from broker_adapters.times import datetime_from_mjd
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import mjd, positive
from tom_alerce.management.progress import progress
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline import replay
from tom_alerce.pipeline.stream import Stop


class Command(command.Command):
    """Exit code: 0 if all was replayed, or after SIGTERM; 1 if a part could not be read."""

    help = (
        "Store packets of the past as a stream would have: keep rules are applied, and what is not kept leaves a light row. Reads a "
        "night's archive (tar), folders, containers of many records, or what a Kafka stream holds between two times, without moving the "
        "offsets of its group. With --dask each file is done by a worker of a cluster. To store everything use alerce_ingest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what is replayed, and how."""
        parser.add_argument("paths", nargs="*", metavar="PATH", help="file, folder (read at any depth) or archive")
        parser.add_argument("--stream", metavar="NAME", help="a stream of TOM_ALERCE['STREAMS'], instead of paths; needs --since")
        parser.add_argument("--since", type=mjd, metavar="TIME", help="with --stream: written at or after this time, MJD or ISO, UTC")
        parser.add_argument(
            "--until", type=mjd, metavar="TIME", help="with --stream: written before this time (default: all that is there)"
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="end after so many packets, not with --dask")
        parser.add_argument("--classify", action="store_true", help="classify the objects of each batch as it is stored, then promote")
        parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a Dask cluster, host:port, of which each worker takes a file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, with a bar."""
        if bool(options["paths"]) == bool(options["stream"]) or (options["stream"] and (options["since"] is None or options["dask"])):
            raise CommandError("give paths, or --stream with --since, and --dask only with paths")
        try:
            with progress("replay", "packets", options["limit"]) as done:
                if options["dask"]:
                    found = files.below(options["paths"])
                    report = replay.on_cluster(options["dask"], found, done, options["classify"])
                else:
                    with terminated(stop := Stop()):
                        packets = islice(_packets(options), options["limit"])
                        report = replay.replay(packets, done, going=lambda: not stop, **replay.hooks(options["classify"]))
        except (AdapterError, LookupError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(report))
        if report.problem:
            raise CommandError(str(report.problem))


def _packets(options: dict[str, Any]) -> Iterable[Packet]:
    if options["paths"]:
        return files.packets(options["paths"])
    given = conf.stream(options["stream"])
    since, until = (None if t is None else datetime_from_mjd(t).timestamp() for t in (options["since"], options["until"]))
    return kafka_range.packets(given["servers"], given["topics"], since or 0.0, until, given.get("config"))
