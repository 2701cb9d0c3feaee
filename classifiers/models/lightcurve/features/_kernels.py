"""Order statistics of sorted arrays, compiled."""

from __future__ import annotations

import numpy as np

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats


@compiled()
def median(ordered: Floats) -> float:
    """Median of a sorted array; NaN of an empty one."""
    n = len(ordered)
    if n == 0:
        return np.nan
    return float(0.5 * (ordered[(n - 1) // 2] + ordered[n // 2]))


@compiled()
def percentile(ordered: Floats, q: float) -> float:
    """Percentile of a sorted array by linear interpolation, as numpy's default."""
    position = q / 100 * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (position - low) * (ordered[high] - ordered[low]))
