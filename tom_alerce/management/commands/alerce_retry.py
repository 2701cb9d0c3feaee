"""``manage.py alerce_retry``: try dead letters again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import retry


class Command(command.Command):
    """Exit code: 0 if every letter was stored or there was none, 1 if some remain."""

    help = (
        "Read and store the messages of dead letters again, from the bytes that are kept with them; a letter whose message is stored is "
        "removed. Exit code 1: some were refused again, or their bytes are not kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--reason``, ``--source`` and ``--dry-run``."""
        parser.add_argument(
            "--reason", default="", metavar="TEXT", help="only letters whose reason contains this, such as the id of a traceback"
        )
        parser.add_argument("--source", default="", metavar="TEXT", help="only letters whose path or topic contains this")
        parser.add_argument("--dry-run", action="store_true", help="count them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Try them."""
        keys = retry.wanted(options["reason"], options["source"])
        if options["dry_run"]:
            self.stdout.write(f"{len(keys)} dead letters")
            return
        with progress("retry", "letters", len(keys)) as done:
            result = retry.retry(keys, done)
        self.stdout.write(str(result))
        if result.refused or result.without_bytes:
            raise CommandError("some dead letters remain")
