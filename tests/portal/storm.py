"""Requests sent through a storm of faults: what the portal has afterwards, and what we know of it."""

from __future__ import annotations

import json
import os
import random
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from tests.portal import servers
from tests.portal.proxy import Proxy

ROOT = Path(__file__).resolve().parents[2]
#: Seconds that the portal has to answer.
TIMEOUT = 2.0
#: How the one connection begins that matters most.
POST = b"POST /api/requestgroups/ "
FAULTS = ("none", "refused", "reset", "blackhole", "stall", "eaten", "portal killed", "worker killed", "database cut")
#: Seconds after the time-out at which a worker that does not answer is taken for hanging.
_PATIENCE = 30.0


class Worker:
    """A worker process of a TOM; `ask` waits for its answer, `kill` is kill -9."""

    def __init__(self, portal: servers.Portal, proxy: Proxy, data: Path) -> None:
        settings = {
            "TOM_ALERCE_POSTGRESQL": "1",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(portal.postgres.port),
            "PGUSER": "postgres",
            "PGDATABASE": "tom",
            "LCO_API_KEY": servers.TOKEN,
            "LCO_PORTAL_URL": f"http://127.0.0.1:{proxy.port}",
            "LCO_PROPOSAL": servers.PROPOSAL,
            "SPOILT_TIMEOUT": str(TIMEOUT),
            "TOM_ALERCE_DEMO_DATA": str(data),
            "LOG_LEVEL": "CRITICAL",
        }
        self._environment = {**os.environ, **settings, "DJANGO_SETTINGS_MODULE": "tests.portal.tom_settings"}
        self._log = data / "worker.log"

    def manage(self, *arguments: str) -> None:
        """Run a command of the TOM."""
        subprocess.run([sys.executable, "-m", "django", *arguments], cwd=ROOT, env=self._environment, check=True, capture_output=True)

    def start(self) -> None:
        """Start the process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.portal.worker"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._answer(60.0) == "ready", self.log

    def ask(self, *order: Any, seconds: float = _PATIENCE) -> Any:
        """Answer to an order; None if the process has died of it."""
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except BrokenPipeError:
            return None
        return self._answer(seconds)

    def _answer(self, seconds: float) -> Any:
        out = self._process.stdout
        assert out is not None
        if not select.select([out], [], [], seconds)[0]:
            raise TimeoutError(f"the worker says nothing for {seconds} s: {self.log}")
        line = out.readline()
        return json.loads(line) if line else None

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it, with its pipes."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it has not read is lost
                pipe.close()  # type: ignore[union-attr]

    @property
    def log(self) -> str:
        """The end of what it has written."""
        return self._log.read_text()[-2000:]

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None


class Storm:
    """Two workers of one TOM, a portal, and what goes wrong between them."""

    def __init__(self, portal: servers.Portal, folder: Path, seed: int = 1) -> None:
        self.portal, self.proxy, self.random = portal, Proxy(portal.port), random.Random(seed)
        portal.postgres.query("create database tom")
        self.workers = [Worker(portal, self.proxy, folder) for _ in range(2)]
        self.workers[0].manage("migrate", "-v0")
        for worker in self.workers:
            worker.start()
        self.waits: list[float] = []
        self.suffered: Counter[str] = Counter()
        self._before = self._tokens()

    def _tokens(self) -> Counter[str]:
        return Counter(group["requests"][0]["observation_note"] for group in self.portal.groups())

    def stop(self) -> None:
        """End the workers."""
        for worker in self.workers:
            worker.end()

    @staticmethod
    def _made(worker: Worker, n: int) -> list[int]:
        keys: list[int] | None = worker.ask("make", n, seconds=n * 5.0 + 30.0)
        assert keys is not None, worker.log
        return keys

    def faults(self, n: int) -> None:
        """Send n requests, each with a fault; all kinds are equally frequent, in random order."""
        keys = self._made(self.workers[0], n)
        kinds = [FAULTS[1 + i % (len(FAULTS) - 1)] for i in range(n)]
        self.random.shuffle(kinds)
        for key, kind in zip(keys, kinds, strict=True):
            self.suffered[kind] += 1
            self._spoilt(key, kind)

    def _spoilt(self, key: int, kind: str) -> None:
        worker = self.workers[0]
        after = self.random.uniform(0.0, 0.08)
        repair = self._arm(kind, worker, after)
        began = time.monotonic()
        answer = worker.ask("send", key, seconds=TIMEOUT + _PATIENCE)
        self.waits.append(time.monotonic() - began)
        repair()
        self.proxy.release()
        if answer is None or not worker.alive:
            worker.end()
            worker.start()

    def _arm(self, kind: str, worker: Worker, after: float) -> Callable[[], None]:
        """Prepare a fault; what mends it afterwards, when it has happened: it must not hit the request that comes next."""
        timers: list[threading.Timer] = []

        def later(do: Callable[[], None]) -> Callable[[], None]:
            def run() -> None:
                timers.append(threading.Timer(after, do))
                timers[-1].daemon = True
                timers[-1].start()

            return run

        def over() -> None:
            for timer in timers:
                timer.join()

        if kind == "refused":
            self.proxy.refuse()
            return self.proxy.listen
        if kind == "portal killed":
            self.proxy.arm("pass", POST, later(self.portal.kill))
            return lambda: (over(), self.portal.kill(), self.portal.start())[0]
        if kind == "worker killed":
            self.proxy.arm("pass", POST, later(worker.kill))
        elif kind == "database cut":
            self.proxy.arm("pass", POST, later(lambda: self.portal.postgres.cut("tom")))
        else:  # half of them spoil whatever comes first
            self.proxy.arm(kind, self.random.choice([POST, b""]))
        return over

    def doubles(self, n: int) -> None:
        """Send n requests from both workers at once."""
        keys = self._made(self.workers[0], n)
        with ThreadPoolExecutor(2) as pool:
            for key in keys:
                for done in [pool.submit(worker.ask, "send", key) for worker in self.workers]:
                    done.result()

    def calm(self, n: int, guarded: bool = False) -> tuple[float, float]:
        """Send n requests undisturbed; medians of our own milliseconds for each, of the clock and of the processor."""
        keys = self._made(self.workers[1], n)
        self.workers[1].ask("guards", guarded)
        for key in keys:
            _, trouble = self.workers[1].ask("send", key)
            assert not trouble, trouble  # a guard may have stopped it
        self.workers[1].ask("guards", False)
        clock, processor = zip(*self.workers[1].ask("cost")[-n:], strict=True)
        return median(clock), median(processor)

    def unfinished(self) -> list[str]:
        """Each request that the facility does not have as far as we know, with what has happened to it."""
        story = "concat_ws(' -> ', nullif(before, ''), after) || ': ' || reason"
        events = f"select string_agg({story}, '; ' order by e.id) from tom_alerce_requestevent e"
        return self.portal.postgres.query(
            f"select concat(r.id, ' ', r.state, ' (', ({events} where e.request_id = r.id), ')') "
            "from tom_alerce_followuprequest r where r.state not in ('submitted', 'scheduled') order by r.id",
            "tom",
        )

    def figures(self) -> dict[str, float]:
        """What is at the portal and what we know, after one synchronisation when everything has arrived that may."""
        time.sleep(TIMEOUT + 11.0)  # a worker that was killed is missed after its time-out and ten seconds
        problems = self.workers[0].ask("sync", seconds=300.0)
        states = Counter(self.workers[0].ask("states"))
        tokens = self._tokens() - self._before
        known = states["submitted"] + states["scheduled"]
        return {
            "requests": float(sum(states.values())),
            "groups": float(sum(tokens.values())),
            "lost": float(sum(states.values()) - known),
            "doubled": float(sum(n - 1 for n in tokens.values())),
            "unknown_after_sync": float(states["unknown"] + states["sending"]),
            "longest_wait_s": max(self.waits, default=0.0),
            "timeout_s": TIMEOUT,
            "problems": float(len(problems)),
        }
