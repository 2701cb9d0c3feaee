"""``manage.py alerce_sync``: follow the requests, and fetch again, from the brokers, targets and what came without a detection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q, QuerySet
from django.utils import timezone

from broker_adapters.errors import AdapterError
from broker_adapters.records import Alert, Broker
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.progress import progress
from tom_alerce.models import SurveyObject
from tom_alerce.pipeline import ingest, poll
from tom_alerce.requests import sync
from tom_alerce.store import awaited


class Command(command.Command):
    """Exit code: 0 if every broker and portal answered in full, 1 if one did not (the others are queried nevertheless)."""

    help = (
        "Follow the requests: look up those whose answer was lost, send again what has certainly not arrived, and ask what became of the "
        "others. Then fetch again the light curves and labels of all objects that are targets of the TOM, and of recent ones that came "
        "without a detection or were only named (by a message of Lasair, or by a broker that failed to give them), from every broker that "
        "has them; new photometry is written to the targets. Exit code 1: a broker or a portal did not answer, or not completely."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--requests`` and ``--broker``."""
        parser.add_argument("--requests", action="store_true", help="follow the requests, and ask no broker")
        parser.add_argument("--broker", action="append", help="default: all of TOM_ALERCE['BROKERS']")

    def handle(self, *args: Any, **options: Any) -> None:
        """Follow the requests, then query each broker for each of its surveys."""
        report = sync.sync()
        problems = list(report.problems)
        if report.reached or options["requests"]:
            self.stdout.write(str(report))
        if not options["requests"]:
            self._brokers(options, problems)
        if problems:
            raise CommandError("; ".join(problems))

    def _brokers(self, options: dict[str, Any], problems: list[str]) -> None:
        asked = 0
        for name in options["broker"] or list(conf.get("BROKERS")):
            try:
                client = poll.client(name)
            except (LookupError, AdapterError) as error:
                raise CommandError(str(error)) from error
            for survey in client.surveys:
                ids = sorted({*_wanted(survey).values_list("object_id", flat=True), *awaited.ids(survey)})
                asked += len(ids)
                problems += self._fetch(name, client, survey, ids) if ids else []
        if not asked:
            self.stdout.write(_why_nothing())

    def _fetch(self, name: str, client: Broker, survey: str, ids: Sequence[str]) -> list[str]:
        """Fetch these objects of one survey from one broker; return what is missing."""
        asked, came = timezone.now(), set[str]()

        def coming() -> Iterator[Alert]:
            for alert in client.fetch(survey, ids):
                came.add(alert.object_id)
                yield alert

        with progress(f"{name} {survey}", "objects", len(ids)) as done:
            report = ingest.ingest_answers(client, coming(), survey, done, f"{name} {survey}")
        awaited.came(survey, came, asked)
        self.stdout.write(f"{name} {survey}: {report}")
        return [f"{name} {survey}: {report.trouble}"] if report.trouble else []


def _why_nothing() -> str:
    """Why no broker was asked for anything."""
    surveys = ", ".join(SurveyObject.objects.order_by("survey").values_list("survey", flat=True).distinct()) or "none"
    of_targets = SurveyObject.objects.filter(sky_object__target__isnull=False).count()
    return (
        f"nothing to fetch: of {SurveyObject.objects.count()} survey objects (surveys: {surveys}) {of_targets} belong to targets, none "
        f"came without a detection in the last {conf.get('RANK_DAYS'):g} days; or these brokers do not have their surveys"
    )


def _wanted(survey: str) -> QuerySet[SurveyObject]:
    """Objects of a survey that are targets, and recent ones without a detection."""
    created = timezone.now() - timedelta(days=conf.get("RANK_DAYS"))
    wanted = Q(sky_object__target__isnull=False) | Q(n_detections=0, created__gte=created)
    return SurveyObject.objects.filter(wanted, survey=survey).order_by("object_id")
