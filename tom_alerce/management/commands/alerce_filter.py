"""``manage.py alerce_filter``: judge objects by saved filters, and list, try and switch filters."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.models import SavedFilter
from tom_alerce.pipeline import filters
from tom_alerce.store import saved
from tom_alerce.store.errors import StoreError


class Command(command.Command):
    """Exit code: 0 if all went well; 1 if a filter cannot be used, or is refused."""

    help = (
        "Look at every object of which something is new, and judge it by the saved filters that are on; or list, try or switch filters. "
        "Exit code 1: a filter cannot be used (the others are), or is not switched on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--all``, ``--list``, ``--try``, ``--on`` and ``--off``."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--all", action="store_true", help="look at every object again, new or not")
        what.add_argument("--list", action="store_true", help="list the filters, and which version is on")
        what.add_argument("--try", metavar="NAME", dest="tried", help=f"try the latest version of a filter on the last {saved.DAYS} days")
        what.add_argument("--on", metavar="NAME", help="switch on the latest version of a filter, which has been tried")
        what.add_argument("--off", metavar="NAME", help="switch a filter off")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked."""
        try:
            if options["list"]:
                self._list()
            elif options["tried"]:
                self._try(_named(options["tried"]))
            elif options["on"]:
                saved.switch_on(saved.version(_named(options["on"])))
                self.stdout.write(f"{options['on']} is on")
            elif options["off"]:
                saved.switch_off(_named(options["off"]))
                self.stdout.write(f"{options['off']} is off")
            else:
                self._judge(options["all"])
        except StoreError as error:
            raise CommandError(str(error)) from error

    def _judge(self, everything: bool) -> None:
        keys = filters.waiting(everything)
        with progress("filter", "objects", len(keys)) as done:
            judged = filters.run(keys, progress=done)
        self.stdout.write(str(judged))
        if judged.problems:
            raise CommandError("; ".join(f"{name}: {why}" for name, why in judged.problems.items()))

    def _list(self) -> None:
        for one in SavedFilter.objects.select_related("owner"):
            latest = saved.version(one)
            state = "off" if one.on is None else f"version {one.on} on"
            self.stdout.write(f"{one.name} ({one.by}), version {latest.version}, {state}")

    def _try(self, one: SavedFilter) -> None:
        row = saved.version(one)
        made = filters.try_version(row)
        self.stdout.write(f"{one.name}, version {row.version}: {made.passed} of {made.looked} objects passed ({made.rate:.1%})")
        for night, seen, passed in made.nights:
            self.stdout.write(f"  {night}: {passed} of {seen}")
        self.stdout.write(saved.refusal(row) or "it may be switched on")


def _named(name: str) -> SavedFilter:
    one = SavedFilter.objects.filter(name=name).first()
    if one is None:
        raise StoreError(f"there is no filter {name!r}")
    return one
