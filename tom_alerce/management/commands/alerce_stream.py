"""``manage.py alerce_stream NAME``: follow packets and messages from Kafka."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from broker_adapters.errors import AdapterError
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.progress import progress
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline import beats, classify, stream
from tom_alerce.store import health, symptoms


class Command(command.Command):
    """Exit code: 0 when nothing came for --idle seconds or after SIGTERM, 1 if the stream cannot be read, or was down at the end."""

    recorded = False
    help = (
        "Read a Kafka stream of TOM_ALERCE['STREAMS'] for ever, or until nothing came for --idle seconds: packets of any survey, and "
        "messages of Lasair filters. Offsets are committed after a batch is stored, so that nothing is lost; several workers may share "
        "a stream. After SIGTERM the batch is finished and committed, and the exit code is 0. Exit code 1: the stream cannot be read, "
        "was down at the end of --idle, or --check found something wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the stream, ``--idle`` and ``--classify``."""
        parser.add_argument("stream", help="a name of TOM_ALERCE['STREAMS']")
        parser.add_argument("--check", action="store_true", help="follow nothing: exit with 1 and a sentence if something is wrong with it")
        parser.add_argument(
            "--here", action="store_true", help="with --check, only as far as the workers of this computer, or container, go"
        )
        parser.add_argument("--idle", type=positive, metavar="SECONDS", help="end when nothing came for this time (default: never)")
        parser.add_argument("--classify", action="store_true", help="classify the objects of each batch as it is stored, then promote")

    def handle(self, *args: Any, **options: Any) -> None:
        """Follow the stream, or look after it."""
        name = options["stream"]
        if options["check"]:
            return self._check(name, here=options["here"])
        self._of_batches = classify.OfBatches()
        classifying = {"stored": self._after, "inside": self._of_batches.inside} if options["classify"] else {}
        try:
            with progress(name, "packets") as done, terminated(stop := stream.Stop()):
                report = stream.follow(name, options["idle"], progress=done, stop=stop, **classifying)
        except (LookupError, AdapterError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{name}: {report}")
        if report.problem and not stop:
            raise CommandError(f"{name}: {report.problem}")

    def _check(self, name: str, *, here: bool) -> None:
        if name not in conf.get("STREAMS"):
            raise CommandError(f"no stream {name!r} in TOM_ALERCE['STREAMS']")
        at = timezone.now()
        [found] = health.streams(at, [name])
        if wrong := symptoms.of_stream(found, at, beats.HOST if here else ""):
            raise CommandError("; ".join(symptom.text for symptom in wrong))
        self.stdout.write(f"{name}: {len(found.alive)} workers, {found.lag} packets wait, last batch {symptoms.moment(found.batched)}")

    def _after(self, sky_object_ids: Collection[int]) -> None:
        self.stdout.write(str(self._of_batches.after(sky_object_ids)))
