"""``manage.py alerce_notices NAME``: follow what observatories say of events."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.errors import AdapterError
from broker_adapters.sources import files
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.progress import progress
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline import notices, stream


class Command(command.Command):
    """Exit code: 0 when nothing came for --idle seconds or after SIGTERM, 1 if the stream cannot be read, or was down at the end."""

    help = (
        "Read a Kafka stream of TOM_ALERCE['STREAMS'] that carries notices of events (GCN, Hopskotch), for ever or until nothing came for "
        "--idle seconds; store each version of each event, and match it with the objects. Offsets are committed after that. With --file, "
        "notices are read from files; with --match, the events that still count are matched with the objects again. Exit code 1: the "
        "stream or a file cannot be read, or the stream was down at the end of --idle."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the stream, ``--idle``, ``--file``, ``--match`` and ``--exchange``."""
        parser.add_argument("stream", nargs="?", help="a name of TOM_ALERCE['STREAMS']")
        parser.add_argument("--idle", type=positive, metavar="SECONDS", help="end when nothing came for this time (default: never)")
        parser.add_argument("--file", action="append", default=[], metavar="PATH", help="read the notices in this file or folder")
        parser.add_argument("--match", action="store_true", help="match events that still count with the objects again")
        parser.add_argument("--exchange", action="store_true", help="read events of tom_nonlocalizedevents, and write candidates to it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read files, match, and follow the stream, as far as each is asked for."""
        name = options["stream"]
        if not (name or options["file"] or options["match"] or options["exchange"]):
            raise CommandError("a stream, --file, --match or --exchange is needed")
        try:
            if options["file"]:
                self.stdout.write(f"files: {notices.take(files.packets(options['file']))}")
            if options["match"]:
                self.stdout.write(f"{notices.rematch()} candidates of the events that still count")
            if options["exchange"]:
                self.stdout.write("tom_nonlocalizedevents: {} versions read, {} candidates written".format(*notices.exchange()))
            if not name:
                return
            with progress(name, "notices") as done, terminated(stop := stream.Stop()):
                report = notices.follow(name, options["idle"], done, stop)
        except (LookupError, AdapterError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name}: {report}")
        if report.problem and not stop:
            raise CommandError(f"{name}: {report.problem}")
