"""Base class of our commands."""

from __future__ import annotations

import os
import signal
import sys

from django.core.management.base import BaseCommand

#: Exit codes after SIGINT (Ctrl-C) and after SIGPIPE (nobody reads the output any more), as a shell reports them.
INTERRUPTED, BROKEN_PIPE = 128 + signal.SIGINT, 128 + signal.SIGPIPE


class Command(BaseCommand):
    """A command that ends with one line after Ctrl-C: it writes in whole batches, and may be run again."""

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
