"""Runs several commands as children: some always, started again with growing pauses when they end, others every so often."""

from __future__ import annotations

import logging
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tom_alerce.pipeline.stream import Stop

logger = logging.getLogger(__name__)

#: Seconds between two looks at the children; the first and the longest pause before one is started again; after how long a run it counts as
#: well; seconds that children have to end.
LOOK, PAUSE, LONGEST, WELL, GRACE = 0.2, 1.0, 60.0, 60.0, 8.0


@dataclass(frozen=True, slots=True)
class Job:
    """A command line, and seconds from one start to the next; None: it runs always."""

    name: str
    argv: tuple[str, ...]
    every: float | None = None


@dataclass(slots=True)
class _Child:
    """A job at work: its process, when that was started and is due next (monotonic), and failures in a row."""

    job: Job
    due: float
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0


def supervise(
    jobs: Sequence[Job], stop: Stop, tick: Callable[[], object] = lambda: None, most: int = 2, env: Mapping[str, str] | None = None
) -> None:
    """Run jobs until a stop is requested, then send SIGTERM to the children, and SIGKILL to those that do not end within `GRACE`.

    Parameters
    ----------
    jobs : sequence of Job
        What runs.
    stop : Stop
        Asked several times a second.
    tick : callable
        Called between two looks at the children.
    most : int
        Number of jobs at a time of those that do not run always, so that a small machine is not swamped.
    env : mapping, optional
        Environment of the children.
    """
    now = time.monotonic()
    children = [_Child(job, now) for job in jobs]
    try:
        while not stop:
            for child in children:
                _look(child)
            busy = sum(one.process is not None and one.job.every is not None for one in children)
            for child in sorted(children, key=lambda one: one.due):
                if _may_start(child, busy, most):
                    busy += child.job.every is not None
                    _start(child, env)
            tick()
            stop.wait(LOOK)
    finally:
        _end(children)


def _may_start(child: _Child, busy: int, most: int) -> bool:
    return child.process is None and child.due <= time.monotonic() and (child.job.every is None or busy < most)


def _start(child: _Child, env: Mapping[str, str] | None) -> None:
    """Start a child in a session of its own: a Ctrl-C is for the supervisor, which ends the children."""
    child.started = time.monotonic()
    try:
        child.process = subprocess.Popen(child.job.argv, env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:  # no memory, too many processes
        _failed(child, str(error))
        return
    logger.info("%s: started as process %d", child.job.name, child.process.pid)


def _look(child: _Child) -> None:
    """If a child has ended say how, and set when it is started again."""
    if child.process is None or (code := child.process.poll()) is None:
        return
    child.process = None
    if time.monotonic() - child.started >= WELL:
        child.failures = 0
    if child.job.every is not None and code == 0:
        child.failures, child.due = 0, child.started + child.job.every
    elif child.job.every is not None:
        child.due = child.started + child.job.every
        logger.warning("%s: %s; next run in %.0f s", child.job.name, _said(code), max(child.due - time.monotonic(), 0.0))
    else:
        _failed(child, _said(code))


def _failed(child: _Child, why: str) -> None:
    pause = min(PAUSE * 2**child.failures, LONGEST)
    child.failures = min(child.failures + 1, 16)
    child.due = time.monotonic() + pause
    logger.warning("%s: %s; started again in %.0f s", child.job.name, why, pause)


def _said(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _end(children: Sequence[_Child]) -> None:
    """End all children, at once, and wait for them."""
    alive = [one.process for one in children if one.process is not None and one.process.poll() is None]
    for process in alive:
        process.terminate()
    end = time.monotonic() + GRACE
    for process in alive:
        try:
            process.wait(max(end - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            logger.warning("process %d did not end within %.0f s: killed", process.pid, GRACE)
            process.kill()
            process.wait()
