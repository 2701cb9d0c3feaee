"""``manage.py alerce_rank``: rank objects for tonight, with the reason of every term."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from classifiers.records import ClassifierError
from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.management import command
from tom_alerce.management.options import add_night, add_profile, count
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import outlooks
from tom_alerce.pipeline.rank import rank, why_empty
from tom_alerce.store import rankings

#: Objects whose outlook is worked out before a ranking at most: about a minute.
OUTLOOKS = 20_000


class Command(command.Command):
    """Exit code: 0 if a ranking was made, even an empty one; 1 if a site, term or limit cannot be used."""

    help = "Rank recent objects for tonight at a site and store the ranking. Exit code 1: a site, term or limit cannot be used."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--site``, ``--now``, ``--profile``, ``--outlooks`` and ``--show``."""
        add_night(parser)
        add_profile(parser)
        text = "first work out outlooks that are missing, of that many objects at most, those seen last (default: %(default)s)"
        parser.add_argument("--outlooks", type=count, default=OUTLOOKS, metavar="N", help=text)
        parser.add_argument("--show", type=int, default=10, help="number of the best objects to print (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rank, store, print the best."""
        self._work_out(options["outlooks"])
        try:
            ranked = rank(options["site"], options["now"], options["profile"])
        except FollowupError as error:
            raise CommandError(str(error)) from error
        vetoed = ranked.row.ranks.filter(vetoed=True).count()
        counted = f"{len(ranked.candidates)} objects ranked" + (f", {vetoed} of those stored not for now" if vetoed else "")
        self.stdout.write(f"{ranked.row.site}, night of {ranked.row.night}, profile {ranked.row.profile}: {counted}")
        if not ranked.candidates:
            self.stdout.write(f"nothing to rank: {why_empty(ranked.row.now)}")
        if ranked.row != rankings.current():
            self.stdout.write(f"the board shows it to who chooses it: {reverse('tom_alerce:board')}?ranking={ranked.row.pk}")
        ranks = rankings.ranks(ranked.row).select_related("sky_object")
        for row in ranks.prefetch_related("sky_object__survey_objects", visible.seen_target(None, "sky_object__"))[
            : max(options["show"], 0)
        ]:
            self.stdout.write(f"{row.place:4d}. {row.sky_object.name:24s} {row.score:.3f}  {row.hours:4.1f} h left")
            for name, veto in row.vetoes.items():
                self.stdout.write(f"      not now, {name}: {veto['reason']}")
            for name, term in row.terms.items():
                self.stdout.write(f"      {name} {term['score']:.2f} (weight {term['weight']:g}): {term['reason']}")

    def _work_out(self, most: int) -> None:
        """Work out outlooks that are missing; without them objects are ranked by their trends."""
        try:
            n = min(outlooks.waiting(), most) if most else 0
            if n:
                with progress("outlooks", "objects", n) as done:
                    self.stdout.write(f"{outlooks.work_out(most=n, progress=done)} outlooks worked out")
        except ClassifierError as error:
            self.stderr.write(self.style.WARNING(f"no outlooks: {error}"))
