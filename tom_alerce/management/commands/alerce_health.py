"""``manage.py alerce_health``: how the TOM is doing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tom_alerce.management import command
from tom_alerce.store import health, incidents, symptoms


class Command(command.Command):
    """Exit code: 0 if nothing is wrong, 1 if something is."""

    recorded = False
    help = (
        "Tell what is wrong with streams, commands and tables, by the limits of TOM_ALERCE['HEALTH']. Exit code 1: something is. "
        "Without --alarm nothing is written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--alarm``."""
        parser.add_argument("--alarm", action="store_true", help="announce what is newly wrong, and what is over, by the notifications")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and announce."""
        found = symptoms.of(health.read())
        if options["alarm"]:
            changes = incidents.note(found)
            self.stdout.write(f"{len(changes.opened)} new, {len(changes.closed)} over")
        if found:
            raise CommandError("\n".join(symptom.text for symptom in found))
        self.stdout.write("Nothing is wrong.")
