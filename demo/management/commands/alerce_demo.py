"""``manage.py alerce_demo``: run the whole chain over a simulated night, in a database of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from tom_targets.models import Target, TargetExtra, TargetName

from classifiers.simulate import night
from demo import USER
from demo.facility import play
from followup.records import FollowupError
from followup.sites import site
from tom_alerce import clock, conf
from tom_alerce.management import command
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.pipeline.explain import CLASSIFIER
from tom_alerce.requests import series

#: Separation (arcseconds) of a source and the target that is matched to it by position.
_APART = 0.5
#: Pairs of supernovae so close together that matches wait for a person, and best ranks of which the class is explained.
_NEIGHBOURS, _EXPLAINED = 3, 5
#: Age (days) at which the simulated night is no longer last night.
_STALE = 1.0


class Command(command.Command):
    """Exit code: 0 if the whole chain ran; 1 if a step failed, or the database holds other data."""

    help = (
        "Fill a fresh database with a simulated night of ZTF, ATLAS and Rubin alerts: read, merge, classify, rank, and send requests for "
        "the best to a portal that is a folder (to a real one they are checked, and not sent). A second run adds nothing. Refuses a "
        "database that holds other data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--sources``, ``--seed`` and ``--data``."""
        parser.add_argument("--sources", type=int, default=150, help="number of sources on the sky (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="seed of the simulation (default: %(default)s)")
        parser.add_argument("--data", type=Path, help="folder for the packets (default: DATA_DIR of the settings, else a folder 'data')")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Make the tables, which every other command needs beforehand."""
        call_command("migrate", verbosity=0, interactive=False)
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the TOM, simulate a night, and run the commands that an observer would type."""
        began = time.monotonic()
        self._refuse_foreign_data()
        login = self._user()
        folder = (options["data"] or Path(getattr(settings, "DATA_DIR", "data"))) / "night"
        self._night(folder, options["seed"], options["sources"])
        self._targets(night.truth(folder))
        self._run("alerce_ingest", *(str(folder / name) for name in ("ztf", "atlas", "lsst", "lasair", "trouble")))
        self._poll(folder / "ztf")
        problem = self._classify()
        self._run("alerce_rank", show=1)
        if problem is None and CLASSIFIER in conf.get("CLASSIFIERS"):
            self._run("alerce_drift")
            self._run("alerce_explain", top=_EXPLAINED)
        self._submit()
        self.stdout.write(self.style.SUCCESS(f"\nReady after {time.monotonic() - began:.0f} s. {login}"))
        if problem is not None:
            raise CommandError(f"ready, but not everything was classified: {problem}") from problem

    def _refuse_foreign_data(self) -> None:
        """Fail unless the database is empty or was filled by this command."""
        users = get_user_model().objects
        if users.filter(username=USER).exists():
            return
        if users.filter(is_superuser=True).exists() or Target.objects.exists() or SkyObject.objects.exists():
            raise CommandError("this database is in use; the demo needs one of its own, since it adds a superuser and invented targets")

    def _user(self) -> str:
        """Make the superuser if there is none; return a sentence about the log-in."""
        users = get_user_model().objects
        if users.filter(username=USER).exists():
            return f"Log in as {USER} with the password that was printed the first time ('manage.py changepassword {USER}' sets another)."
        password = secrets.token_urlsafe(9)
        users.create_superuser(USER, email="", password=password)
        return f"Log in as {USER} with the password {password}"

    def _night(self, folder: Path, seed: int, sources: int) -> None:
        """Write the packets of the night that has just ended, unless there are some: other packets would be another sky."""
        now = clock.now()
        if (folder / "truth.csv").exists():
            age = now - float((folder / "now.txt").read_text())
            self.stdout.write(f"The night in {folder} is kept.")
            if age > _STALE:
                self.stdout.write(self.style.WARNING(f"It is {age:.0f} days old: delete {folder.parent} to start anew."))
            return
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "now.txt").write_text(repr(now))
        try:
            latitude = site(conf.get("SITE")).latitude
        except FollowupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{night.write(folder, seed, now, sources, latitude, min(_NEIGHBOURS, sources // 40))} files of a simulated night in {folder}"
        )

    def _targets(self, rows: Sequence[dict[str, str]]) -> None:
        """Make targets as a TOM has them before the night: three to match by name, alias and position, and one without alerts."""
        transients = {r["source"]: r for r in rows if r["label"].startswith("SN") and r["survey"] == "ztf"}
        invented = ("its name", "its alias", "its position")
        for how, row in zip(invented, transients.values(), strict=False):
            ra, dec = float(row["ra"]), float(row["dec"])
            name = row["object_id"] if how == "its name" else f"Demo {row['label']} known by {how}"
            dec += _APART / 3600.0 if how == "its position" else 0.0
            target, new = Target.objects.get_or_create(name=name, defaults={"type": Target.SIDEREAL, "ra": ra, "dec": dec})
            if new and how == "its alias":
                TargetName.objects.create(target=target, name=row["object_id"])
        Target.objects.get_or_create(name="M 33", defaults={"type": Target.SIDEREAL, "ra": 23.4621, "dec": 30.6599})

    def _poll(self, folder: Path) -> None:
        """Poll the fake broker if it relays this night: the same alerts through another broker add nothing."""
        if conf.get("BROKERS").get("fake", {}).get("folder") == str(folder):
            self._run("alerce_poll", broker=["fake"])

    def _classify(self) -> CommandError | None:
        """Classify; return the error of a classifier that failed, after which the demo goes on and fails at its end."""
        try:
            self._run("alerce_classify")
        except CommandError as error:
            self.stderr.write(self.style.WARNING(str(error)))
            return error
        return None

    def _submit(self) -> None:
        """Send requests for the best to the fake facility, play its telescope for the first, and follow them; to another nothing is sent.

        With LCO and without its portal they stay drafts, which is no failure of the demo.
        """
        fake = conf.get("FACILITY")["name"] == "fake"
        try:
            self._run("alerce_submit", dry_run=not fake, send=fake, top=3, user=USER)
            for request in FollowupRequest.objects.filter(state=FollowupRequest.State.SUBMITTED, facility="Fake").order_by("pk")[:1]:
                self.stdout.write(f"{request.sky_object.name} is to be observed every 3 days. The fake facility's telescope observes it.")
                rule = {"every": 3.0, "most": 5, "until": timezone.now() + timedelta(days=30), "classified": True}
                if request.series is None:
                    series.begin(request, request.user, **rule)
                play(request.observation_id, "COMPLETED")
            self._run("alerce_sync", requests=True)
            self._classify_observed()
        except CommandError as error:
            if error.returncode != 1:
                raise
            self.stdout.write(self.style.WARNING(f"Requests are drafted and pass our own check. {error}"))

    def _classify_observed(self) -> None:
        """Write the class that a spectrum might have shown into the targets that were observed, so that the page of the yield has some."""
        for request in FollowupRequest.objects.filter(state=FollowupRequest.State.OBSERVED).exclude(target=None):
            TargetExtra.objects.update_or_create(target=request.target, key="classification", defaults={"value": "SN Ia"})

    def _run(self, name: str, *args: str, **options: Any) -> None:
        began = time.monotonic()
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n$ manage.py {' '.join((name, *args))}"))
        call_command(name, *args, stdout=self.stdout, stderr=self.stderr, **options)
        self.stdout.write(f"({time.monotonic() - began:.1f} s)")
