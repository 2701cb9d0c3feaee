"""``manage.py alerce_poll``: query brokers for new alerts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from broker_adapters.errors import AdapterError
from broker_adapters.records import Query
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import mjd, positive
from tom_alerce.management.progress import progress
from tom_alerce.pipeline import poll


class Command(command.Command):
    """Exit code: 0 if every broker answered in full, 1 if one did not (the others are polled nevertheless)."""

    help = (
        "Query brokers for what is new since the last complete answer to the same query, with a day of overlap. Exit code 1: a "
        "broker did not answer, or not completely; what it delivered is stored, and the next poll repeats the query. Single objects "
        "that a broker does not give are passed over, named, and fetched by the next alerce_sync."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the brokers and the fields of the query."""
        parser.add_argument("--broker", action="append", help="default: all of TOM_ALERCE['BROKERS']")
        parser.add_argument("--survey", action="append", help="default: those of TOM_ALERCE['SURVEYS'] that the broker has")
        parser.add_argument("--object", action="append", default=[], metavar="ID", help="only these objects")
        parser.add_argument("--since", type=mjd, metavar="TIME", help="latest detection at or after this time, MJD or ISO, UTC")
        parser.add_argument("--classifier", help="the broker's classifier")
        parser.add_argument("--class", dest="label", help="the broker's class")
        parser.add_argument("--probability", type=float, help="least probability of the class")
        parser.add_argument("--limit", type=positive, default=2000, help="largest number of objects of each survey (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Poll each broker for each survey."""
        problems = []
        for name in options["broker"] or list(conf.get("BROKERS")):
            try:
                available = poll.client(name).surveys
            except (LookupError, AdapterError) as error:
                raise CommandError(str(error)) from error
            surveys = options["survey"] or [s for s in conf.surveys() if s in available]
            if not surveys:
                problems += self._without_surveys(name, options)
            for survey in surveys:
                if survey not in available:
                    raise CommandError(f"{name} has no {survey}; it has: {', '.join(available) or 'none with these settings'}")
                problems += self._poll(name, survey, options)
        if problems:
            raise CommandError("; ".join(problems))

    def _without_surveys(self, name: str, options: dict[str, Any]) -> list[str]:
        """Fail if a requested broker cannot be polled; otherwise print a note."""
        text = f"{name}: not polled, since with these settings it lists no objects of any survey"
        if options["broker"]:
            return [text]
        self.stdout.write(text)
        return []

    def _poll(self, name: str, survey: str, options: dict[str, Any]) -> list[str]:
        fields = {key: options[key] for key in ("since", "classifier", "label", "probability", "limit")}
        query = Query(survey=survey, object_ids=tuple(options["object"]), **fields)
        with progress(f"{name} {survey}", "objects") as done:
            report = poll.poll(name, query, done)
        self.stdout.write(f"{name} {survey}: {report}")
        return [f"{name} {survey}: {report.trouble}"] if report.trouble else []
