"""Pan-STARRS 1 DR2 over MAST: stacked magnitudes and sizes, by which faint hosts are seen that no table of redshifts has; Dec > -31."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import Sources, blank
from broker_adapters.catalogues._answers import Columns, asked, numbers, required, service, sources
from broker_adapters.errors import Unavailable

REMOTE = True
RADIUS = 60.0
URL = "https://catalogs.mast.stsci.edu/api/v0.1/panstarrs/dr2/stack.json"

_SOUTH = -31.0
#: iPSFMag - iKronMag above which a source is extended; a point may be a star or a quasar.
_EXTENDED = 0.05
_COLUMNS = ("objID", "raStack", "decStack", "gKronMag", "rKronMag", "iKronMag", "zKronMag", "yKronMag", "iPSFMag", "rKronRad")
#: Kron radius of an exponential disc, in its half-light radii.
_KRON = 2.5 / 1.19


def columns_of(document: Any) -> Columns:
    """Columns of an answer: names in ``info``, rows in ``data``; `Unavailable` where it is something else."""
    if not isinstance(document, dict) or not isinstance(document.get("info"), list) or not isinstance(document.get("data"), list):
        raise Unavailable("MAST answered with what is no table")
    names = [one.get("name") if isinstance(one, dict) else None for one in document["info"]]
    rows = [row for row in document["data"] if isinstance(row, list) and len(row) == len(names)]
    return {str(name): [row[k] for row in rows] for k, name in enumerate(names)}


def read(columns: Columns) -> Sources:
    """Rows from the columns of a table of stacks."""
    required(columns, "objID", "raStack", "decStack")
    bands = {band: f"{band}KronMag" for band in "grizy"}
    rows = sources(columns, "panstarrs", {"ra": "raStack", "dec": "decStack", "size": "rKronRad"}, bands, "objID")
    with np.errstate(invalid="ignore"):
        extended = numbers(columns, "iPSFMag", len(rows)) - numbers(columns, "iKronMag", len(rows)) > _EXTENDED
        rows["size"] = np.where(rows["size"] > 0.0, rows["size"] / _KRON, np.nan)
    rows["kind"] = np.where(extended, "galaxy", "unknown")
    return rows


class Catalogue:
    """MAST.

    Parameters
    ----------
    url : str
    timeout : float
        Seconds without a byte; a question may take ten times as long.
    """

    def __init__(self, *, url: str = URL, timeout: float = 3.0) -> None:
        self._url, self._http = url, service("MAST Pan-STARRS", timeout, 10, 1.0)

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; one question for each position."""
        radius = min(radius, RADIUS)
        return asked(ra, dec, radius, mjd, lambda a, d: self._one(a, d, radius), many=1)

    def _one(self, ra: NDArray[np.float64], dec: NDArray[np.float64], radius: float) -> Sources:
        if dec[0] < _SOUTH:
            return blank(0)
        query = {"ra": f"{ra[0]:.7f}", "dec": f"{dec[0]:.7f}", "radius": f"{radius / 3600.0:.7f}", "nStackDetections.gt": "1"}
        query["columns"] = "[" + ",".join(_COLUMNS) + "]"
        return read(columns_of(self._http.get(self._url, query).json()))
