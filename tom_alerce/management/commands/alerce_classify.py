"""``manage.py alerce_classify``: classify objects with new measurements or stamps."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import classify


class Command(command.Command):
    """Exit code: 0 if all went well, 1 if a classifier or a hook of the TOM failed (the others run nevertheless)."""

    help = (
        "Classify every object with new measurements or stamps with the classifiers of TOM_ALERCE['CLASSIFIERS'], then apply the "
        "promotion rules. Exit code 1: a classifier, or a hook of the TOM at one object, failed; what the others did is stored."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Classify in batches."""
        with progress("classify", "objects", classify.count_unseen()) as done:
            report = classify.classify(progress=done)
        self.stdout.write(str(report))
        if report.failures:
            raise CommandError("; ".join(report.failures))
