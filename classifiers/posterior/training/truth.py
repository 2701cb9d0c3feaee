"""When real supernovae peaked: the vertex of a parabola through their whole light curves."""

from __future__ import annotations

import math

import numpy as np

from classifiers.posterior.inputs import BLUE
from classifiers.posterior.points import Floats

#: Days about the brightest point that are fitted, days on either side within which there must be a point, and least number of points.
WINDOW, BESIDE, LEAST = 9.0, 9.0, 4

#: Days from the maximum of a curve without noise at which it is taken for `vertex`.
GRID = np.arange(-9.0, 9.1, 1.5)


def peak(table: Floats) -> tuple[float, bool]:
    """Time of the peak (MJD) in the blue, else in the red, of a table of points (4, m), and whether it is that in the blue.

    The parabola in flux is fitted about the brightest point. The time is NaN where the brightest point has no points on both sides, or the
    parabola no maximum between them.
    """
    for blue in (True, False):
        t, wavelength, flux, error = table
        own = ((wavelength < BLUE) == blue) & (flux > 0)
        found = _vertex(t[own], flux[own], error[own])
        if math.isfinite(found):
            return found, blue
    return math.nan, True


def _vertex(t: Floats, flux: Floats, error: Floats) -> float:
    if len(t) < LEAST:
        return math.nan
    best = int(np.argmax(flux))
    x, near = t - t[best], np.abs(t - t[best]) <= WINDOW
    if near.sum() < LEAST or not ((x < 0) & (x >= -BESIDE)).any() or not ((x > 0) & (x <= BESIDE)).any():
        return math.nan
    x, weight = x[near], 1 / np.hypot(error[near], 0.02 * flux[best])
    a, b, _ = np.polyfit(x, flux[near], 2, w=weight)
    vertex = -b / (2 * a) if a < 0 else math.nan
    return float(t[best] + vertex) if x.min() <= vertex <= x.max() else math.nan


def vertex(t: Floats, flux: Floats) -> float:
    """Vertex of the parabola through a curve without noise whose maximum is at 0; 0 where it has none."""
    a, b, _ = np.polyfit(t, flux, 2)
    return float(np.clip(-b / (2 * a), -GRID[-1], GRID[-1])) if a < 0 else 0.0
