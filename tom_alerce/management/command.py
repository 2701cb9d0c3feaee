"""Base class of our commands."""

from __future__ import annotations

import os
import signal
import sys
from pkgutil import iter_modules
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tom_alerce import migrations

#: Exit codes after SIGINT (Ctrl-C) and after SIGPIPE (nobody reads the output any more), as a shell reports them.
INTERRUPTED, BROKEN_PIPE = 128 + signal.SIGINT, 128 + signal.SIGPIPE


def unapplied() -> list[str]:
    """Names of our migrations that the database lacks, oldest first."""
    applied = {name for app, name in MigrationRecorder(connection).applied_migrations() if app == "tom_alerce"}
    return sorted({module.name for module in iter_modules(migrations.__path__)} - applied)


class Command(BaseCommand):
    """A command that ends with one line after Ctrl-C, and before ``migrate``: it writes in whole batches, and may be run again."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, from the command line or from code; CommandError if the tables are not those of this version."""
        if missing := unapplied():
            raise CommandError(f"run 'manage.py migrate' first: the database lacks {len(missing)} of our migrations ({missing[0]}, ...)")
        return super().execute(*args, **options)

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
