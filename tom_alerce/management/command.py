"""Base class of our commands."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Mapping
from datetime import datetime
from pkgutil import iter_modules
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from tom_alerce import migrations
from tom_alerce.store import beats, disk

#: Exit codes after SIGINT (Ctrl-C) and after SIGPIPE (nobody reads the output any more), as a shell reports them.
INTERRUPTED, BROKEN_PIPE = 128 + signal.SIGINT, 128 + signal.SIGPIPE
#: Options of every command.
_DJANGOS = frozenset({"traceback", "no_color", "force_color", "skip_checks"})

logger = logging.getLogger(__name__)


def unapplied() -> list[str]:
    """Names of our migrations that the database lacks, oldest first."""
    applied = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "tom_alerce"}
    return sorted({module.name for module in iter_modules(migrations.__path__)} - applied)


def _record(name: str, started: datetime, problem: str) -> None:
    """Write that a command has run, and once a day how large the database is; the run is not spoilt where that cannot be written."""
    try:
        beats.ran(name, started, problem)
        disk.measure()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("%s: its run could not be written: %s", name, error)


class Command(BaseCommand):
    """A command that ends with one line after Ctrl-C, and before ``migrate``: it writes in whole batches, and may be run again."""

    #: Whether the health page tells of its runs.
    recorded = True

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, from the command line or from code; CommandError if the tables are not those of this version."""
        if missing := unapplied():
            raise CommandError(f"run 'manage.py migrate' first: the database lacks {len(missing)} of our migrations ({missing[0]}, ...)")
        started, problem = timezone.now(), "it was interrupted"
        try:
            done = super().execute(*args, **options)
            problem = ""
            return done
        except Exception as error:
            problem = f"{error}" or type(error).__name__
            raise
        finally:
            if self.recorded:
                _record(self._name(options), started, problem)

    def _name(self, options: Mapping[str, Any]) -> str:
        """The command with the switches that make its runs a kind of their own: ``alerce_sync --requests``."""
        switches = sorted(key for key, value in options.items() if value is True and key not in _DJANGOS)
        return " ".join([type(self).__module__.rpartition(".")[2], *(f"--{key.replace('_', '-')}" for key in switches)])

    def run_from_argv(self, argv: list[str]) -> None:
        """Run from the command line."""
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted: what is done is stored; run the same command again for the rest.")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # 'alerce_rank | head'
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE)
