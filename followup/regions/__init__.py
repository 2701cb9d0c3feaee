"""Where an event may be: credible regions of maps and of cones, on the sky and in space, as arrays.

A credible level of a place is the probability of all places at least as dense: 0 at the best one, 1 at the worst. The region of level 0.9
holds the event with that probability, and is the smallest that does.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray

from broker_adapters.notice import Cone
from broker_adapters.skymap import FINEST, SkyMap
from followup.regions.cones import ConeRegion
from followup.regions.distances import Distances
from followup.regions.maps import MapRegion

__all__ = ["ConeRegion", "Distances", "MapRegion", "Region", "prepare", "ranges", "touched"]

Floats = NDArray[np.float64]
Cells = tuple[NDArray[np.int64], NDArray[np.int64]]


class Region(Protocol):
    """Where one event may be. Positions are degrees, ICRS; n of them at once."""

    @property
    def best(self) -> tuple[float, float]:
        """The densest place."""

    def level(self, ra: ArrayLike, dec: ArrayLike) -> Floats:
        """Credible level of n positions, shape (n,); 1 where no map is."""

    def area(self, level: ArrayLike) -> Floats:
        """Square degrees of the region of each level, shape (k,)."""

    def distances(self, ra: ArrayLike, dec: ArrayLike) -> Distances:
        """What is known of the distance of the event, were it at each of n positions."""

    def level_in_space(self, ra: ArrayLike, dec: ArrayLike, distance: ArrayLike, error: ArrayLike) -> Floats:
        """Credible level in space of n positions with distances and errors (Mpc), shape (n,); NaN where the event's is not known."""

    def extent(self, level: float) -> float:
        """Degrees from the best place within which the region of a level lies."""

    def cells(self, level: float) -> Cells:
        """HEALPix orders and nested indices of cells that the region of a level consists of, shape (k,) each."""


def prepare(place: Cone | SkyMap) -> Region:
    """The region of a notice's place."""
    return ConeRegion(place) if isinstance(place, Cone) else MapRegion(place)


def ranges(region: Region, level: float) -> NDArray[np.int64]:
    """The region of a level as first and last + 1 nested indices of HEALPix order 29, merged and ascending, shape (k, 2)."""
    order, cell = region.cells(level)
    shift = 2 * (FINEST - order)
    start, end = cell << shift, (cell + 1) << shift
    along = np.argsort(start)
    start, end = start[along], end[along]
    apart = np.flatnonzero(start[1:] > end[:-1])
    return np.column_stack([start[np.append(0, apart + 1)], end[np.append(apart, len(end) - 1)]])


def touched(region: Region, level: float, order: int) -> NDArray[np.bool_]:
    """Cells of an order that the region of a level may touch, shape (12 x 4^order,): a few more, never fewer."""
    grid, shift = HEALPix(nside=2**order, order="nested"), 2 * (FINEST - order)
    mask = np.zeros(grid.npix, bool)
    for first, last in (ranges(region, level) - [0, 1]) >> shift:
        mask[first : last + 1] = True
    with np.errstate(invalid="ignore"):  # eight cells have seven neighbours
        around = np.asarray(grid.neighbours(np.flatnonzero(mask))).ravel()
    mask[around[around >= 0]] = True
    return mask
