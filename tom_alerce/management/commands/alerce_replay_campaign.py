"""``manage.py alerce_replay_campaign``: what a profile would have observed on the nights that have passed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from followup.records import FollowupError
from tom_alerce.management import command
from tom_alerce.management.options import add_night, positive
from tom_alerce.pipeline import campaign
from tom_alerce.store import profiles, rankings
from tom_alerce.store.errors import StoreError


class Command(command.Command):
    """Exit code: 0 if nights were replayed; 1 if there is no such profile, or a site, term or veto cannot be used."""

    help = "Replay past nights with a profile, from what this TOM knew on each evening; nothing is stored. Exit code 1: no such profile."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--profile``, ``--nights``, ``--slots``, ``--json``, ``--site`` and ``--now``."""
        add_night(parser)
        parser.add_argument("--profile", default=rankings.profile_name(), metavar="NAME", help="name of a profile (default: %(default)s)")
        parser.add_argument("--nights", type=positive, default=30, help="nights that have passed (default: %(default)s)")
        parser.add_argument("--slots", type=positive, default=10, help="observations a night (default: %(default)s)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay and print."""
        try:
            profile = profiles.current(options["profile"])
            found = campaign.past(profile, options["nights"], slots=options["slots"], site=options["site"], at=options["now"])
        except (FollowupError, StoreError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            shown = {"profile": profile.name, "nights": found.nights, "slots": found.slots, **found.figures}
            self.stdout.write(json.dumps(shown | {"picks": [asdict(pick) for pick in found.picks]}))
            return
        self.stdout.write(f"{profile.title}: {len(found.picks)} of {found.nights * found.slots} slots of {found.nights} nights used")
        for name, value in found.figures.items():
            self.stdout.write(f"  {name:26s} {'-' if value is None else value}")
        for pick in found.picks:
            self.stdout.write(f"{pick.night}  {pick.name:24s} {pick.score:.3f}")
