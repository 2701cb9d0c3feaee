"""Alerts per second from a stream to committed rows, through `tom_alerce.pipeline.stream` itself; latency, memory, and bytes on disk.

Copies of real ZTF packets (simulated ones where there are none), each of an object of its own, come from a file, or from a real Kafka with
``--kafka HOST:PORT``. Tables are a new SQLite file in a temporary folder and, where the environment names one, PostgreSQL::

    .ci/with-postgresql env PGDATABASE=postgres python -m benchmarks stream --json

PostgreSQL gives all figures, SQLite its rates; all of them where there is no PostgreSQL. ``alerts_per_s_...`` is wall-clock of one worker,
which other work on the machine lowers; ``..._free`` follows from the processor time of its stages (``..._us_prepare``, ``..._us_store``),
which run side by side on two cores: the slower one bounds the rate, or both together if they exceed two cores.

alerts_per_s_VENDOR
    5 % are kept, by their class; ``alerts_per_s_all``: all are.
second_worker_gain
    Rate of two workers, in processes of their own, over that of one; ``two_workers_per_s`` is that rate.
visit_s
    Seconds for 10,000 alerts of a visit of Rubin, of which 5 % are kept, by as many workers as that is faster with.
latency_p50_s, latency_p99_s
    From the message to the committed row, at 100 alerts a second.
targets_alerts_per_s
    Alerts about objects that are targets.
alerts_per_s_10k, alerts_per_s_1m
    All kept, with so many objects, and as many targets, in the tables before.
bytes_per_alert_kept, bytes_per_alert_seen
    Bytes of our tables and their indexes.
memory_growth
    Resident memory of a worker after all alerts of a long run over that after a tenth of them, less 1.
classified_alerts_per_s, classified_after_per_s
    All kept and classified as objects, in the transaction of their batch and after it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser


def add_arguments(parser: ArgumentParser) -> None:
    """Add the sizes of the parts; 0 leaves one out."""
    parser.add_argument("--alerts", type=int, default=2000, help="alerts of a rate")
    parser.add_argument("--targets", type=int, default=500, help="alerts about targets")
    parser.add_argument("--visit", type=int, default=10_000, help="alerts of a visit, and different ones of the long run")
    parser.add_argument("--memory", type=int, default=100_000, help="alerts of the long run")
    parser.add_argument("--seconds", type=int, default=20, help="of alerts whose latency is measured")
    parser.add_argument("--objects", type=int, default=1_000_000, help="objects in the tables before, at most")
    parser.add_argument("--classified", type=int, default=500, help="alerts that are classified as objects")
    parser.add_argument("--kafka", default="", metavar="HOST:PORT", help="a broker through which the rates go")


def run(**options: int | str) -> dict[str, float]:
    """Figures of both databases; each in a process of its own."""
    few = {**options, **dict.fromkeys(("targets", "visit", "memory", "seconds", "objects", "classified"), 0)}
    if not os.getenv("TOM_ALERCE_POSTGRESQL"):
        return _measured(options, {})
    return _measured(few, {"TOM_ALERCE_POSTGRESQL": ""}) | _measured(options, {})


def _measured(options: dict[str, int | str], environment: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.stream.measure", json.dumps(options)]
    done = subprocess.run(command, env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures
