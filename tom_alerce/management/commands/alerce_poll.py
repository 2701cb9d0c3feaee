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
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline import poll
from tom_alerce.pipeline.pollers import queue
from tom_alerce.pipeline.stream import Stop


class Command(command.Command):
    """Exit code: 0 if every broker answered in full, 1 if one did not (the others are polled nevertheless)."""

    help = (
        "Query brokers for what is new since the last complete answer to the same query, with a day of overlap. Exit code 1: a "
        "broker did not answer, or not completely; what it delivered is stored, and the next poll repeats the query. Single objects "
        "that a broker does not give are passed over, named, and fetched by the next alerce_sync. With --once or --loop the queue of the "
        "pollers does it in the background, one object after the other, with awaited objects and forced photometry of targets: what "
        "cannot be had now is asked for again later, by whichever worker."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the brokers, the fields of the query, and how the queue runs."""
        parser.add_argument("--broker", action="append", help="default: all of TOM_ALERCE['BROKERS']")
        parser.add_argument("--survey", action="append", help="default: those of TOM_ALERCE['SURVEYS'] that the broker has")
        parser.add_argument("--object", action="append", default=[], metavar="ID", help="only these objects")
        parser.add_argument("--since", type=mjd, metavar="TIME", help="latest detection at or after this time, MJD or ISO, UTC")
        parser.add_argument("--classifier", help="the broker's classifier")
        parser.add_argument("--class", dest="label", help="the broker's class")
        parser.add_argument("--probability", type=float, help="least probability of the class")
        parser.add_argument("--limit", type=positive, default=2000, help="largest number of objects of each survey (default: %(default)s)")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="add the queries to the queue, do what is due, and end (for cron)")
        how.add_argument(
            "--loop", type=positive, metavar="MINUTES", help="the same every so many minutes, until SIGTERM (for a supervisor)"
        )
        parser.add_argument("--seconds", type=positive, default=540, help="with --once: end after this time (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Poll each broker for each survey, or let the queue do it."""
        problems: list[str] = []
        queries = self._queries(options, problems)
        if options["once"]:
            queue.refill(queries)
            report = queue.serve(options["seconds"])
            self.stdout.write(str(report))
            problems += [f"{name}: {why}" for name, why in report.problems.items()]
        elif options["loop"]:
            with terminated(stop := Stop()):
                queue.run(60.0 * options["loop"], queries, stop, lambda report: self.stdout.write(str(report)))
        else:
            for name, query in queries:
                problems += self._poll(name, query)
        if problems:
            raise CommandError("; ".join(problems))

    def _queries(self, options: dict[str, Any], problems: list[str]) -> list[tuple[str, Query]]:
        """What each broker is to be asked; a broker that was named and cannot be polled is a problem."""
        queries = []
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
                queries.append((name, _query(survey, options)))
        return queries

    def _without_surveys(self, name: str, options: dict[str, Any]) -> list[str]:
        """Fail if a requested broker cannot be polled; otherwise print a note."""
        text = f"{name}: not polled, since with these settings it lists no objects of any survey"
        if options["broker"]:
            return [text]
        if not (options["once"] or options["loop"]):
            self.stdout.write(text)
        return []

    def _poll(self, name: str, query: Query) -> list[str]:
        with progress(f"{name} {query.survey}", "objects") as done:
            report = poll.poll(name, query, done)
        self.stdout.write(f"{name} {query.survey}: {report}")
        return [f"{name} {query.survey}: {report.trouble}"] if report.trouble else []


def _query(survey: str, options: dict[str, Any]) -> Query:
    fields = {key: options[key] for key in ("since", "classifier", "label", "probability", "limit")}
    return Query(survey=survey, object_ids=tuple(options["object"]), **fields)
