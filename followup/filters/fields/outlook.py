"""What the posterior of its light curve says of its peak, given a supernova."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from followup.batch import Batch
from followup.filters.measured import Floats
from followup.filters.records import Field, Kind

#: Days about the peak that count as near.
NEAR = 4.0


def _of_known(batch: Batch, values: Callable[[], Floats]) -> Floats:
    """A column with NaN for what has no outlook, shape (n,); ``values`` are those of the others."""
    column = np.full(len(batch), np.nan)
    if len(batch.has_outlook):
        column[batch.has_outlook] = values()
    return column


def _peaks(batch: Batch) -> Floats:
    """Quantiles (16, 50, 84 %) of the MJD of the peak, shape (k, 3)."""
    return batch.once("quantiles of the peak", lambda: batch.outlooks.peak(batch.shares()))


FIELDS = {
    "peak": Field(
        "days to peak",
        "days from now to the median of the time of the peak, below 0 after it",
        Kind.UNTIL,
        values=lambda batch, at: _of_known(batch, lambda: _peaks(batch)[:, 1]),
        column="peak",
        unit="d",
        low=-1e4,
        high=1e4,
    ),
    "peak_error": Field(
        "error of the peak",
        "half of the 68 % interval of the time of the peak",
        values=lambda batch, at: _of_known(batch, lambda: 0.5 * (_peaks(batch)[:, 2] - _peaks(batch)[:, 0])),
        column="peak_error",
        unit="d",
        low=0.0,
        high=1e4,
    ),
    "near_peak": Field(
        "P near peak",
        f"probability that the peak is within {NEAR:g} days of the moment at which the object was last looked at",
        values=lambda batch, at: _of_known(batch, lambda: batch.outlooks.near_peak([at], NEAR, batch.shares())[:, 0]),
        column="near_peak",
        low=0.0,
        high=1.0,
    ),
    "peak_magnitude": Field(
        "peak magnitude",
        "median of the r magnitude at the peak",
        values=lambda batch, at: _of_known(batch, lambda: batch.outlooks.peak_magnitude[:, 1, 1].astype(float)),
        column="peak_magnitude",
        low=-30.0,
        high=40.0,
    ),
}
