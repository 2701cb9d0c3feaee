"""What terms, vetoes and the ranking say of n candidates: numbers at once, words only for those that are shown or stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


class Reasons(Sequence[str]):
    """n reasons in words, each made when it is asked for: of 100,000 candidates a few hundred are ever read.

    Parameters
    ----------
    n : int
    of : callable
        Index in 0 .. n-1 -> reason.
    """

    __slots__ = ("_n", "_of")

    def __init__(self, n: int, of: Callable[[int], str]) -> None:
        self._n, self._of = n, of

    @classmethod
    def same(cls, n: int, reason: str) -> Reasons:
        """The same reason n times."""
        return cls(n, lambda _: reason)

    def take(self, order: NDArray[np.intp]) -> Reasons:
        """Those of these indices, in their order, still not made."""
        return Reasons(len(order), lambda i: self._of(int(order[i])))

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, i: int) -> str: ...

    @overload
    def __getitem__(self, i: slice) -> Reasons: ...

    def __getitem__(self, i: int | slice) -> str | Reasons:
        if isinstance(i, slice):
            return self.take(np.arange(self._n)[i])
        return self._of(range(self._n)[i])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Reasons({self._n})"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of n candidates by one term: values in [0, 1], shape (n,), and a short reason for each."""

    values: NDArray[np.float64]
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Vetoes:
    """Whether n candidates may be observed, by one veto.

    Attributes
    ----------
    until : ndarray, shape (n,)
        MJD, UTC. NaN: it may be observed; infinity: it may not, and no date is known from which it may; else it may, or is better, from
        then on.
    reasons : sequence of str, length n
        Why not, with the date where there is one; of a candidate that may be observed, why so.
    """

    until: NDArray[np.float64]
    reasons: Sequence[str]

    def against(self, now: float) -> NDArray[np.bool_]:
        """Whether each candidate may not be observed at ``now`` (MJD, UTC), shape (n,)."""
        return np.asarray(self.until > now)


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """n candidates, best first, with the whole table of terms and vetoes; all arrays and sequences are in the order of ``keys``.

    Attributes
    ----------
    keys : tuple of str, length n
    scores : ndarray, shape (n,)
        ``merit``, and 0 for what is vetoed.
    merit : ndarray, shape (n,)
        Weighted geometric mean of the terms, in [0, 1], vetoes apart.
    terms : mapping of term name to `Scores`
    weights : mapping of term name to float
    vetoes : mapping of veto name to `Vetoes`
    hours : ndarray, shape (n,)
        Observable hours left tonight.
    """

    keys: tuple[str, ...]
    scores: NDArray[np.float64]
    merit: NDArray[np.float64]
    terms: Mapping[str, Scores]
    weights: Mapping[str, float]
    vetoes: Mapping[str, Vetoes]
    hours: NDArray[np.float64]
