"""The night plan: which target, with which telescope, when, so that the sum of what they are worth is largest.

`solve` plans by the linear program of `followup.slots`, lays its order out in real time with the slews between targets, and fills the gaps;
`greedy` walks down the ranking and puts each target where it is worth most. `solve` is never worth less than `greedy`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from followup import slots
from followup.blocks import DAY, Array, Block, Book, Telescope, turns
from followup.records import FollowupError

#: Largest size of the linear program, in slots of all possible starts: slots are as fine as that allows, and a third of a step at most.
SIZE = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class NightPlan:
    """An ordered list of observations that fits the night.

    Attributes
    ----------
    telescopes : tuple of Telescope
    blocks : tuple of Block
        In the order of telescopes and time.
    left : mapping of int to str
        Target -> why it is not in the plan.
    price : ndarray, shape (n,)
        About what the plan would lose without each target that is in it, and by doing each that is not (inf: it cannot be done).
    relaxed : float
        Value of the linear relaxation in slots, which the value of a plan comes close to; NaN where none was solved.
    """

    telescopes: tuple[Telescope, ...]
    blocks: tuple[Block, ...]
    left: Mapping[int, str]
    price: Array
    relaxed: float = math.nan

    @property
    def value(self) -> float:
        """Sum of the worth of its observations."""
        return math.fsum(block.value for block in self.blocks)

    def of(self, telescope: int) -> list[Block]:
        """Blocks of one telescope, in the order of time."""
        return [block for block in self.blocks if block.telescope == telescope]


def greedy(
    telescopes: Sequence[Telescope],
    ra: Array,
    dec: Array,
    *,
    forced: Collection[int] = (),
    without: Collection[int] = (),
    most: float = math.inf,
) -> NightPlan:
    """Plan by walking down the ranking, each target where it is worth most; parameters and errors as of `solve`."""
    order = _order(telescopes, ra, forced, without)
    book = Book(telescopes, turns(ra, dec), most)
    book.fill(order)
    return NightPlan(tuple(telescopes), book.blocks, _left(telescopes, book.blocks, without), np.full(len(ra), np.nan))


def solve(
    telescopes: Sequence[Telescope],
    ra: Array,
    dec: Array,
    *,
    forced: Collection[int] = (),
    without: Collection[int] = (),
    most: float = math.inf,
) -> NightPlan:
    """Plan the night of n targets at one or more telescopes: each target is observed once at most.

    Parameters
    ----------
    telescopes : sequence of Telescope
        Each for the same n targets in the same order.
    ra, dec : ndarray, shape (n,)
        Degrees, ICRS.
    forced, without : collection of int
        Targets that have to be in the plan, where they can be observed at all, and that must not.
    most : float
        Largest number of observations.

    Raises
    ------
    FollowupError
        A telescope is for another number of targets.
    """
    simple = greedy(telescopes, ra, dec, forced=forced, without=without, most=most)
    columns, sizes, fine = _columns(telescopes, forced, without)
    limits = [telescope.hours * 3600.0 / f if f else 0.0 for telescope, f in zip(telescopes, fine, strict=True)]
    found = slots.dive(columns, len(ra), sizes, limits, most)
    book = Book(telescopes, turns(ra, dec), most)
    for m, telescope in enumerate(telescopes):
        mine = found.chosen[columns.machine[found.chosen] == m]
        begin = float(telescope.night.times[0]) - telescope.night.step / 2.0 if sizes[m] else 0.0
        book.lay(m, [(int(columns.job[c]), begin + float(columns.slot[c]) * fine[m] / DAY) for c in mine])
    book.fill(_order(telescopes, ra, forced, without))
    blocks = max(book.blocks, simple.blocks, key=lambda some: (_done(some, forced), math.fsum(b.value for b in some)))
    done = np.isin(np.arange(len(ra)), [block.target for block in blocks])
    price = np.where(done, np.minimum(found.price, _bonus(telescopes)), found.cost)
    relaxed = found.bound - _bonus(telescopes) * _done(blocks, forced)
    return NightPlan(tuple(telescopes), blocks, _left(telescopes, blocks, without, price), price, relaxed)


def _done(blocks: Sequence[Block], forced: Collection[int]) -> int:
    """Number of the forced targets that are in a plan."""
    return sum(block.target in forced for block in blocks)


def _bonus(telescopes: Sequence[Telescope]) -> float:
    """More than any plan is worth: what a target is worth in addition if it is forced."""
    return 1.0 + math.fsum(float(telescope.scores.sum()) for telescope in telescopes)


def _order(telescopes: Sequence[Telescope], ra: Array, forced: Collection[int], without: Collection[int]) -> list[int]:
    """Targets down the ranking, the forced ones first."""
    if any(len(telescope.scores) != len(ra) for telescope in telescopes):
        raise FollowupError("the telescopes of a plan are for the same targets")
    best = np.max([telescope.scores for telescope in telescopes], axis=0, initial=0.0) if telescopes else np.zeros(len(ra))
    order = sorted(range(len(ra)), key=lambda i: (i not in forced, -best[i], i))
    return [i for i in order if i not in without]


def _columns(
    telescopes: Sequence[Telescope], forced: Collection[int], without: Collection[int]
) -> tuple[slots.Columns, list[int], list[float]]:
    """Possible starts, number of slots of each telescope, and seconds of its slots."""
    part = next((k for k in (3, 2) if sum(_size(telescope, k) for telescope in telescopes) <= SIZE), 1)
    bonus, parts = _bonus(telescopes), []
    sizes, fine = [], []
    for m, telescope in enumerate(telescopes):
        within = np.repeat(telescope.within, part, axis=1)
        seconds = telescope.night.step * DAY / part
        lengths = slots.lengths(telescope.seconds, seconds or 1.0)
        begin = float(telescope.night.times[0]) - telescope.night.step / 2.0 if within.shape[1] else 0.0
        for i, length in enumerate(lengths.tolist()):
            if i in without or not telescope.scores[i] > 0.0:
                continue
            starts = slots.starts(within[i], length)
            values = telescope.worth(i, begin + (starts + length / 2.0) * seconds / DAY) if len(starts) else np.empty(0)
            parts.append((i, m, length, starts, values + bonus * (i in forced)))
        sizes.append(within.shape[1])
        fine.append(seconds)
    return slots.Columns.of(parts), sizes, fine


def _size(telescope: Telescope, part: int) -> int:
    """Slots of all possible starts at a telescope, if a step is so many slots."""
    lengths = slots.lengths(telescope.seconds, telescope.night.step * DAY / part or 1.0)
    return int((telescope.within.sum(axis=1) * part * lengths * (telescope.scores > 0.0)).sum())


def _left(telescopes: Sequence[Telescope], blocks: Sequence[Block], without: Collection[int], price: Array | None = None) -> dict[int, str]:
    """Why targets are not in a plan."""
    done = {block.target for block in blocks}
    n = len(telescopes[0].scores) if telescopes else 0
    return {i: _why(telescopes, i, i in without, math.nan if price is None else float(price[i])) for i in range(n) if i not in done}


def _why(telescopes: Sequence[Telescope], i: int, unwanted: bool, price: float) -> str:
    if unwanted:
        return "it was left out by hand"
    able = [t for t in telescopes if not t.reasons[i]]
    if not able:
        return "; ".join(dict.fromkeys(f"{t.night.site.name}: {t.reasons[i]}" if len(telescopes) > 1 else t.reasons[i] for t in telescopes))
    if not any(t.scores[i] > 0.0 for t in able):
        return "the ranking vetoes it"
    return f"others are worth more: it would cost about {price:.2f}" if math.isfinite(price) else "there is no room for it"
