"""``manage.py alerce_classify``: classify objects with new measurements or stamps."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import classify


class Command(command.Command):
    """Exit code: 0 if every classifier worked, 1 if one did not (the others run nevertheless)."""

    help = (
        "Classify every object with new measurements or stamps with the classifiers of TOM_ALERCE['CLASSIFIERS'], then apply the "
        "promotion rules. Exit code 1: a classifier failed; the classifications of the others are stored."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Classify in batches."""
        with progress("classify", "objects", classify.count_unseen()) as done:
            report = classify.classify(progress=done)
        self.stdout.write(str(report))
        if report.problems:
            raise CommandError("; ".join(f"{name}: {why}" for name, why in report.problems.items()))
