"""Plays policies through calendars, and counts what they found with their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.campaign.calendars import BURN_IN, Pool
from benchmarks.campaign.evenings import Ints, Truth
from benchmarks.campaign.subjects import Floats
from followup.replay import best

#: Scores of a pool's objects, shape (k,); what has none above 0 is not observed.
Policy = Callable[[Pool], Floats]

#: Slots a night, nights of a block of the bootstrap, and its draws.
SLOTS, BLOCK, DRAWS = 10, 10, 1000


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """Counts of each counted night of a calendar, shape (nights,): slots offered, observations, hits, young and rare ones.

    ``chances`` are three numbers: of different objects that could have been a hit, young, and rare, on any counted night.
    """

    slots: Ints
    observed: Ints
    hits: Ints
    young: Ints
    rare: Ints
    chances: tuple[int, int, int]


def play(pools: Sequence[Pool], policy: Policy, truth: Truth, slots: int = SLOTS) -> Played:
    """Play one calendar night by night; an object that was observed once is done."""
    done = np.zeros(1 + max((int(p.subject.max(initial=0)) for p in pools), default=0), bool)
    counts, could = [], [set[int](), set[int](), set[int]()]
    for pool in pools:
        chosen = best(np.where(done[pool.subject], 0.0, policy(pool)), slots)
        done[pool.subject[chosen]] = True
        if pool.number < BURN_IN:
            continue
        kinds = [what[pool.state] for what in (truth.hit, truth.young, truth.rare)]
        counts.append((slots, len(chosen), *(int(kind[chosen].sum()) for kind in kinds)))
        for found, kind in zip(could, kinds, strict=True):
            found.update(pool.subject[kind].tolist())
    offered, observed, hits, young, rare = np.array(counts, np.int64).reshape(-1, 5).T
    return Played(offered, observed, hits, young, rare, (len(could[0]), len(could[1]), len(could[2])))


def rate(played: Sequence[Played], what: str, over: str = "slots") -> tuple[float, float]:
    """Number per slot (or per observation) in all calendars, and its error."""
    return _ratio([(getattr(p, what), getattr(p, over)) for p in played])


def ratio(ours: Sequence[Played], theirs: Sequence[Played], what: str) -> tuple[float, float]:
    """Ratio of our number to theirs in the same calendars, and its error, paired by night; NaN where they found nothing."""
    return _ratio([(getattr(a, what), getattr(b, what)) for a, b in zip(ours, theirs, strict=True)])


def share(played: Sequence[Played], what: str) -> float:
    """Found of those that could have been found."""
    place = ("hits", "young", "rare").index(what)
    return float(sum(getattr(p, what).sum() for p in played) / max(sum(p.chances[place] for p in played), 1))


def _ratio(pairs: Sequence[tuple[Ints, Ints]]) -> tuple[float, float]:
    """Ratio of two sums over nights, and its standard deviation over bootstraps of blocks of `BLOCK` nights."""
    blocks = np.concatenate(
        [np.add.reduceat(np.stack(pair), np.arange(0, len(pair[0]), BLOCK), axis=1) for pair in pairs if len(pair[0])], axis=1
    )
    if not blocks[1].sum():
        return float("nan"), float("nan")
    drawn = np.random.default_rng(0).integers(0, blocks.shape[1], (DRAWS, blocks.shape[1]))
    above, below = blocks[:, drawn].sum(axis=-1)
    drawn_ratios = above / np.maximum(below, 1)
    return float(blocks[0].sum() / blocks[1].sum()), float(drawn_ratios.std())
