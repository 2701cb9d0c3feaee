"""``manage.py alerce_stream NAME``: follow packets and messages from Kafka."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.errors import AdapterError
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import classify, stream


class Command(command.Command):
    """Exit code: 0 when nothing came for --idle seconds, 1 if the stream cannot be read, or was down at the end."""

    help = (
        "Read a Kafka stream of TOM_ALERCE['STREAMS'] for ever, or until nothing came for --idle seconds: packets of any survey, and "
        "messages of Lasair filters. Offsets are committed after a batch is stored, so that nothing is lost; several workers may share "
        "a stream. Exit code 1: the stream cannot be read, or was down at the end of --idle."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the stream, ``--idle`` and ``--classify``."""
        parser.add_argument("stream", help="a name of TOM_ALERCE['STREAMS']")
        parser.add_argument("--idle", type=positive, metavar="SECONDS", help="end when nothing came for this time (default: never)")
        parser.add_argument("--classify", action="store_true", help="classify after each batch")

    def handle(self, *args: Any, **options: Any) -> None:
        """Follow the stream."""
        name = options["stream"]
        self._after_batch = classify.AfterBatch()
        try:
            with progress(name, "packets") as done:
                report = stream.follow(name, options["idle"], self._classify if options["classify"] else lambda *ids: None, done)
        except (LookupError, AdapterError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name}: {report}")
        if report.problem:
            raise CommandError(f"{name}: {report.problem}")

    def _classify(self, sky_object_ids: Collection[int] | None = None) -> None:
        self.stdout.write(str(self._after_batch(sky_object_ids)))
