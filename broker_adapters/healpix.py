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


def neighbourhood(indices: NDArray[np.int64]) -> list[int]:
    """These cells and all that touch them, sorted: everything within 51 arcsec of what is in them, and more."""
    with np.errstate(invalid="ignore"):  # eight cells have seven neighbours
        around = _CELLS.neighbours(np.unique(indices))
    return [int(p) for p in np.unique(np.concatenate([indices, around.ravel()])) if p >= 0]


def cone(ra: float, dec: float, radius: float) -> list[int]:
    """Cells that a cone of ``radius`` arcseconds around a position (degrees) touches."""
    return [int(p) for p in _CELLS.cone_search_lonlat(ra * u.deg, dec * u.deg, radius * u.arcsec)]
