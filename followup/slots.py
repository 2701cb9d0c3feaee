"""The time-indexed linear program of a night: which job starts in which slot, so that the sum of values is largest.

A column is one start of one job on one machine; a row says that a job is done once, that a slot of a machine holds one job, or that a
machine has so many hours. This relaxation is tight for jobs on parallel machines (Sousa & Wolsey 1992, Math. Program. 54, 353): its value
is a bound that no plan can exceed, and solutions are nearly whole already. `dive` makes them whole: it fixes what the relaxation is sure
of, solves again for the rest, and leaves the last few hundred columns to the branch and bound of HiGHS (Huangfu & Hall 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

#: A start that the relaxation takes to at least this share is fixed.
SURE = 0.8
#: Number of columns that branch and bound finishes, and its limits: relative gap, seconds.
FEW, GAP, SECONDS = 300, 1e-3, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """k possible starts.

    Attributes
    ----------
    job, machine, slot : ndarray of int, shape (k,)
    length : ndarray of int, shape (k,)
        Slots that the job takes on that machine.
    value : ndarray, shape (k,)
    """

    job: NDArray[np.intp]
    machine: NDArray[np.intp]
    slot: NDArray[np.intp]
    length: NDArray[np.intp]
    value: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Sequence[tuple[int, int, int, NDArray[np.intp], NDArray[np.float64]]]) -> Columns:
        """From (job, machine, length, slots, values) of each job on each machine."""
        sizes = [len(slots) for *_, slots, _ in parts]
        job, machine, length = (np.repeat(np.array([part[i] for part in parts], np.intp), sizes) for i in range(3))
        slots = np.concatenate([part[3] for part in parts]) if parts else np.empty(0, np.intp)
        values = np.concatenate([part[4] for part in parts]) if parts else np.empty(0)
        return cls(job, machine, slots, length, values)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What `dive` found.

    Attributes
    ----------
    chosen : ndarray of int
        Columns of the plan, in the order of machines and slots.
    bound : float
        Value that no plan in these slots exceeds.
    price : ndarray, shape (jobs,)
        What a plan loses at least without the job; 0 for a job that no plan needs.
    cost : ndarray, shape (jobs,)
        What a plan loses at least by doing the job; inf for a job without a column.
    """

    chosen: NDArray[np.intp]
    bound: float
    price: NDArray[np.float64]
    cost: NDArray[np.float64]


def dive(columns: Columns, jobs: int, slots: Sequence[int], budgets: Sequence[float], most: float = math.inf) -> Solution:
    """Choose starts of ``jobs`` jobs on machines with so many slots and budgets in slots (inf: none), ``most`` in all; deterministic."""
    rows, room = _rows(columns, jobs, slots, budgets, min(most, float(jobs)))
    if not len(columns.job):
        return Solution(np.empty(0, np.intp), 0.0, np.zeros(jobs), np.full(jobs, np.inf))
    free = np.ones(len(columns.job), bool)
    chosen: list[int] = []
    first = None
    while free.any():
        index = np.flatnonzero(free)
        if len(index) <= FEW and first is not None:
            chosen += index[_finished(rows[:, index], columns.value[index], room)].tolist()
            break
        shares, prices, bound = _relaxed(rows[:, index], columns.value[index], room)
        first = first or (prices, bound)
        for column in index[_sure(shares, columns.value[index])]:
            if (rows[:, [column]].toarray()[:, 0] <= room + 1e-9).all():
                room = room - rows[:, [column]].toarray()[:, 0]
                chosen.append(int(column))
            free[column] = False
        free &= _fits(rows, room)
    assert first is not None
    prices, bound = first
    order = sorted(chosen, key=lambda c: (columns.machine[c], columns.slot[c]))
    return Solution(np.array(order, np.intp), bound, prices[:jobs], _costs(columns, rows, prices, jobs))


