"""How the brightness of many objects has changed lately: how fast each rises, and how much brighter it is than before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followup.batch import Batch
from followup.filters.measured import seen

Floats = NDArray[np.float64]

#: Days by which the magnitude before is earlier than the latest, at least and at most: not of the same visit, nor of another outburst.
APART, BEFORE = 0.3, 30.0
#: Errors that a slope has to exceed to be one.
SIGMA = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Of n objects: the rise (magnitudes per day), by how much the latest magnitude is brighter than that before in its band, and the band.

    ``rise`` and ``by`` have the shape (n,), and are NaN where they are not known; a rise that its error hides is none.
    """

    rise: Floats
    by: Floats
    band: tuple[str, ...]


def of(batch: Batch, at: float) -> Changes:
    """Changes of a batch until a moment (MJD, UTC)."""
    states = batch.at(at)
    slope, error = states.number("slope"), states.number("slope_err")
    with np.errstate(invalid="ignore"):
        rise = np.where(np.abs(slope) >= SIGMA * error, -slope, np.nan)
    found = seen(batch, at)
    by, band = np.full(len(batch), np.nan), [""] * len(batch)
    ends = np.searchsorted(found.owner, np.arange(len(batch) + 1))
    for i, (start, end) in enumerate(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)):
        if end > start:
            last = end - 1
            own = slice(start, last)
            age = found.mjd[last] - found.mjd[own]
            before = np.flatnonzero((found.band[own] == found.band[last]) & (age >= APART) & (age <= BEFORE))
            band[i] = found.bands[int(found.band[last])]
            if before.size:
                by[i] = found.magnitude[start + int(before[-1])] - found.magnitude[last]
    return Changes(rise, by, tuple(band))
