"""Cones and regions of many lists, held in memory so that a batch of positions is compared with all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from astropy import units as u
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from broker_adapters.crossmatch import ARCSEC, separation, unit_vectors

#: Radii (arcseconds) up to which cones are searched together: one wide cone must not make the search for narrow ones wide.
_CLASSES = (5.0, 30.0, 180.0, 1800.0)
_FINEST = HEALPix(nside=2**29, order="nested")

Pairs = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


class Cones:
    """Cones: centres in degrees and radii in arcseconds, shape (m,) each."""

    def __init__(self, ra: ArrayLike, dec: ArrayLike, radius: ArrayLike) -> None:
        self._centres, self._radius = unit_vectors(ra, dec), np.atleast_1d(np.asarray(radius, float))
        kind = np.searchsorted(_CLASSES, self._radius)
        parts = [np.flatnonzero(kind == k) for k in np.unique(kind)]
        self._parts = [(own, cKDTree(self._centres[own], balanced_tree=False), float(self._radius[own].max())) for own in parts]

    def around(self, ra: ArrayLike, dec: ArrayLike) -> Pairs:
        """Pairs of n positions (degrees) and the cones that they are in: indices of both and separations (arcseconds), shape (k,)."""
        places = unit_vectors(ra, dec)
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        first, second = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for own, tree, widest in self._parts:
            near = tree.query_ball_point(places[known], 2.0 * np.sin(widest * ARCSEC / 2.0) * (1.0 + 1e-9))
            counts = np.fromiter(map(len, near), np.intp, len(near))
            first.append(np.repeat(known, counts))
            second.append(own[np.fromiter(chain.from_iterable(near), np.intp, counts.sum())])
        i, j = np.concatenate(first), np.concatenate(second)
        apart = separation(places[i], self._centres[j])
        inside = apart <= self._radius[j]
        return i[inside], j[inside], apart[inside]


def finest(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
    """Nested HEALPix index of order 29 of n positions (degrees), shape (n,)."""
    lon, lat = (np.atleast_1d(np.asarray(values, float)) * u.deg for values in (ra, dec))
    return np.atleast_1d(np.asarray(_FINEST.lonlat_to_healpix(lon, lat), np.int64))


def within(ranges: NDArray[np.int64], cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether cells, shape (n,), are in any of disjoint ascending ranges (first, last + 1), shape (m, 2)."""
    place = np.searchsorted(ranges[:, 0], cells, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (cells < ranges[np.maximum(place, 0), 1] if len(ranges) else False)
    return inside


def in_regions(regions: Mapping[int, NDArray[np.int64]], ra: ArrayLike, dec: ArrayLike) -> Sequence[tuple[int, NDArray[np.intp]]]:
    """Key of a region -> indices of the positions (degrees) that are in it, for the regions that have any."""
    if not regions:
        return []
    lon, lat = (np.atleast_1d(np.asarray(values, float)) for values in (ra, dec))
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    cells = finest(lon[known], lat[known])
    found = ((key, known[within(ranges, cells)]) for key, ranges in regions.items())
    return [(key, inside) for key, inside in found if inside.size]
