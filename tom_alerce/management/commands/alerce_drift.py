"""``manage.py alerce_drift``: compare recent nights with the training set of the stamp classifier."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from classifiers.records import ClassifierError
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.pipeline import drift


class Command(command.Command):
    """Exit code: 0 if every night was compared, drifted or not; 1 if the model cannot be read, or a night has no alert that it reads."""

    help = (
        "Compare the ZTF alerts of the last nights with the training set of the stamp classifier, and store the result for the drift "
        "page. Exit code 1: the model, or a night, cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--nights``."""
        parser.add_argument("--nights", type=positive, default=1, help="number of nights with enough alerts (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and store each night, and print a line for it."""
        nights = drift.nights(options["nights"])
        if not nights:
            self.stdout.write(f"no night has {drift.LEAST} ZTF alerts with stamps")
        for night in nights:
            try:
                row = drift.measure(night)
            except ClassifierError as error:
                raise CommandError(f"night of {night}: {error}") from error
            above = [f"{name} {psi:.2f}" for name, psi in row.psi.items() if psi > conf.get("DRIFT_ALARM")]
            verdict = f"drifted: {', '.join(above)}" if above else "nothing has drifted"
            self.stdout.write(f"night of {night}: {row.n} alerts, {verdict}")
