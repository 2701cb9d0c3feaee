"""``manage.py alerce_notify``: look through the stored objects for new lists, and tell people what has happened."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tom_alerce.management import command
from tom_alerce.pipeline import deliver, lists


class Command(command.Command):
    """Exit code: 0 if all that was due was sent, 1 if a channel did not take a message."""

    help = (
        "Look through the stored objects for lists that are new or changed. Then ask the rules about all events since the last run, and "
        "send what is due through the channels. What is not taken is tried again by later runs, with growing pauses, and given up after "
        "about a day. Several runs may overlap. Exit code 1: a channel did not take a message."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Search, and deliver."""
        for name, n in lists.search().items():
            self.stdout.write(f"{name}: {n} stored objects found")
        report = deliver.deliver()
        self.stdout.write(str(report))
        if report.problems:
            raise CommandError("; ".join(f"{name}: {why}" for name, why in report.problems.items()))
