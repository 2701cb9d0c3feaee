"""``manage.py alerce_trigger``: fire the automatic triggers that are on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tom_alerce.management import command
from tom_alerce.models import Halt
from tom_alerce.pipeline import triggers


class Command(command.Command):
    """Exit code: 0 if every trigger that is on could be used, also if all are stopped; 1 otherwise."""

    help = "Fire the automatic triggers that are on: rehearse, draft or send, as each may. Exit code 1: a trigger cannot be used."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fire, and print each outcome."""
        if (halt := Halt.current()) is not None:
            self.stdout.write(f"triggers are stopped by {halt.by} since {halt.started:%Y-%m-%d %H:%M}: {halt.reason}")
            return
        entries, problems = triggers.run()
        for one in entries:
            self.stdout.write(f"{one.trigger.name}: {one.sky_object} ({one.score:.2f}) {one.get_outcome_display()}: {one.reason}")
        if not entries:
            self.stdout.write("nothing to ask for")
        if problems:
            raise CommandError("; ".join(problems))
