"""Coverage of intervals, bias and density of what is said about peaks and later points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from classifiers.posterior.points import Floats

#: Intervals whose coverage is measured.
INTERVALS = (0.5, 0.68, 0.9)

#: Negative logarithms of densities count up to here, so that outliers do not decide.
WORST = 10.0

#: Least number of cases of a bin.
LEAST = 20

#: Bins (from, to) of the detections, of days since the first one, and of the predicted days to the peak.
BINS = {
    "detections": ((1, 2), (2, 3), (3, 5), (5, 10), (10, 20), (20, 10000)),
    "age": ((0, 3), (3, 7), (7, 15), (15, 30), (30, 60), (60, 10000)),
    "predicted": ((-60, -20), (-20, -10), (-10, -3), (-3, 0), (0, 3), (3, 6), (6, 10), (10, 20)),
}


def placed(value: Floats, quantiles: Floats, error: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """Place of values (n,) in the distributions with quantiles 16, 50, 84 % (n, 3), in (0, 1), and the negative logarithm of its density.

    The distributions are taken as two half normal ones, and the error of the value as a part of both.
    """
    low, middle, high = quantiles.T
    below, above = np.hypot(middle - low, error), np.hypot(high - middle, error)
    sigma = np.where(value < middle, below, above)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (value - middle) / sigma
        nll = 0.5 * z**2 + np.log((below + above) / 2 * np.sqrt(2 * np.pi))
    return ndtr(z), np.minimum(nll, WORST)


def coverage(place: Floats) -> dict[str, float]:
    """Share of places in each of `INTERVALS`, by its percentage."""
    return {f"{100 * p:.0f}": _rounded(np.mean(np.abs(place - 0.5) <= p / 2)) for p in INTERVALS}


def summary(place: Floats, off: Floats) -> dict[str, Any]:
    """Coverage, median and median absolute value of differences from the truth, and number of cases."""
    return {
        "n": len(place),
        "coverage": coverage(place),
        "bias": _rounded(np.median(off)),
        "error": _rounded(np.median(np.abs(off))),
    }


def in_bins(columns: Mapping[str, Floats], place: Floats, off: Floats) -> dict[str, Any]:
    """Summaries in each of the `BINS` of the columns of that name, each of shape (n,)."""
    return {
        name: {f"{low}..{high}": summary(place[m], off[m]) for low, high in BINS[name] if (m := _within(column, low, high)).sum() >= LEAST}
        for name, column in columns.items()
    }


def _within(column: Floats, low: float, high: float) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = (column >= low) & (column < high)
    return mask


def _rounded(value: Any) -> float:
    return round(float(value), 4)
