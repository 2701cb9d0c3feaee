"""Inference: from light curves to outlooks, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.significance import DETECTED
from classifiers.posterior import storage, tables
from classifiers.posterior.draws import draw
from classifiers.posterior.inputs import inputs
from classifiers.posterior.network import Weights
from classifiers.posterior.points import Curve, Points, Table, about_peak, padded, table
from classifiers.posterior.records import Outlooks

#: Objects in one pass of the network.
BATCH = 256

#: Curves drawn for the peaks of old objects.
FEW = 32


def infer(curves: Sequence[Curve], now: ArrayLike, weights: Weights | None) -> Outlooks:
    """Outlooks of n light curves: see `classifiers.posterior.infer`."""
    found = table(curves, np.broadcast_to(np.asarray(now, float), (len(curves),)))
    return of_table(found, weights or storage.shipped())


def of_table(found: Table, weights: Weights) -> Outlooks:
    """Outlooks of n objects by all their points.

    The network's times count from the latest evidence and are coarse when the peak was long ago. So of old objects when it was, and how
    bright, is what could be said `SETTLED` days after the brightest detection.
    """
    outlooks = of_points(padded(found), weights)
    early, old = about_peak(found)
    peaks = [peaks_of(padded(early)[i : i + BATCH], weights) for i in range(0, len(old), BATCH)]
    return settled(outlooks, tables.Peaks.stack(peaks), old) if peaks else outlooks


def peaks_of(found: Points, weights: Weights) -> tables.Peaks:
    """What is said of the peaks of n objects."""
    x = inputs(found)
    mixture = weights.mixture(x)
    return tables.peaks(mixture, draw(mixture, weights, FEW), x, weights)


def settled(outlooks: Outlooks, peaks: tables.Peaks, old: NDArray[np.intp]) -> Outlooks:
    """Outlooks of n objects, of which k old ones have the peaks and the first light that was said earlier."""
    since = (peaks.mjd - outlooks.mjd[old]).astype(np.float32)
    said = {"peak_cdf": peaks.cdf, "peak_magnitude": peaks.magnitude}
    said |= {"shift": peaks.shift + since, "explosion": peaks.explosion + since[:, None]}
    changed = {name: getattr(outlooks, name).copy() for name in said}
    for name, value in said.items():
        changed[name][old] = value
    return replace(outlooks, **changed)


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
