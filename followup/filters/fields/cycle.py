"""Period and amplitude of periodic stars."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.filters.measured import Floats
from followup.filters.records import Field


def _of(batch: Batch, name: str) -> Floats:
    """A number of the cycle of each, shape (n,); NaN without one."""
    cycles = (batch[i].cycle for i in range(len(batch)))
    return np.array([np.nan if one is None else getattr(one, name) for one in cycles], float)


FIELDS = {
    "period": Field(
        "period",
        "period of what the light-curve classifier takes for a periodic star; of eclipsing stars it may be half of the orbit's",
        values=lambda batch, at: _of(batch, "period"),
        column="period",
        unit="d",
        low=0.0,
        high=1e5,
    ),
    "amplitude": Field(
        "amplitude",
        "magnitudes between the least and the most light of the cycle, in the band with most points",
        values=lambda batch, at: _of(batch, "amplitude"),
        column="amplitude",
        low=0.0,
        high=40.0,
    ),
}
