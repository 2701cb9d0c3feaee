"""Associate survey objects that are one source on the sky (docs/decisions/003-association.md).

- Two survey objects can be one source within the larger of their surveys' radii (`radius`).
- Nearest first, by separation over the combined position error.
- *Every* pair in a group lies within its radius, so that a group cannot creep along a chain of neighbours; only objects whose positions
  are coarse (ATLAS) do not keep better ones apart.
- An object that could as well belong elsewhere is left apart and reported: with a coarse position as soon as there is another choice,
  otherwise if another choice is less than `MARGIN` worse in chi square.
- Groups that the caller knows are never joined or split.

Nothing depends on the order of the input, but for the labels of new groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import surveys
from broker_adapters.crossmatch import match

#: No position is trusted to better than this, and a missing error counts as this (arcsec; the same two numbers as in Rubin's).
ERROR_FLOOR, ERROR_UNKNOWN = 0.05, 0.2
#: A second choice counts while its chi square is larger than the first one's by less: it is then not yet 100 times less likely.
MARGIN = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Groups of n survey objects that are one source each.

    Attributes
    ----------
    group : ndarray of int, shape (n,)
        As given where it was known; others join a known group or get a label above all known ones, in order of first appearance.
    separation : ndarray of float, shape (n,)
        Arcseconds to the nearest other member of the group within its radius; NaN where there is none.
    ambiguous : tuple of (i, group, separation)
        Objects, not known before, that were left apart from a group which they may belong to.
    """

    group: NDArray[np.int64]
    separation: NDArray[np.float64]
    ambiguous: tuple[tuple[int, int, float], ...]


class _Pair(NamedTuple):
    """Two survey objects within their radius."""

    coarse: bool
    chi2: float
    separation: float


@dataclass(slots=True)
class _Edge:
    """Link between two groups: number of pairs within their radius, all and fine, and the least chi square of the latter."""

    pairs: int = 0
    fine: int = 0
    chi2: float = np.inf

    def add(self, pairs: int, fine: int, chi2: float) -> None:
        self.pairs, self.fine, self.chi2 = self.pairs + pairs, self.fine + fine, min(self.chi2, chi2)


def radius(first: str, second: str) -> float:
    """Arcseconds within which objects of two surveys can be one source: the larger of the two surveys' own."""
    return max(surveys.about(first).radius, surveys.about(second).radius)


def associate(survey: Sequence[str], ra: ArrayLike, dec: ArrayLike, position_err: ArrayLike, group: ArrayLike | None = None) -> Association:
    """Associate n survey objects by position.

    Parameters
    ----------
    survey : sequence of str, length n
        File names of surveys, as in `Alert`.
    ra, dec : array_like, shape (n,)
        Degrees; an object without a finite position stays alone.
    position_err : array_like, shape (n,)
        Arcseconds per axis, one standard deviation.
    group : array_like of int, shape (n,), optional
        The group that each belongs to already (≥ 0), -1 where that is to be decided; all -1 when not given.
    """
    n = len(survey)
    ra, dec = np.asarray(ra, float).reshape(n), np.asarray(dec, float).reshape(n)
    known = np.full(n, -1, np.int64) if group is None else np.asarray(group, np.int64).reshape(n)
    groups = _Groups(survey, known, _pairs(survey, ra, dec, np.asarray(position_err, float).reshape(n)))
    # exact ties, which are rare, are broken by position, so that the order of the input does not matter
    for a, b in sorted(groups.pairs, key=lambda p: (groups.pairs[p], *sorted((ra[k], dec[k], survey[k]) for k in p))):
        groups.link(a, b)
    label = groups.labels()
    separation = np.full(n, np.nan)
    for (a, b), pair in groups.pairs.items():
        if label[a] == label[b]:
            separation[[a, b]] = np.fmin(separation[[a, b]], pair.separation)
    return Association(label, separation, tuple(sorted(groups.left_apart(label))))


def _pairs(
    survey: Sequence[str], ra: NDArray[np.float64], dec: NDArray[np.float64], err: NDArray[np.float64]
) -> dict[tuple[int, int], _Pair]:
    """Pairs (a < b) within their radius."""
    error = np.maximum(np.where(np.isfinite(err) & (err > 0.0), err, ERROR_UNKNOWN), ERROR_FLOOR)
    facts = {name: surveys.about(name) for name in set(survey)}
    own = [facts[name] for name in survey]
    farthest = max((one.radius for one in facts.values()), default=0.0)
    pairs = {}
    for a, b, distance in zip(*(column.tolist() for column in match(ra, dec, ra, dec, farthest)), strict=True):
        if a < b and distance <= max(own[a].radius, own[b].radius):
            chi2 = float(distance**2 / (error[a] ** 2 + error[b] ** 2))
            pairs[a, b] = _Pair(own[a].coarse or own[b].coarse, chi2, distance)
    return pairs


