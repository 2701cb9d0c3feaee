"""Dust of our galaxy: the reddening map of Burstein & Heiles (1982, AJ 87, 1165), from counts of galaxies and from neutral hydrogen.

It is coarse (0.3 to 0.6 degrees) and says nothing within 10 degrees of the plane, but it needs no download. The map is that of the package
dustmaps 1.0.14 (Green 2018, JOSS 3, 695), whose way of reading it this follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

_MAP = Path(__file__).parent / "data" / "burstein_heiles.npz"
_NONE = -32768
_CAP, _PLANE = 65.0, 10.0  #: degrees of latitude
_HYDROGEN, _ZERO = 0.0000357, 0.0372  #: magnitudes per unit of the hydrogen map; the paper's offset

#: Extinction in magnitudes per magnitude of E(B - V), at R_V = 3.1 (Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6).
EXTINCTION: Mapping[str, float] = MappingProxyType(
    {"B": 3.626, "V": 2.742, "u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263, "y": 1.088}
)


def reddening(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """E(B - V) in magnitudes at n positions (degrees), shape (n,); NaN within 10 degrees of the plane and where the map has a hole."""
    place = np.radians([np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))])
    known = np.isfinite(place).all(axis=0)
    longitude, latitude = np.full(place.shape, np.nan)
    longitude[known], latitude[known] = np.degrees(erfa.icrs2g(*place[:, known]))
    found = np.full(place.shape[1], np.nan)
    for half, sign in (("north", 1.0), ("south", -1.0)):
        b = sign * latitude
        cap, middle = b >= _CAP, (b >= _PLANE) & (b < _CAP)
        found[cap] = _cap(half, longitude[cap], b[cap])
        found[middle] = _middle(half, longitude[middle], b[middle])
    return np.maximum(found, 0.0)


def _cap(half: str, longitude: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    away, angle = (90.0 - b) / 0.3, np.radians(longitude)
    row, column = np.rint(100.0 + away * np.sin(angle)), np.rint(100.0 + away * np.cos(angle))
    return _values(f"hi{half}", row, column) * _HYDROGEN - _ZERO


def _middle(half: str, longitude: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    row, column = np.rint((b - _PLANE) / 0.6), np.rint(((longitude % 360.0) + 0.15) / 0.3 - 1.0)
    return _values(f"red{half}", row, column) * 0.001


def _values(name: str, row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float64]:
    grid = _maps()[name]
    values = grid[np.minimum(row.astype(int), grid.shape[0] - 1), column.astype(int) % grid.shape[1]]
    return np.where(values == _NONE, np.nan, values)


@lru_cache(maxsize=1)
def _maps() -> Mapping[str, NDArray[np.int16]]:
    with np.load(_MAP) as file:
        return MappingProxyType({name: file[name] for name in file.files})
