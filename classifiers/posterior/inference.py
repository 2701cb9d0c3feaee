"""Inference: from light curves to outlooks, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.significance import DETECTED
from classifiers.posterior import storage, tables
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Curve, Points, points
from classifiers.posterior.records import Outlooks

#: Objects in one pass of the network.
BATCH = 256


def infer(curves: Sequence[Curve], now: ArrayLike, weights: Weights | None) -> Outlooks:
    """Outlooks of n light curves: see `classifiers.posterior.infer`."""
    found = points(curves, np.broadcast_to(np.asarray(now, float), (len(curves),)))
    return of_points(found, weights or storage.shipped())


def of_points(found: Points, weights: Weights) -> Outlooks:
    """Outlooks of n objects by their points."""
    with np.errstate(invalid="ignore"):
        seen = np.flatnonzero((found.flux >= DETECTED * found.error).any(axis=1))
    parts = [_passed(found[seen[i : i + BATCH]], weights) for i in range(0, len(seen), BATCH)]
    return scattered(Outlooks.stack(parts), seen, len(found.t))


def _passed(found: Points, weights: Weights) -> Outlooks:
    x = inputs(found)
    return tables.outlooks(weights.mixture(x), x, found, weights)


def scattered(outlooks: Outlooks, where: NDArray[np.intp], n: int) -> Outlooks:
    """Outlooks of n objects, of which those at these places have one."""
    if len(where) == n:
        return outlooks
    nothing = {"peak_cdf": 0.0, "classes": 0.0, "fallback": False}
    columns = {}
    for one in fields(Outlooks):
        value = getattr(outlooks, one.name)
        columns[one.name] = np.full((n, *value.shape[1:]), nothing.get(one.name, np.nan), value.dtype)
        columns[one.name][where] = value
    return Outlooks(**columns)
