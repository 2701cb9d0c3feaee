"""The brightest stars of Gaia DR3 (G < 8.5), packaged: where a place is spoilt, and by what; no network is needed.

They have no proper motions (`broker_adapters.catalogues._gaia` says why): the quickest have moved by tens of arcseconds since 2016.
``alerce_catalogues fetch stars`` makes a table of those to G = 10, which is used where its ``path`` is given.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import MAGNITUDES, Sources, blank, frozen, table
from broker_adapters.crossmatch import Places

REMOTE = False
RADIUS = 3600.0

_PACKAGED = Path(__file__).parent / "data" / "stars.npz"
_EPOCH = 2016.0


class Catalogue:
    """The packaged stars, or those of a table that ``alerce_catalogues fetch stars`` made.

    Parameters
    ----------
    path : str
        Of that table; '' for the packaged one.
    """

    def __init__(self, *, path: str = "") -> None:
        self._path = path

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`."""
        places, columns = _table(self._path)
        i, j, angle = places.near(ra, dec, min(radius, RADIUS))
        rows = blank(len(j))
        rows["query"], rows["separation"], rows["kind"], rows["catalogue"], rows["epoch"] = i, angle, "star", "stars", _EPOCH
        rows["ra"], rows["dec"] = columns["ra"][j], columns["dec"][j]
        rows["magnitudes"][:, MAGNITUDES.index("G")] = columns["G"][j]
        rows["id"] = [f"Gaia DR3 {number}" for number in columns["source_id"][j].tolist()]
        return frozen(rows)


@lru_cache(maxsize=2)
def _table(path: str) -> tuple[Places, dict[str, NDArray[np.float64]]]:
    columns = table(path or _PACKAGED, ("source_id", "ra", "dec", "G"))
    return Places(columns["ra"], columns["dec"]), columns
