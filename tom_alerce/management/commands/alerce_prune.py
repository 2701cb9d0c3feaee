"""``manage.py alerce_prune``: count, or remove, what is older than TOM_ALERCE['KEEP_DAYS']."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from tom_alerce.management import command
from tom_alerce.store import retention

#: Kind -> what it is in a sentence.
_NAMES = {
    "rankings": "rankings",
    "dead_letters": "dead letters",
    "passed": "alerts that were not kept",
    "stamps": "stamps of objects not seen since",
    "history": "outdated classifications",
    "polls": "tasks of pollers that are over",
    "events": "events that people were told of",
    "mocks": "mock events of observatories",
}


class Command(command.Command):
    """Exit code: 0."""

    help = (
        "Count the rankings, dead letters, alerts that were not kept, stamps, outdated classifications and tasks of pollers that are "
        "older than TOM_ALERCE['KEEP_DAYS'], and remove them with --delete. Each ranking removes some of them as well."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--delete``."""
        parser.add_argument("--delete", action="store_true", help="remove them (default: count them)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count or remove, one line for each kind."""
        counts = dict.fromkeys(_NAMES, 0)
        if options["delete"]:
            while any(removed := retention.prune(window=None).values()):
                counts = {kind: counts[kind] + n for kind, n in zip(counts, removed, strict=True)}
        else:
            counts = {kind: retention.old(kind).count() for kind in _NAMES}
        for kind, days in retention.keep_days().items():
            limit = "kept for ever" if days is None else f"older than {days:g} days"
            self.stdout.write(f"{counts[kind]} {_NAMES[kind]} {'removed' if options['delete'] else 'to remove'} ({limit})")
        if not options["delete"]:
            self.stdout.write("Nothing was removed: give --delete.")
