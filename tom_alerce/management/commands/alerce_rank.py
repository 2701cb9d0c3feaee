"""``manage.py alerce_rank``: rank objects for tonight, with the reason of every term."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from classifiers.records import ClassifierError
from followup.records import FollowupError
from tom_alerce import conf, visible
from tom_alerce.management import command
from tom_alerce.management.options import add_night, add_profiles, count
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import outlooks
from tom_alerce.pipeline.rank import Stored, several, why_empty
from tom_alerce.store import profiles, rankings

#: Objects whose outlook is worked out before a ranking at most: about a minute.
OUTLOOKS = 20_000


class Command(command.Command):
    """Exit code: 0 if all rankings were made, even empty ones; 1 if a profile, site, term or limit cannot be used (others are)."""

    help = (
        "Rank recent objects for tonight at a site, by the profiles of TOM_ALERCE['PROFILES'], and store the rankings. "
        "Exit code 1: a profile, site, term or limit cannot be used; the other rankings are stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--site``, ``--now``, ``--profile``, ``--all-profiles``, ``--outlooks`` and ``--show``."""
        add_night(parser)
        add_profiles(parser)
        text = "first work out outlooks that are missing, of that many objects at most, those seen last (default: %(default)s)"
        parser.add_argument("--outlooks", type=count, default=OUTLOOKS, metavar="N", help=text)
        parser.add_argument("--show", type=int, default=10, help="number of the best objects to print (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rank, store, print the best."""
        self._work_out(options["outlooks"])
        names = list(profiles.every()) if options["all_profiles"] else options["profile"] or conf.get("PROFILES")
        refused: dict[str, FollowupError] = {}
        for ranked in several(names, options["site"] and [options["site"]], options["now"], refused):
            self._print(ranked, max(options["show"], 0))
        if refused:
            reasons = (f"{name}: {error}" if len(names) > 1 else str(error) for name, error in refused.items())
            raise CommandError("; ".join(reasons))

    def _print(self, ranked: Stored, show: int) -> None:
        """A line about the ranking, and its best."""
        vetoed = ranked.row.ranks.filter(vetoed=True).count()
        counted = f"{len(ranked.candidates)} objects ranked" + (f", {vetoed} of those stored not for now" if vetoed else "")
        self.stdout.write(f"{ranked.row.site}, night of {ranked.row.night}, profile {ranked.row.profile}: {counted}")
        if not ranked.candidates:
            self.stdout.write(f"nothing to rank: {why_empty(ranked.row.now)}")
        if ranked.row != rankings.current():
            self.stdout.write(f"the board shows it to who chooses it: {reverse('tom_alerce:board')}?ranking={ranked.row.pk}")
        ranks = rankings.ranks(ranked.row).select_related("sky_object")
        for row in ranks.prefetch_related("sky_object__survey_objects", visible.seen_target(None, "sky_object__"))[:show]:
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
