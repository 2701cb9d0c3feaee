"""What several classifiers say of n candidates, in our classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.taxonomy import LIGHTCURVE, ours

Floats = NDArray[np.float64]

#: Classes of supernovae that classifiers tell apart.
SUPERNOVAE = LIGHTCURVE["Transient"]
#: Lowest probability that is believed of a classifier, since classifiers err.
_LOWEST = 0.01


@dataclass(frozen=True, eq=False)
class Opinions:
    """Class probabilities of n candidates by each classifier that has said anything of one of them.

    Attributes
    ----------
    n : int
    classes : tuple of str
        Classes that any classifier names: ours where a label has one, else as it is.
    by : mapping of classifier to ndarray, shape (n, c)
        Probabilities; rows of NaN where it says nothing, or gives no probability.
    """

    n: int
    classes: tuple[str, ...]
    by: Mapping[str, Floats]

    @classmethod
    def of(cls, said: Sequence[Mapping[str, Mapping[str, float]]]) -> Opinions:
        """The opinions, out of those of each candidate: classifier -> class -> probability."""
        columns: dict[str, int] = {}
        labels: dict[str, int] = {}
        cells: dict[str, tuple[list[int], list[int], list[float]]] = {}
        for i, each in enumerate(said):
            for classifier, by_class in each.items():
                rows, places, values = cells.setdefault(classifier, ([], [], []))
                for label, p in by_class.items():
                    if label not in labels:
                        labels[label] = columns.setdefault(ours(label) or label, len(columns))
                    rows.append(i)
                    places.append(labels[label])
                    values.append(p)
        return cls(len(said), tuple(columns), {name: _filled(len(said), len(columns), *cell) for name, cell in cells.items()})

    def expected(self, worth: Mapping[str, float], unknown: float) -> Floats:
        """Geometric mean over classifiers of the sum of p(class) x worth(class), each at least 0.01, shape (n,).

        ``unknown`` where no classifier has said anything.
        """
        vector = np.array([worth.get(name, 0.0) for name in self.classes])
        total, count = np.zeros(self.n), np.zeros(self.n)
        for p in self.by.values():
            log = np.log(np.clip(p @ vector, _LOWEST, 1.0))
            known = np.isfinite(log)
            total, count = total + np.where(known, log, 0.0), count + known
        return np.where(count > 0, np.exp(total / np.maximum(count, 1.0)), unknown)

    def supernova(self, unknown: float) -> Floats:
        """Probability of a supernova of any class, shape (n,); ``unknown`` where no classifier has said anything."""
        return self.expected(dict.fromkeys((*SUPERNOVAE, "SN"), 1.0), unknown)

    def among_supernovae(self) -> Floats:
        """Probability of each of `SUPERNOVAE` given that it is one, by those who tell them apart, shape (n, 4); NaN without any."""
        total = np.zeros((self.n, len(SUPERNOVAE)))
        for k, name in enumerate(SUPERNOVAE):
            if name in self.classes:
                total[:, k] = sum(np.nan_to_num(p[:, self.classes.index(name)]) for p in self.by.values())
        whole = total.sum(axis=1, keepdims=True)
        return np.divide(total, whole, out=np.full(total.shape, np.nan), where=whole > 0.0)

    def shares_of(self, decides: Sequence[str]) -> Floats:
        """Probability of each class named, and of all others together, shape (n, d + 1): the mean over classifiers; NaN without any."""
        total, count = np.zeros((self.n, len(decides) + 1)), np.zeros(self.n)
        for p in self.by.values():
            for k, name in enumerate(decides):
                if name in self.classes:
                    total[:, k] += np.nan_to_num(p[:, self.classes.index(name)])
            count += np.isfinite(p).all(axis=1)
        shares = np.divide(total, count[:, None], out=np.full(total.shape, np.nan), where=count[:, None] > 0)
        shares[:, -1] = np.clip(1.0 - shares[:, :-1].sum(axis=1), 0.0, 1.0)
        return shares

    def coarse(self) -> Floats:
        """Probability of a supernova that is not told apart, the mean over classifiers, shape (n,); NaN without any."""
        return self.shares_of(("SN",))[:, 0]


def _filled(n: int, c: int, rows: list[int], places: list[int], values: list[float]) -> Floats:
    """Matrix of one classifier; rows in which a probability is not finite, and those of which it says nothing, are NaN."""
    table = np.zeros((n, c))
    np.add.at(table, (rows, places), values)
    said = np.zeros(n, bool)
    said[rows] = True
    table[~(said & np.isfinite(table).all(axis=1))] = np.nan
    return table
