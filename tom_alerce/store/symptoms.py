"""What is wrong with a TOM, in sentences, by the limits of ``TOM_ALERCE["HEALTH"]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tom_alerce.store.health import Health, Stream, is_alive, limit, limits

#: Key of the symptom that the alerts have drifted.
DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is wrong: a key that is the same as long as it lasts, and a sentence."""

    key: str
    text: str


def of(health: Health) -> list[Symptom]:
    """All that is wrong."""
    return [*_of_streams(health), *_of_runs(health), *_of_letters(health), *_of_drift(health)]


def of_stream(stream: Stream, at: datetime, host: str = "") -> list[Symptom]:
    """What is wrong with a stream; with a ``host``, only what concerns its workers there."""
    if host:
        here = [one for one in stream.workers if one.host == host]
        alive = [one for one in stream.alive if one.host == host]
        theirs = [one for one in stream.partitions if one.worker in {worker.name for worker in alive}]
        stream = Stream(stream.name, here, alive, theirs)
    if not stream.alive:
        return [_unfollowed(stream, host)]
    found = [*_dead(stream, at), *_waiting(stream), *_stuck(stream, at), *_quiet(stream, at)]
    if stream.lag > limit("lag") and not host:
        found.append(Symptom(f"{stream.name} lag", f"{stream.name}: {stream.lag} packets wait, more than {limit('lag'):.0f}"))
    return found


def moment(at: datetime | None) -> str:
    """A time for a sentence."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _of_streams(health: Health) -> Iterator[Symptom]:
    for stream in health.streams:
        if stream.workers:  # one that nobody has followed within a week may be meant to rest
            yield from of_stream(stream, health.at)


def _unfollowed(stream: Stream, host: str) -> Symptom:
    where = f" at {host}" if host else ""
    if not stream.workers:
        return Symptom(f"{stream.name} unfollowed", f"{stream.name}: no worker follows it{where}, nor has one within a week")
    last = max(stream.workers, key=lambda one: one.beat)
    fate = f"left at {moment(last.ended)}" if last.ended else f"gave its last sign of life at {moment(last.beat)}"
    return Symptom(f"{stream.name} unfollowed", f"{stream.name}: no worker follows it{where}: {last.name} {fate}")


def _dead(stream: Stream, at: datetime) -> Iterator[Symptom]:
    """Workers that were killed, and that no later one has replaced."""
    latest = max(one.started for one in stream.alive)
    for worker in stream.workers:
        if worker.ended is None and not is_alive(worker, at) and worker.beat > latest:
            yield Symptom(f"{worker.name} dead", f"{worker.name} is dead, its last sign of life was at {moment(worker.beat)}")


def _waiting(stream: Stream) -> Iterator[Symptom]:
    for worker in stream.alive:
        if worker.problem:
            yield Symptom(f"{worker.name} waits", f"{worker.name} waits: {worker.problem}")


def _stuck(stream: Stream, at: datetime) -> Iterator[Symptom]:
    """Partitions in which packets wait and nothing moves, of workers that are alive."""
    names = {one.name for one in stream.alive}
    stuck = [one for one in stream.partitions if one.waits and one.worker in names and (at - one.waits).total_seconds() > limit("stuck")]
    if stuck:
        where = f"{stuck[0].topic} {stuck[0].partition}: {stuck[0].lag} packets wait"
        text = f"no batch was committed for {limit('stuck'):.0f} s at {len(stuck)} of {len(stream.partitions)} partitions, such as {where}"
        yield Symptom(f"{stream.name} stuck", f"{stream.name}: {text}")


def _quiet(stream: Stream, at: datetime) -> Iterator[Symptom]:
    last = stream.batched or min(one.started for one in stream.workers)
    if (at - last).total_seconds() > limit("quiet"):
        yield Symptom(f"{stream.name} quiet", f"{stream.name}: nothing has come since {moment(last)}")


def _of_runs(health: Health) -> Iterator[Symptom]:
    """Commands and pollers that have not succeeded for longer than the settings allow them."""
    last = {run.name: (run.succeeded, run.problem) for run in health.runs}
    last |= {f"poller {poller.broker}": (poller.succeeded, "") for poller in health.pollers}
    for name, seconds in limits()["runs"].items():
        succeeded, problem = last.get(name, (None, ""))
        if succeeded is None or health.at - succeeded > timedelta(seconds=seconds):
            yield Symptom(f"{name} late", f"{name} last succeeded {moment(succeeded)}{f': {problem}' if problem else ''}")


def _of_letters(health: Health) -> Iterator[Symptom]:
    if health.letters.hour > limit("letters"):
        text = f"{health.letters.hour} dead letters within an hour, more than {limit('letters'):.0f}"
        yield Symptom("letters", text)


def _of_drift(health: Health) -> Iterator[Symptom]:
    if health.drift is not None and health.drift.quantities:
        text = f"the alerts of {health.drift.night} have drifted from the training set, most of all in {health.drift.quantities[0]}"
        yield Symptom(DRIFT, text)
