"""Positions on the sphere: matching and averaging through unit vectors, so that RA 0/360 and the poles are nothing special."""

from __future__ import annotations

import math

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

ARCSEC = np.pi / (180.0 * 3600.0)  #: radians

#: Arcseconds that a missing position error counts as in a mean, and the smallest error that is believed.
ERROR_UNKNOWN, _ERROR_SMALLEST = 1.0, 1e-3


def unit_vectors(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    longitude, latitude = np.radians(np.atleast_1d(np.asarray(ra, float))), np.radians(np.atleast_1d(np.asarray(dec, float)))
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1)


def from_plane(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Degrees from the plane of the Galaxy, north or south, of n positions in degrees, shape (n,); NaN where one is not finite."""
    place = np.radians([np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))])
    known = np.isfinite(place).all(axis=0)
    away = np.full(place.shape[1], np.nan)
    away[known] = np.abs(np.degrees(erfa.icrs2g(*place[:, known])[1]))
    return away


def separation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle in arcseconds between unit vectors, shape (..., 3) each; exact for small angles (from the chord, not the cosine)."""
    chord = np.linalg.norm(a - b, axis=-1)
    angle: NDArray[np.float64] = 2.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)) / ARCSEC
    return angle


class Places:
    """Positions (degrees), shape (m,), that are searched again and again; one that is not finite is never found."""

    def __init__(self, ra: ArrayLike, dec: ArrayLike) -> None:
        self._vectors = unit_vectors(ra, dec)
        self._known = np.flatnonzero(np.isfinite(self._vectors).all(axis=1))
        self._tree = cKDTree(self._vectors[self._known], balanced_tree=False) if len(self._known) else None

    def near(self, ra: ArrayLike, dec: ArrayLike, radius: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """All pairs of n positions (degrees) and ours within a radius (arcseconds), as `match` gives them."""
        return self.around(Places(ra, dec), radius)

    def around(self, others: Places, radius: float) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """All pairs of other places and ours within a radius (arcseconds), as `match` gives them."""
        if self._tree is None or others._tree is None:
            return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
        chord = 2.0 * np.sin(min(radius, 180.0 * 3600.0) * ARCSEC / 2.0)
        pairs = others._tree.sparse_distance_matrix(self._tree, chord * (1.0 + 1e-12), output_type="ndarray")
        i, j = others._known[pairs["i"]], self._known[pairs["j"]]
        angle = separation(others._vectors[i], self._vectors[j])
        order = np.lexsort((j, angle, i))
        order = order[angle[order] <= radius]
        return i[order], j[order], angle[order]


def match(
    ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike, radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """All pairs of n and m positions (degrees) within a radius (arcseconds): indices i, j and separations (arcseconds), shape (k,).

    Sorted by i, then by separation. A position that is not finite matches nothing.
    """
    return Places(ra2, dec2).near(ra1, dec1, radius)


def mean_direction(ra: ArrayLike, dec: ArrayLike) -> tuple[float, float, float]:
    """Mean direction of n positions (degrees), each counted once: a unit vector; NaN where no position is finite."""
    longitude, latitude = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    known = np.isfinite(longitude) & np.isfinite(latitude)
    longitude, latitude = longitude[known], latitude[known]
    x, y, z = float(np.cos(latitude) @ np.cos(longitude)), float(np.cos(latitude) @ np.sin(longitude)), float(np.sin(latitude).sum())
    norm = math.hypot(x, y, z) or math.nan
    return x / norm, y / norm, z / norm


def mean_positions(
    group: ArrayLike, ra: ArrayLike, dec: ArrayLike, error: ArrayLike, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean positions of n groups, weighted by their errors, and the errors of the means: degrees, degrees, arcseconds, shape (n,) each.

    ``group``, shape (m,), is the group of each of m positions (degrees; errors in arcseconds per axis). Positions that are not finite are
    left out; a missing or impossible error counts as `ERROR_UNKNOWN`. The errors of a survey's astrometric frame do not average out, so
    that a mean is never claimed to be better than its best measurement. NaN for a group without a position.
    """
    vectors, sigma = unit_vectors(ra, dec), np.asarray(error, float)
    known = np.isfinite(vectors).all(axis=1)
    index, vectors, sigma = np.asarray(group, np.intp)[known], vectors[known], np.broadcast_to(sigma, known.shape)[known]
    sigma = np.maximum(np.where(np.isfinite(sigma) & (sigma > 0.0), sigma, ERROR_UNKNOWN), _ERROR_SMALLEST)
    x, y, z = (np.bincount(index, v / sigma**2, minlength=n) for v in vectors.T)
    best = np.full(n, np.inf)
    np.minimum.at(best, index, sigma)
    empty = np.isinf(best)
    mean_ra = np.where(empty, np.nan, np.degrees(np.arctan2(y, x)) % 360.0)
    mean_dec = np.where(empty, np.nan, np.degrees(np.arctan2(z, np.hypot(x, y))))
    return mean_ra, mean_dec, np.where(empty, np.nan, best)


def mean_position(ra: ArrayLike, dec: ArrayLike, error: ArrayLike) -> tuple[float, float, float]:
    """Mean of n positions (degrees; errors in arcseconds per axis) and its error, as in `mean_positions`."""
    longitude = np.atleast_1d(np.asarray(ra, float))
    mean = mean_positions(np.zeros(len(longitude), np.intp), longitude, dec, error, 1)
    return float(mean[0][0]), float(mean[1][0]), float(mean[2][0])
