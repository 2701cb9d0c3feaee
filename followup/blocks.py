"""Observations in the night: what a telescope can do when, and a book of what it does, with the slews between neighbours."""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from followup import slots
from followup.records import Exposure, Night

Array = NDArray[np.float64]

#: Part of its worth that a target loses from the zenith to the horizon: extinction and seeing, beyond what the ranking says of them.
LOW = 0.2
#: Degrees a second that a telescope turns, on top of the time that each request takes for acquisition (`Instrument.setup`).
RATE = 2.0
DAY = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class Telescope:
    """One instrument at one site for one night, and what each of n targets means to it.

    Attributes
    ----------
    facility, instrument : str
        A plug-in of ``followup/facilities`` or a dotted module, and one of its instruments.
    night : Night
        Of the n targets at the site.
    within : ndarray of bool, shape (n, t)
        Whether the telescope can point at each target, at the times of the night.
    seconds : ndarray, shape (n,)
        Length of an observation, overheads included; NaN where there can be none.
    scores : ndarray, shape (n,)
        What it is worth by the ranking for the site, in [0, 1]; 0: not at all.
    exposures : tuple of tuple of Exposure, length n
    reasons : tuple of str, length n
        Why there can be no observation; '' where there can.
    hours : float
        Hours of the telescope that may be used; overheads count, slews do not.
    """

    facility: str
    instrument: str
    night: Night
    within: NDArray[np.bool_] = field(repr=False)
    seconds: Array
    scores: Array
    exposures: tuple[tuple[Exposure, ...], ...]
    reasons: tuple[str, ...]
    hours: float = math.inf

    @property
    def name(self) -> str:
        """Site and instrument, for people."""
        return f"{self.night.site.name}, {self.instrument}"

    def windows(self, i: int) -> Iterator[tuple[float, float]]:
        """Begin and end (MJD, UTC) of the stretches in which it can point at target i."""
        half = self.night.step / 2.0
        for first, last in slots.runs(self.within[i]):
            yield float(self.night.times[first]) - half, float(self.night.times[last - 1]) + half

    def worth(self, i: int, middle: Array) -> Array:
        """What observations of target i with these middles (MJD, UTC) are worth."""
        sine = np.sin(np.radians(np.interp(middle, self.night.times, self.night.altitude[i])))
        return np.asarray(self.scores[i] * (1.0 - LOW * (1.0 - np.clip(sine, 0.0, 1.0))))


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """An observation in a plan: telescope and target (indices), begin and end (MJD, UTC; overheads included), and its worth."""

    telescope: int
    start: float
    end: float
    target: int
    value: float = field(compare=False)


class Book:
    """Observations as they are put into the night, with slews between neighbours."""

    def __init__(self, telescopes: Sequence[Telescope], turn: Array, most: float) -> None:
        self.telescopes, self.turn, self.most = telescopes, turn, most
        self.lists: list[list[Block]] = [[] for _ in telescopes]
        self.left = [telescope.hours * 3600.0 for telescope in telescopes]

    def put(self, block: Block) -> None:
        """Put an observation into the night; the caller has made sure that it fits."""
        insort(self.lists[block.telescope], block)
        self.left[block.telescope] -= self.telescopes[block.telescope].seconds[block.target]
        self.most -= 1

    def best(self, i: int) -> Block | None:
        """The observation of target i that is worth most among those that fit; the earliest of equals."""
        found = [block for m in range(len(self.telescopes)) for block in self._fitting(i, m)]
        return max(found, key=lambda block: (round(block.value, 12), -block.start, -block.telescope), default=None)

    def block(self, i: int, m: int, start: float) -> Block:
        """The observation of target i by telescope m that begins then."""
        length = float(self.telescopes[m].seconds[i]) / DAY
        return Block(m, start, start + length, i, float(self.telescopes[m].worth(i, np.array([start + length / 2.0]))[0]))

    def fits(self, i: int, m: int) -> bool:
        """Whether target i is worth anything to telescope m, and within what is left of hours and number."""
        telescope = self.telescopes[m]
        return bool(telescope.scores[i] > 0.0 and telescope.seconds[i] <= self.left[m] + 1e-6 and self.most >= 1)

    def _fitting(self, i: int, m: int) -> Iterator[Block]:
        """In each gap: as early, as late and as high as possible."""
        if not self.fits(i, m):
            return
        telescope, blocks = self.telescopes[m], self.lists[m]
        length = float(telescope.seconds[i]) / DAY
        for before, after in zip([None, *blocks], [*blocks, None], strict=True):
            for begin, end in telescope.windows(i):
                early = begin if before is None else max(begin, before.end + self.turn[before.target, i])
                late = (end if after is None else min(end, after.start - self.turn[i, after.target])) - length
                if late < early:
                    continue
                high = float(telescope.night.times[int(np.argmax(telescope.night.altitude[i]))]) - length / 2.0
                for start in {early, late, min(max(high, early), late)}:
                    yield self.block(i, m, start)

    def lay(self, m: int, order: Sequence[tuple[int, float]]) -> None:
        """Put targets on a telescope in this order, each no earlier than its start, and later where the slew needs it; or not at all."""
        last: Block | None = None
        for i, start in order:
            early = start if last is None else max(start, last.end + self.turn[last.target, i])
            length = float(self.telescopes[m].seconds[i]) / DAY
            fits = (max(begin, early) for begin, end in self.telescopes[m].windows(i) if max(begin, early) + length <= end)
            at = next(fits, None)
            if at is not None and self.fits(i, m):
                last = self.block(i, m, at)
                self.put(last)

    def fill(self, order: Sequence[int]) -> None:
        """Put what still fits, in this order."""
        placed = {block.target for blocks in self.lists for block in blocks}
        for i in order:
            if i not in placed and (block := self.best(i)):
                self.put(block)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All observations, in the order of telescopes and time."""
        return tuple(block for blocks in self.lists for block in blocks)


def turns(ra: Array, dec: Array) -> Array:
    """Days that a telescope turns from each target to each other, shape (n, n)."""
    a, d = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    unit = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)
    return np.asarray(np.degrees(np.arccos(np.clip(unit @ unit.T, -1.0, 1.0))) / RATE / DAY)
