"""Positions on the sphere: matching and averaging through unit vectors, so that RA 0/360 and the poles are nothing special."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

ARCSEC = np.pi / (180.0 * 3600.0)  #: radians


def unit_vectors(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors, shape (n, 3), of positions in degrees."""
    longitude, latitude = np.radians(np.atleast_1d(np.asarray(ra, float))), np.radians(np.atleast_1d(np.asarray(dec, float)))
    return np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1)


def separation(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle in arcseconds between unit vectors, shape (..., 3) each; exact for small angles (from the chord, not the cosine)."""
    chord = np.linalg.norm(a - b, axis=-1)
    angle: NDArray[np.float64] = 2.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)) / ARCSEC
    return angle


def match(
    ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike, radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """All pairs of n and m positions (degrees) within a radius (arcseconds): indices i, j and separations (arcseconds), shape (k,).

    Sorted by i, then by separation. A position that is not finite matches nothing.
    """
    first, second = unit_vectors(ra1, dec1), unit_vectors(ra2, dec2)
    known1, known2 = np.flatnonzero(np.isfinite(first).all(axis=1)), np.flatnonzero(np.isfinite(second).all(axis=1))
    chord = 2.0 * np.sin(min(radius, 180.0 * 3600.0) * ARCSEC / 2.0)
    near = cKDTree(first[known1]).query_ball_tree(cKDTree(second[known2]), chord * (1.0 + 1e-12)) if len(known1) and len(known2) else []
    i = np.repeat(known1, [len(found) for found in near]) if near else np.empty(0, np.intp)
    j = known2[np.array([k for found in near for k in found], np.intp)]
    angle = separation(first[i], second[j])
    order = np.lexsort((j, angle, i))
    order = order[angle[order] <= radius]
    return i[order], j[order], angle[order]


def mean_position(ra: ArrayLike, dec: ArrayLike, error: ArrayLike) -> tuple[float, float, float]:
    """Mean of n positions (degrees) weighted by their errors (arcseconds per axis), and the error of the mean.

    Positions that are not finite are left out; an error that is not finite or not positive counts as the largest of the others, or
    1 arcsecond. All NaN where no position is finite.
    """
    vectors = unit_vectors(ra, dec)
    sigma = np.broadcast_to(np.asarray(error, float), len(vectors))
    known = np.isfinite(vectors).all(axis=1)
    if not known.any():
        return np.nan, np.nan, np.nan
    vectors, sigma = vectors[known], sigma[known]
    good = np.isfinite(sigma) & (sigma > 0.0)
    sigma = np.where(good, sigma, sigma[good].max() if good.any() else 1.0)
    weight = sigma**-2
    x, y, z = (vectors * weight[:, None]).sum(axis=0)
    return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(weight.sum() ** -0.5)