def _rows(
    columns: Columns, jobs: int, slots: Sequence[int], budgets: Sequence[float], most: float
) -> tuple[sparse.csc_matrix, NDArray[np.float64]]:
    """Constraint matrix and its right-hand side: jobs, slots by machine, budgets, and the number of all."""
    k, starts = len(columns.job), np.concatenate([[0], np.cumsum(slots)]).astype(np.intp)
    every = np.arange(k)
    of_slot = np.repeat(every, columns.length)
    offset = np.arange(len(of_slot)) - np.repeat(np.cumsum(columns.length) - columns.length, columns.length)
    taken = jobs + starts[columns.machine[of_slot]] + columns.slot[of_slot] + offset
    spent = jobs + starts[-1] + columns.machine
    data = np.concatenate([np.ones(k + len(of_slot)), columns.length.astype(float), np.ones(k)])
    height = jobs + starts[-1] + len(slots)
    where = np.concatenate([columns.job, taken, spent, np.full(k, height)]), np.concatenate([every, of_slot, every, every])
    matrix = sparse.csc_matrix((data, where), shape=(height + 1, k))
    limits = [min(budget, float(slot)) for budget, slot in zip(budgets, slots, strict=True)]
    return matrix, np.concatenate([np.ones(jobs + starts[-1]), limits, [most]])


def _relaxed(
    rows: sparse.csc_matrix, value: NDArray[np.float64], room: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Shares of the columns, prices of the rows, and the value of the relaxation."""
    found = linprog(-value, A_ub=rows, b_ub=room, bounds=(0.0, None), method="highs")
    return found.x, -found.ineqlin.marginals, -float(found.fun)


def _finished(rows: sparse.csc_matrix, value: NDArray[np.float64], room: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Columns that branch and bound chooses."""
    whole = LinearConstraint(rows, -np.inf, room)
    options = {"time_limit": SECONDS, "mip_rel_gap": GAP}
    found = milp(-value, constraints=whole, integrality=np.ones(len(value)), bounds=Bounds(0, 1), options=options)
    return np.zeros(len(value), bool) if found.x is None else np.asarray(found.x > 0.5)


def _sure(shares: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.intp]:
    """Columns of which the relaxation is sure, the surest first; if there are none, the one with the largest part of the value."""
    sure = np.flatnonzero(shares >= SURE)
    if len(sure):
        return np.asarray(sure[np.argsort(-shares[sure], kind="stable")])
    return np.array([int(np.argmax(shares * value))])


def _fits(rows: sparse.csc_matrix, room: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each column fits into the room that is left."""
    over = rows.data > room[rows.indices] + 1e-9
    fits = np.ones(rows.shape[1], bool)
    fits[np.repeat(np.arange(rows.shape[1]), np.diff(rows.indptr))[over]] = False
    return fits


def _costs(columns: Columns, rows: sparse.csc_matrix, prices: NDArray[np.float64], jobs: int) -> NDArray[np.float64]:
    """What doing each job costs at least: the smallest loss by any of its starts."""
    costs = np.full(jobs, np.inf)
    np.minimum.at(costs, columns.job, np.maximum(np.asarray(rows.T @ prices) - columns.value, 0.0))
    return costs


def lengths(seconds: NDArray[np.float64], slot: float) -> NDArray[np.intp]:
    """Slots of ``slot`` seconds that jobs of so many seconds take; 0 where that is not known."""
    known = np.isfinite(seconds)
    return np.where(known, np.ceil(np.where(known, seconds, 0.0) / slot - 1e-9), 0).astype(np.intp)


def starts(within: NDArray[np.bool_], length: int) -> NDArray[np.intp]:
    """Slots from which on the next ``length`` slots are all within, shape (m,); ``within`` has shape (slots,)."""
    if not 0 < length <= len(within):
        return np.empty(0, np.intp)
    seen = np.concatenate([[0], np.cumsum(within)])
    return np.flatnonzero(seen[length:] - seen[:-length] == length)


def runs(within: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First step, and the one after the last, of each stretch that is within."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], within.astype(np.int8), [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
