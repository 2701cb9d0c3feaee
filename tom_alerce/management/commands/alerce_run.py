"""``manage.py alerce_run``: everything that a small TOM runs, as one process with its children."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections

from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import positive
from tom_alerce.management.supervisor import Job, supervise
from tom_alerce.management.terminated import terminated
from tom_alerce.pipeline.stream import Stop
from tom_alerce.store import health, incidents, symptoms

logger = logging.getLogger(__name__)

MINUTE, DAY = 60.0, 86_400.0
#: Command line -> seconds from one start to the next; ``RUN`` in the settings adds to it, and takes away what it gives None.
USUAL = {
    "alerce_classify": 10 * MINUTE,
    "alerce_rank": 10 * MINUTE,
    "alerce_trigger": 10 * MINUTE,
    "alerce_notify": 2 * MINUTE,
    "alerce_sync --requests": 5 * MINUTE,
    "alerce_sync": DAY,
    "alerce_drift": DAY,
    "alerce_prune --delete": DAY,
}
#: Seconds between two looks for what is wrong.
ALARM = 60.0


class Command(command.Command):
    """Exit code: 0 after SIGTERM, within ten seconds."""

    recorded = False
    help = (
        "Run everything that a small TOM needs, as children of one process: every stream of TOM_ALERCE['STREAMS'] with --classify, "
        "started again with growing pauses when it ends, and the other commands every so often, as TOM_ALERCE['RUN'] says. What is wrong "
        "is announced by the notifications. After SIGTERM the children finish their batches."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--plan``, ``--no-streams`` and ``--at-once``."""
        parser.add_argument("--plan", action="store_true", help="print what would run, and end")
        parser.add_argument("--no-streams", action="store_true", help="leave the streams to processes of their own, such as containers")
        parser.add_argument(
            "--at-once", type=positive, default=2, help="commands, beside streams, that run at a time (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Supervise."""
        jobs = list(plan(streams=not options["no_streams"]))
        if options["plan"]:
            for job in jobs:
                self.stdout.write(f"{'always' if job.every is None else f'every {job.every:.0f} s':<16} {job.name}")
            if not any(job.name.startswith("alerce_poll") for job in jobs):
                self.stdout.write("No broker is polled: name alerce_poll, with the query that you want, in TOM_ALERCE['RUN'].")
            return
        with terminated(stop := Stop()):
            supervise(jobs, stop, _Alarm(), options["at_once"], _environment())


def plan(*, streams: bool = True) -> Iterator[Job]:
    """What runs, by the settings; of a stream that ``RUN`` gives to ``alerce_notices`` no alerts are expected.

    Raises
    ------
    CommandError
        The settings name a command that there is not.
    """
    run: Mapping[str, float | None] = conf.get("RUN")
    notices = {word for line in run if line.startswith("alerce_notices ") for word in shlex.split(line)[1:]}
    names = [name for name in conf.get("STREAMS") if streams and name not in notices]
    always: dict[str, float | None] = {f"alerce_stream {shlex.quote(name)} --classify": 0.0 for name in names}
    for line, every in {**always, **USUAL, **run}.items():
        if every is None:
            continue
        words = shlex.split(line)
        if not words or words[0] not in get_commands():
            raise CommandError(f"TOM_ALERCE['RUN'] names no command: {line!r}")
        argv = (sys.executable, "-m", "tom_alerce.management.child", str(os.getpid()), *words)
        yield Job(line, argv, every or None)


def _environment() -> dict[str, str]:
    """The environment of the children: our settings, and our path to modules."""
    path = os.pathsep.join(one or os.getcwd() for one in sys.path)
    return {**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE, "PYTHONPATH": path}


class _Alarm:
    """Looks once a minute for what is wrong, and announces it."""

    def __init__(self) -> None:
        self._due = time.monotonic() + ALARM

    def __call__(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + ALARM
        close_old_connections()
        try:
            for incident in incidents.note(symptoms.of(health.read())).opened:
                logger.warning("%s", incident.text)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("whether something is wrong could not be read: %s", error)
