"""Cross-validation folds without leaks: no object, night or source is on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedGroupKFold


def disjoint_folds(
    labels: Sequence[str], *groups: ArrayLike, n_folds: int = 5, seed: int = 0
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (train, test) row indices so that no value of any group is on both sides.

    Rows are assigned to test folds by the first group, balanced by label; from the training side everything that shares a value of
    *any* group (object, night, source ...) with the test side is left out.

    Parameters
    ----------
    labels : sequence of str, length n
        Classes, to balance the folds by.
    *groups : array_like, each of length n
        The first decides the folds.
    n_folds, seed : int
        Number of folds, and seed of their assignment.
    """
    names = np.asarray(labels, str)
    keys = [np.asarray(g) for g in groups]
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(np.zeros(len(names)), names, keys[0]):
        shared = np.zeros(len(train), bool)
        for key in keys:
            shared |= np.isin(key[train], key[test])
        yield train[~shared], test
