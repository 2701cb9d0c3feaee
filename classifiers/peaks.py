"""When a whole light curve peaked, as people measure it: the vertex of a parabola in flux about its brightest point.

A wide parabola is late, since supernovae decline more slowly than they rise: over SNe Ia that are sampled well enough to see their maximum
by a cubic, the vertex within 9 days is 0.3 d after it, that within 15 days 1.0 d. Hence the narrow one where points cover it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Days about the brightest point, and the least number of points there: the first goes before the second.
COVERS = ((9.0, 4), (15.0, 3))

#: Part of the brightest flux that is added to errors.
SCATTER = 0.02


def vertex(t: Floats, flux: Floats, error: Floats, covers: tuple[tuple[float, int], ...] = COVERS) -> float:
    """Time of the peak of one band, in the unit of ``t``.

    NaN where no window of ``covers`` has points enough, with some on either side of the brightest, and a vertex between them.

    Parameters
    ----------
    t, flux, error : ndarray, shape (n,)
        Detections in any order; days, and fluxes above 0 with their errors in one unit.
    covers : tuple of (days, number)
        Half widths of the windows that are tried, with their least numbers of points.
    """
    found = (_within(t, flux, error, days, least) for days, least in covers if len(t) >= least)
    return next((time for time in found if np.isfinite(time)), float("nan"))


def _within(t: Floats, flux: Floats, error: Floats, days: float, least: int) -> float:
    best = int(np.argmax(flux))
    x = t - t[best]
    near = np.abs(x) <= days
    x = x[near]
    if len(x) < least or x.min() >= 0.0 or x.max() <= 0.0:
        return float("nan")
    a, b, _ = np.polyfit(x, flux[near], 2, w=1.0 / np.hypot(error[near], SCATTER * flux[best]))
    vertex = -b / (2.0 * a) if a < 0.0 else np.nan
    return float(t[best] + vertex) if x.min() <= vertex <= x.max() else float("nan")
