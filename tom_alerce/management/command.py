"""What all our commands have in common."""

from __future__ import annotations

import os
import signal
import sys

from django.core.management.base import BaseCommand

#: What a shell says of a program that Ctrl-C has ended, and of one that nobody listens to any more.
INTERRUPTED, UNHEARD = 128 + signal.SIGINT, 128 + signal.SIGPIPE


class Command(BaseCommand):
    """A command that Ctrl-C ends with a sentence: whatever it does is written in whole batches, and may be repeated."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as the program that a person typed, or a timer."""
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted: what was done is kept, and the same command does the rest.")
            sys.exit(INTERRUPTED)
        except BrokenPipeError:  # 'alerce_rank | head'
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(UNHEARD)
