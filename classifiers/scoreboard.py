"""Classifications scored against classes that were learnt later: precision, recall and calibration, with counts and intervals.

Intervals are Wilson's for a binomial proportion (1927, JASA 22, 209) that hold the true one in 95 % of cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from astropy.stats import binom_conf_interval

from classifiers.taxonomy import comprises, right

Key = TypeVar("Key")

CONFIDENCE = 0.95
#: Edges of the bins of probability.
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
#: First number of detections of each bin of age.
DETECTIONS = (1, 3, 6, 11, 31)
#: Objects below which no warning is given.
ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Scored:
    """What one version of a classifier said of one object with so many detections, and the class that was learnt otherwise."""

    classifier: str
    version: str
    label: str
    probability: float
    n_detections: int
    truth: str

    @property
    def right(self) -> bool | None:
        """Whether it was right; None where the truth says less."""
        return right(self.label, self.truth)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of n objects, and its interval; NaN of none."""

    n: int
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, hits: Sequence[bool]) -> Share:
        """The share of those that are true."""
        if not hits:
            return cls(0, np.nan, np.nan, np.nan)
        low, high = binom_conf_interval(sum(hits), len(hits), CONFIDENCE, interval="wilson")
        return cls(len(hits), sum(hits) / len(hits), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Bin:
    """Objects in a bin of probability or of age: share right, and mean probability."""

    name: str
    right: Share
    probability: float


@dataclass(frozen=True, slots=True)
class Line:
    """One class: of those that were called so, the share that are; of those that are, the share that were called so."""

    name: str
    precision: Share
    recall: Share


@dataclass(frozen=True, slots=True)
class Board:
    """One version of a classifier.

    Attributes
    ----------
    classifier, version : str
    right : Share
        Of the objects whose truth decides.
    probability : float
        Mean of what it gave the class that it named, of the same objects.
    calibration_error : float
        Expected calibration error: mean over bins of probability, by their objects, of |share right - mean probability|.
    classes : tuple of Line
    bins, ages : tuple of Bin
        By probability; by number of detections, each object at most once in each.
    """

    classifier: str
    version: str
    right: Share
    probability: float
    calibration_error: float
    classes: tuple[Line, ...]
    bins: tuple[Bin, ...]
    ages: tuple[Bin, ...]

    def astray(self, promised: float) -> bool:
        """Whether the probabilities are farther from what comes out than an error that was promised, beyond chance."""
        far = max(self.right.low - self.probability, self.probability - self.right.high)
        return self.right.n >= ENOUGH and far > promised


def boards(last: Iterable[Scored], by_age: Iterable[Scored]) -> list[Board]:
    """A board for each version of a classifier, the one with most objects first.

    Parameters
    ----------
    last : iterable of Scored
        The last word on each object.
    by_age : iterable of Scored
        The last word on each object in each bin of `DETECTIONS`.
    """
    aged = _grouped(by_age, lambda one: (one.classifier, one.version))
    made = [_board(*which, rows, aged.get(which, [])) for which, rows in _grouped(last, lambda one: (one.classifier, one.version)).items()]
    return sorted(made, key=lambda board: (-board.right.n, board.classifier, board.version))


def bin_of(n_detections: int) -> int:
    """Place of a number of detections in `DETECTIONS`."""
    return max(int(np.searchsorted(DETECTIONS, n_detections, side="right")) - 1, 0)


def _board(classifier: str, version: str, last: Sequence[Scored], by_age: Sequence[Scored]) -> Board:
    known = [one for one in last if one.right is not None]
    bins = tuple(
        _bin(f"{low:g} – {high:g}", inside)
        for low, high in pairwise(EDGES)
        if (inside := [one for one in known if low <= one.probability < high or one.probability == high == EDGES[-1]])
    )
    return Board(
        classifier=classifier,
        version=version,
        right=_right(known),
        probability=_mean(known),
        calibration_error=sum(b.right.n * abs(b.right.value - b.probability) for b in bins) / len(known) if known else np.nan,
        classes=tuple(_line(name, last) for name in sorted({one.label for one in last})),
        bins=bins,
        ages=_ages([one for one in by_age if one.right is not None]),
    )


def _ages(known: Sequence[Scored]) -> tuple[Bin, ...]:
    names = [f"{low} – {high - 1}" for low, high in pairwise(DETECTIONS)] + [f"{DETECTIONS[-1]} and more"]
    inside = _grouped(known, lambda one: bin_of(one.n_detections))
    return tuple(_bin(name, inside[k]) for k, name in enumerate(names) if k in inside)


def _line(name: str, rows: Sequence[Scored]) -> Line:
    called = [verdict for one in rows if one.label == name and (verdict := one.right) is not None]
    are = [one.label == name for one in rows if comprises(one.truth) and comprises(one.truth) <= comprises(name)]
    return Line(name, Share.of(called), Share.of(are))


def _bin(name: str, rows: Sequence[Scored]) -> Bin:
    return Bin(name, _right(rows), _mean(rows))


def _right(rows: Sequence[Scored]) -> Share:
    return Share.of([one.right is True for one in rows])


def _mean(rows: Sequence[Scored]) -> float:
    return float(np.mean([one.probability for one in rows])) if rows else np.nan


def _grouped(rows: Iterable[Scored], key: Callable[[Scored], Key]) -> dict[Key, list[Scored]]:
    found: dict[Key, list[Scored]] = defaultdict(list)
    for one in rows:
        found[key(one)].append(one)
    return found
