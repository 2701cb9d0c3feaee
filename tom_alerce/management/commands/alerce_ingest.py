"""``manage.py alerce_ingest PATH...``: read packets of any survey from files, folders and tar archives."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.sources import files
from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import ingest


class Command(command.Command):
    """Exit code: 1 if a path, or not a single packet, could be read; 2 with --strict if a packet was refused; else 0."""

    help = (
        "Read alert packets of any survey from files, folders and tar archives, and merge them into objects. Packets that cannot be "
        "read are stored as dead letters and skipped. Exit code 1: a path could not be read, or not a single packet could; "
        "2, with --strict: some packets were refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``PATH...`` and ``--strict``."""
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file, folder (read at any depth) or tar archive")
        parser.add_argument("--strict", action="store_true", help="exit with 2 if any packet was refused")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read each path separately, so that a broken one does not stop the others."""
        reports = []
        with progress("ingest", "packets") as done:
            for path in options["paths"]:
                report = ingest.ingest(files.packets([path]), done)
                self.stdout.write(f"{path}: {report}")
                reports.append(report)
        if any(r.problem for r in reports):
            raise CommandError("; ".join(str(r.problem) for r in reports if r.problem))
        refused = sum(r.refused for r in reports)
        if refused and not any(r.read for r in reports):
            raise CommandError(f"not one of {refused} packets could be read; the reasons are in the table of dead letters")
        if refused and options["strict"]:
            raise CommandError(f"{refused} packets were refused; the reasons are in the table of dead letters", returncode=2)
