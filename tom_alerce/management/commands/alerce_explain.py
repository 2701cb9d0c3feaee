"""``manage.py alerce_explain``: maps that explain the stamp classifier, for the pages of objects."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from classifiers.records import ClassifierError
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.pipeline import explain
from tom_alerce.store import rankings


class Command(command.Command):
    """Exit code: 0, or 1 if the model cannot be read."""

    help = (
        "Store maps of the pixels that spoke for the stamp classifier's class: for the best of the current ranking, or for given "
        "objects. A map takes about a second; alerts that have one are skipped. Exit code 1: the model cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the objects and ``--top``."""
        parser.add_argument(
            "objects", nargs="*", type=positive, metavar="OBJECT", help="keys of sky objects, as in the addresses of their pages"
        )
        parser.add_argument("--top", type=positive, default=20, help="without OBJECT: this number of the best ranks (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain, store, count."""
        ids = options["objects"] or self._best(options["top"])
        try:
            made = explain.explain(explain.explainable(ids))
        except ClassifierError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{len(made)} new maps of {len(ids)} objects")

    @staticmethod
    def _best(top: int) -> list[int]:
        return list(rankings.ranks(rankings.current()).values_list("sky_object", flat=True)[:top])
