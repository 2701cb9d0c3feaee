"""``python -m tom_alerce.management.child PARENT COMMAND...``: a command of ours that ends with the process that supervises it.

Where the system can (Linux), the kernel sends SIGTERM when the supervisor is gone, however it went; without it a stream would be followed
by the workers of a supervisor that was killed and by those of the next one.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

#: ``PR_SET_PDEATHSIG`` of prctl(2).
_PDEATHSIG = 1


def main(parent: int, argv: list[str]) -> None:
    """Run a command as a child of a process; end at once if that has gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(f"the supervisor {parent} has gone")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *argv])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
