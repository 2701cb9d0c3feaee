"""Evenings of objects: what does not depend on the calendar is worked out once, and kept on disk.

Light curves are moved by whole days, so that an evening of an object is a day of its own: day d (MJD, a whole number) is seen at d + 1 h,
UTC, and observed at d + 8 h. A *state* is an object on a day; an *evidence* is what was measured until then, the same on the days that
follow until the next measurement.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.campaign.subjects import RARE, SUPERNOVAE, Floats, Subject
from broker_adapters.records import Detections
from followup.brightness import trend

Ints = NDArray[np.int64]

#: Hours of an evening and of its observation, as parts of a day.
EVENING, OBSERVED = 1.0 / 24.0, 8.0 / 24.0

#: Days since the latest detection after which an object leaves the pool, and the limit of the instrument.
RECENT, LIMIT = 30.0, 19.0

#: Days over which a trend is extrapolated, as by `followup.brightness`.
AHEAD = 3.0

#: Days about the peak of a hit, and after the first detection of a young supernova.
NEAR, YOUNG = 4.0, 3.0

#: Version of the files on disk.
_VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """m states of n objects, in the order of objects and days; those of an object follow each other without a gap.

    Attributes
    ----------
    start : shape (n + 1,)
        Place of the first state of each object.
    day0 : shape (n,)
        Its day.
    subject, day, evidence : shape (m,)
        Place of the object, day, and place of the evidence.
    magnitude : shape (m,)
        The brighter of the magnitudes when last seen and now (`followup.brightness.trend`); infinite where none is known.
    latest : shape (m,)
        Magnitude when last seen, which "brightest first" goes by.
    true_magnitude : shape (m,)
        At the time of observation.
    until : shape (k,)
        Number of rows of each evidence; ``of`` (k,) is its object.
    """

    start: Ints
    day0: Ints
    subject: Ints
    day: Ints
    evidence: Ints
    magnitude: Floats
    latest: Floats
    true_magnitude: Floats
    until: Ints
    of: Ints

    def row(self, subject: Ints, day: Ints) -> Ints:
        """States of objects on days, shape of both; -1 where an object has none."""
        place = self.start[subject] + day - self.day0[subject]
        return np.where((day >= self.day0[subject]) & (place < self.start[subject + 1]), place, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is true of each state, shape (m,): a hit if observed, young if observed, and rare; and the days from the true peak."""

    hit: NDArray[np.bool_]
    young: NDArray[np.bool_]
    rare: NDArray[np.bool_]
    from_peak: Floats


def truth(subjects: Sequence[Subject], states: States, limit: float = LIMIT, near: float = NEAR) -> Truth:
    """Judge each state: a hit is an SN Ia within ``near`` days of its peak and brighter than ``limit`` when it is observed."""
    at = states.day + OBSERVED
    labels = np.array([s.label for s in subjects])
    from_peak = at - np.array([s.peak for s in subjects])[states.subject]
    with np.errstate(invalid="ignore"):
        hit = (labels == "SNIa")[states.subject] & (np.abs(from_peak) <= near) & (states.true_magnitude < limit)
    since = at - np.array([s.first for s in subjects])[states.subject]
    young = np.isin(labels, SUPERNOVAE)[states.subject] & (since <= YOUNG)
    return Truth(hit, young, np.isin(labels, RARE)[states.subject], from_peak)


def states(subjects: Sequence[Subject]) -> States:
    """States of objects from their first evening to `RECENT` days after their last detection."""
    parts: list[tuple[NDArray[Any], ...]] = []
    until: list[int] = []
    of: list[int] = []
    start, day0 = [0], []
    for i, subject in enumerate(subjects):
        mjd = np.ascontiguousarray(subject.rows["mjd"])
        days = np.arange(int(np.ceil(subject.first - EVENING)), int(mjd[-1] + RECENT) + 1)
        seen = np.searchsorted(mjd, days + EVENING, side="right")
        kinds, which = np.unique(seen, return_inverse=True)
        latest, now = _brightness(subject.rows, kinds, which, days)
        magnitude = np.minimum(latest, now)
        parts.append((np.full(len(days), i), days, len(until) + which, magnitude, latest, subject.magnitude(days + OBSERVED)))
        until += kinds.tolist()
        of += [i] * len(kinds)
        start.append(start[-1] + len(days))
        day0.append(int(days[0]))
    subject_, day, evidence, magnitude, latest, true = map(np.concatenate, zip(*parts, strict=True))
    return States(np.array(start), np.array(day0), subject_, day, evidence, magnitude, latest, true, np.array(until), np.array(of))


def _brightness(rows: Detections, kinds: Ints, which: Ints, days: Ints) -> tuple[Floats, Floats]:
    """Magnitudes when last seen and now, shape of `days`; infinite where unknown, or last seen more than `RECENT` days before.

    `kinds` (k,) are numbers of rows, and `which` says which of them each day has. A trend is the same line until the next row.
    """
    latest, now, slope, last = np.full((4, len(kinds)), np.nan)
    for j, (n, day) in enumerate(zip(kinds.tolist(), days[np.searchsorted(which, np.arange(len(kinds)))].tolist(), strict=True)):
        if state := trend(rows[:n], day + EVENING):
            moved = min(day + EVENING - state.last, AHEAD)
            slope[j], last[j], latest[j] = np.nan_to_num(state.slope), state.last, state.latest
            now[j] = state.now - slope[j] * moved
    since = days + EVENING - last[which]
    with np.errstate(invalid="ignore"):
        found = [np.where(since <= RECENT, m, np.nan) for m in (latest[which], now[which] + slope[which] * np.minimum(since, AHEAD))]
    return np.nan_to_num(found[0], nan=np.inf), np.nan_to_num(found[1], nan=np.inf)


def rows_of(subjects: Sequence[Subject], states: States, evidence: int) -> Detections:
    """Rows of one evidence."""
    rows: Detections = subjects[states.of[evidence]].rows[: states.until[evidence]]
    return rows


def eligible(states: States, limit: float = LIMIT) -> Ints:
    """Evidences of states at the limit or brighter, for which a policy is asked; shape (k,)."""
    asked: Ints = np.unique(states.evidence[states.magnitude <= limit])
    return asked


def digest(subjects: Sequence[Subject]) -> str:
    """Digest of the names and rows of objects, 16 hexadecimal digits."""
    found = hashlib.sha256()
    for subject in subjects:
        found.update(subject.name.encode())
        for column in ("mjd", "flux", "flux_err"):
            found.update(np.ascontiguousarray(subject.rows[column]).tobytes())
    return found.hexdigest()[:16]


def kept(folder: Path | None, name: str, make: Callable[[], dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Arrays of a file of the folder; made, and written there, where it is not yet; no folder: made."""
    path = folder / f"{name}-{_VERSION}.npz" if folder else None
    if path is not None and path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp.npz")
        np.savez(unfinished, **made)
        unfinished.replace(path)
    return made


def states_kept(subjects: Sequence[Subject], folder: Path | None) -> States:
    """`states`, kept on disk by the digest of the objects."""
    names = [f.name for f in fields(States)]

    def make() -> dict[str, NDArray[Any]]:
        found = states(subjects)
        return {name: getattr(found, name) for name in names}

    arrays = kept(folder, f"states-{digest(subjects)}", make)
    return States(**{name: arrays[name] for name in names})
