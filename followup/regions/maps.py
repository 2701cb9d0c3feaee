"""The region of a map of many orders: one sorted array, no row per pixel of a fine grid.

The cells are sorted along the nested curve, so that a position is found by one search for its place on the curve at the finest order.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from astropy import units as u
from astropy.coordinates import angular_separation
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray

from broker_adapters.skymap import SkyMap
from followup.regions.distances import Distances

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_SQUARE_DEGREES = np.degrees(1.0) ** 2
#: Of the volume: probability of the places that it is worked out for, steps of distance, cells at a time, bins of density and the decades
#: below the densest that they span.
_MOST, _STEPS, _CHUNK, _BINS, _DECADES = 0.999, 240, 2000, 4096, 12.0
#: Nodes and weights of a normal distribution, over which the level in space of an uncertain distance is averaged.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


class MapRegion:
    """The region of a map."""

    def __init__(self, skymap: SkyMap) -> None:
        self._map = skymap
        self._order = int(skymap.order.max())
        self._grid = HEALPix(nside=2**self._order, order="nested")
        shift = 2 * (self._order - skymap.order)
        self._start = skymap.cell << shift
        self._end = (skymap.cell + 1) << shift
        probability, area = skymap.density * skymap.area, skymap.area
        down = np.argsort(skymap.density)[::-1]
        sorted_density = skymap.density[down]
        last = np.searchsorted(-sorted_density, -sorted_density, "right") - 1  # equal ones belong together
        self._cumulative = np.minimum(np.cumsum(probability[down]), 1.0)
        self._areas = np.cumsum(area[down]) * _SQUARE_DEGREES
        self._down = down
        self._levels = np.append(np.empty(len(down)), 1.0)  # the last one is that of no cell
        self._levels[down] = self._cumulative[last]

    @property
    def skymap(self) -> SkyMap:
        """The map."""
        return self._map

    @property
    def best(self) -> tuple[float, float]:
        """Middle of the densest cell."""
        ra, dec = self.centres(self._down[:1])
        return float(ra[0]), float(dec[0])

    def level(self, ra: ArrayLike, dec: ArrayLike) -> Floats:
        """Credible level of n positions, shape (n,); 1 where no cell is."""
        return np.asarray(self._levels[self._cells(ra, dec)])

    def area(self, level: ArrayLike) -> Floats:
        """Square degrees of the region of each level, shape (k,)."""
        last = np.searchsorted(self._cumulative, np.atleast_1d(np.asarray(level, float)) - 1e-12)
        return np.asarray(self._areas[np.minimum(last, len(self._areas) - 1)])

    def distances(self, ra: ArrayLike, dec: ArrayLike) -> Distances:
        """Distance of the event, were it at each of n positions."""
        return self._distances(self._cells(ra, dec))

    def level_in_space(self, ra: ArrayLike, dec: ArrayLike, distance: ArrayLike, error: ArrayLike) -> Floats:
        """Credible level in space of n positions with distances and errors (Mpc), shape (n,); NaN where either distance is not known.

        The level of a place is that of its probability per volume; it is averaged over the error (9 nodes of Gauss and Hermite).
        """
        cells = self._cells(ra, dec)
        here = self._distances(cells)
        density = np.append(self._map.density, 0.0)[cells]
        spread = np.asarray(distance, float)[:, None] + np.asarray(error, float)[:, None] * _NODES
        with np.errstate(divide="ignore", invalid="ignore"):
            normal = np.exp(-0.5 * ((spread - here.mu[:, None]) / here.sigma[:, None]) ** 2) / (np.sqrt(2.0 * np.pi) * here.sigma[:, None])
            values = np.log10(density[:, None] * here.norm[:, None] * normal)
        values[spread <= 0.0] = -np.inf  # no distance at all
        known = np.isfinite(here.norm) & np.isfinite(np.asarray(distance, float)) & np.isfinite(np.asarray(error, float))
        found = np.full(len(cells), np.nan)
        found[known] = self._levels_of(values[known]) @ (_WEIGHTS / _WEIGHTS.sum())
        return found

    def extent(self, level: float) -> float:
        """Degrees from the best place within which the region of a level lies."""
        ra, dec = self.centres(self.inside(level))
        here = np.radians(self.best)
        apart = np.degrees(angular_separation(*here, np.radians(ra), np.radians(dec)))
        return float(apart.max(initial=0.0) + np.degrees(np.sqrt(self._map.area[self.inside(level)].max(initial=0.0))))

    def cells(self, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Orders and nested indices of the cells of the region of a level, along the nested curve, shape (k,) each."""
        inside = np.sort(self.inside(level))
        return self._map.order[inside], self._map.cell[inside]

    def inside(self, level: float) -> Places:
        """Cells of the region of a level."""
        last = int(np.searchsorted(self._cumulative, level - 1e-12))
        return self._down[: last + 1]

    def centres(self, cells: Places) -> tuple[Floats, Floats]:
        """Middles of cells, degrees, shape (k,) each."""
        ra, dec = np.empty(len(cells)), np.empty(len(cells))
        for order in np.unique(self._map.order[cells]).tolist():
            mine = self._map.order[cells] == order
            lon, lat = HEALPix(nside=2**order, order="nested").healpix_to_lonlat(self._map.cell[cells][mine])
            ra[mine], dec[mine] = lon.deg, lat.deg
        return ra, dec

    def _cells(self, ra: ArrayLike, dec: ArrayLike) -> Places:
        """Cell that each position lies in, one behind the last for none; a position that is none lies in none."""
        lon, lat = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
        sane = np.isfinite(lon) & (np.abs(lat) <= 90.0)
        at = np.asarray(self._grid.lonlat_to_healpix(np.where(sane, lon, 0.0) * u.deg, np.where(sane, lat, 0.0) * u.deg), np.int64)
        found = np.searchsorted(self._start, at, "right") - 1
        return np.where(sane & (found >= 0) & (at < self._end[found]), found, len(self._start))

    def _distances(self, cells: Places) -> Distances:
        return Distances(*(np.append(values, np.nan)[cells] for values in (self._map.mu, self._map.sigma, self._map.norm)))

    def _levels_of(self, density: Floats) -> Floats:
        """Level in space of the decimal logarithm of a probability per Mpc^3."""
        edges, level = self._volume
        return np.asarray(np.interp(density, edges, level))

    @cached_property
    def _volume(self) -> tuple[Floats, Floats]:
        """Logarithms of the probability per Mpc^3, ascending, and the probability of all places at least as dense: worked out once."""
        cells = self.inside(_MOST)
        cells = cells[np.isfinite(self._map.norm[cells])]
        if not len(cells):
            return np.array([-1.0, 0.0]), np.ones(2)
        mu, sigma = self._map.mu[cells], self._map.sigma[cells]
        r = np.linspace(max(float((mu - 5.0 * sigma).min()), 0.0), max(float((mu + 5.0 * sigma).max()), 1.0), _STEPS + 1)
        middle, step = (r[1:] + r[:-1]) / 2.0, r[1] - r[0]
        with np.errstate(divide="ignore"):
            top = np.log10(self._map.density[cells] * self._map.norm[cells] / (np.sqrt(2.0 * np.pi) * sigma)).max()
        edges = np.linspace(top - _DECADES, top, _BINS + 1)
        held = np.zeros(_BINS)
        for low in range(0, len(cells), _CHUNK):
            part = cells[low : low + _CHUNK]
            normal = -0.5 * ((middle - self._map.mu[part, None]) / self._map.sigma[part, None]) ** 2
            with np.errstate(divide="ignore"):
                height = np.log10(self._map.density[part] * self._map.norm[part] / (np.sqrt(2.0 * np.pi) * self._map.sigma[part]))
            value = height[:, None] + normal * np.log10(np.e)
            weight = 10.0**value * self._map.area[part, None] * middle**2 * step
            bins = np.clip(((value - edges[0]) * (_BINS / _DECADES)).astype(np.int64), -1, _BINS - 1)
            held += np.bincount(bins[bins >= 0], weight[bins >= 0], _BINS)
        above = np.append(np.cumsum(held[::-1])[::-1], 0.0)
        total = max(above[0], np.finfo(float).tiny)
        return np.append(edges[0] - 1.0, edges), np.append(1.0, above / total * _MOST)
