"""When real supernovae peaked: the vertex of a parabola through their whole light curves."""

from __future__ import annotations

import math

import numpy as np

from classifiers.peaks import COVERS
from classifiers.peaks import vertex as measured
from classifiers.posterior.inputs import BLUE
from classifiers.posterior.points import Floats

#: How a peak must be covered: by the narrowest window, since a wider one is late.
COVER = COVERS[:1]

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
        found = measured(t[own], flux[own], error[own], COVER)
        if math.isfinite(found):
            return found, blue
    return math.nan, True


def vertex(t: Floats, flux: Floats) -> float:
    """Vertex of the parabola through a curve without noise whose maximum is at 0; 0 where it has none."""
    a, b, _ = np.polyfit(t, flux, 2)
    return float(np.clip(-b / (2 * a), -GRID[-1], GRID[-1])) if a < 0 else 0.0
