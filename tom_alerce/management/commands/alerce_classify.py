"""``manage.py alerce_classify``: our own classifiers look at what is new."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import classify


class Command(command.Command):
    """Exit code: 0 if every classifier worked, 1 if one did not (the others work nevertheless)."""

    help = (
        "Let the classifiers of TOM_ALERCE['CLASSIFIERS'] see every object with new measurements or stamps, then apply the promotion "
        "rules. Exit code 1: a classifier could not work; the words of the others are kept."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Classify in batches."""
        with progress("classify", "objects", classify.count_unseen()) as done:
            report = classify.classify(progress=done)
        self.stdout.write(str(report))
        if report.problems:
            raise CommandError("; ".join(f"{name}: {why}" for name, why in report.problems.items()))
