"""Cells of the sky: HEALPix of one order for everything that is searched by position, at any declination."""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray

#: Order of the cells, nested scheme: 51 arcsec a side. Stored indices are of this order.
ORDER = 12

_CELLS = HEALPix(nside=2**ORDER, order="nested")


def cells(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.int64]:
    """Cell of each position (degrees), shape (n,)."""
    return np.asarray(_CELLS.lonlat_to_healpix(np.asarray(ra, float) * u.deg, np.asarray(dec, float) * u.deg), dtype=np.int64)


def cell(ra: float, dec: float) -> int:
    """Cell of one position (degrees)."""
    return int(cells(ra, dec))


def centres(indices: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Right ascension and declination (degrees) of the middle of each cell, shape (n,) each."""
    longitude, latitude = _CELLS.healpix_to_lonlat(np.asarray(indices, np.int64))
    return np.asarray(longitude.deg), np.asarray(latitude.deg)


def neighbourhood(indices: NDArray[np.int64]) -> list[int]:
    """These cells and all that touch them, sorted: everything within 51 arcsec of what is in them, and more."""
    with np.errstate(invalid="ignore"):  # eight cells have seven neighbours
        around = _CELLS.neighbours(np.unique(indices))
    return [int(p) for p in np.unique(np.concatenate([indices, around.ravel()])) if p >= 0]


def touched(ra: ArrayLike, dec: ArrayLike, radius: float) -> list[int]:
    """Cells that small cones of ``radius`` arcseconds (at most 20) around n positions (degrees) may touch, and some more, sorted.

    Most small cones lie within one cell: neighbours are taken only of positions nearer to an edge than three radii, since cells are
    skewed.
    """
    place = np.asarray(ra, float) * u.deg, np.asarray(dec, float) * u.deg
    own, x, y = _CELLS.lonlat_to_healpix(*place, return_offsets=True)
    own, margin = np.atleast_1d(np.asarray(own, np.int64)), 3.0 * radius / _CELLS.pixel_resolution.to_value(u.arcsec)
    inside = np.atleast_1d((np.abs(np.asarray(x) - 0.5) < 0.5 - margin) & (np.abs(np.asarray(y) - 0.5) < 0.5 - margin))
    edge = own[~inside]
    return sorted({*own[inside].tolist(), *(neighbourhood(edge) if len(edge) else [])})


def cone(ra: float, dec: float, radius: float) -> list[int]:
    """Cells that a cone of ``radius`` arcseconds around a position (degrees) touches."""
    return [int(p) for p in _CELLS.cone_search_lonlat(ra * u.deg, dec * u.deg, radius * u.arcsec)]