class _Groups:
    """Groups while they form: each object starts in its known group or alone."""

    def __init__(self, survey: Sequence[str], known: NDArray[np.int64], pairs: dict[tuple[int, int], _Pair]) -> None:
        self.pairs = pairs
        self.known: list[int] = known.tolist()
        self.fine = [not surveys.about(name).coarse for name in survey]
        self.near: dict[int, list[int]] = {}
        for a, b in pairs:
            self.near.setdefault(a, []).append(b)
            self.near.setdefault(b, []).append(a)
        first: dict[int, int] = {}
        self.root = [k if label < 0 else first.setdefault(label, k) for k, label in enumerate(self.known)]
        self.members: dict[int, list[int]] = {}
        for k, root in enumerate(self.root):
            self.members.setdefault(root, []).append(k)
        self.n_fine = {root: sum(self.fine[k] for k in members) for root, members in self.members.items()}
        self.edges: dict[int, dict[int, _Edge]] = {root: {} for root in self.members}
        for (a, b), pair in pairs.items():
            if self.root[a] != self.root[b]:
                self._edge(self.root[a], self.root[b]).add(1, not pair.coarse, np.inf if pair.coarse else pair.chi2)

    def link(self, a: int, b: int) -> None:
        """Put the groups of a pair together unless they cannot be one, or another group has as good a claim."""
        one, other = self.root[a], self.root[b]
        if one == other or not self._linkable(one, other):
            return
        pair = self.pairs[_key(a, b)]
        bound = None if pair.coarse else pair.chi2 + MARGIN
        if self._contested(one, other, bound) or self._contested(other, one, bound):
            return
        if self._is_known(other):
            one, other = other, one
        for k in self.members[other]:
            self.root[k] = one
        self.members[one] += self.members.pop(other)
        self.n_fine[one] += self.n_fine.pop(other)
        for third, edge in self.edges.pop(other).items():
            del self.edges[third][other]
            if third != one:
                self._edge(one, third).add(edge.pairs, edge.fine, edge.chi2)

    def labels(self) -> NDArray[np.int64]:
        """The label of each object's group."""
        fresh = max(self.known, default=-1) + 1
        label: dict[int, int] = {}
        for root in self.root:
            if root not in label:
                label[root] = self.known[root]
                if label[root] < 0:
                    label[root], fresh = max(fresh, 0), max(fresh, 0) + 1
        return np.array([label[root] for root in self.root], np.int64)

    def left_apart(self, label: NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
        """Each object that was not known before, with each group that it may as well belong to, and their separation."""
        found: dict[tuple[int, int], float] = {}
        for (a, b), pair in self.pairs.items():
            for i, j in ((a, b), (b, a)):
                if label[a] != label[b] and self.known[i] < 0 and not self._explained(i, j, pair):
                    place = (i, int(label[j]))
                    found[place] = min(pair.separation, found.get(place, np.inf))
        return ((i, group, separation) for (i, group), separation in found.items())

    def _is_known(self, root: int) -> bool:
        return bool(self.known[self.members[root][0]] >= 0)

    def _edge(self, one: int, other: int) -> _Edge:
        """The edge between two groups, the same seen from both; a new one if there was none."""
        if other not in self.edges[one]:
            self.edges[one][other] = self.edges[other][one] = _Edge()
        return self.edges[one][other]

    def _linkable(self, one: int, other: int) -> bool:
        """Whether two groups may be one: not both known, and every pair of their (better) positions within its radius."""
        edge = self.edges[one].get(other)
        if edge is None or (self._is_known(one) and self._is_known(other)):
            return False
        if fine := self.n_fine[one] * self.n_fine[other]:
            return edge.fine == fine
        return edge.pairs == len(self.members[one]) * len(self.members[other])

    def _contested(self, one: int, other: int, bound: float | None) -> bool:
        """Whether a third group, which cannot be one with ``other``, is near ``one``, with a chi square below the bound if there is one."""
        return any(
            third != other
            and (bound is None or edge.chi2 < bound)
            and not (self._is_known(one) and self._is_known(third))
            and not self._linkable(third, other)
            for third, edge in self.edges[one].items()
        )

    def _explained(self, i: int, j: int, pair: _Pair) -> bool:
        """Whether two neighbours are apart for a reason that needs no person: one has clearly found its better half."""
        if pair.coarse:
            return self.fine[i] and any(self.fine[k] and _key(i, k) not in self.pairs for k in self.members[self.root[j]])
        return any(self.root[k] == self.root[a] and self.pairs[_key(a, k)].chi2 + MARGIN <= pair.chi2 for a in (i, j) for k in self.near[a])


def _key(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)
