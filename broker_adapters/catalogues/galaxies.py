"""Galaxies near enough to host a supernova of ours: GLADE+ with sizes of HyperLEDA, and names of NGC and IC; no network is needed.

What is packaged reaches to `LIMIT` Mpc. ``alerce_catalogues fetch galaxies`` makes a table of all 791,643 galaxies, which is used where its
``path`` is given. Licences and what to cite: ``broker_adapters/catalogues/data/NOTICE.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.catalogue import MAGNITUDES, REDSHIFTS, Sources, blank, frozen, joined, table
from broker_adapters.catalogues._glade import STORED, restored
from broker_adapters.crossmatch import Places, match

REMOTE = False
RADIUS = 3600.0
#: Distance to which the packaged table of GLADE+ reaches, Mpc; beyond there are only galaxies of NGC and IC.
LIMIT = 400.0

_DATA = Path(__file__).parent / "data"
#: Half-light radii to which a large galaxy is found beyond the radius that is asked for: all of its stars.
REACH = 6.0
#: Half-light radii (arcseconds) between the groups in which large galaxies are searched, so that the largest do not slow all others.
_GROUPS = (50.0, 200.0, 600.0, np.inf)
#: Arcseconds within which a galaxy of NGC or IC and one of GLADE+ are taken to be one, where no number of PGC says so.
_SAME = 20.0


class Catalogue:
    """The packaged galaxies, or those of a table that ``alerce_catalogues fetch galaxies`` made.

    Parameters
    ----------
    path : str
        Of that table; '' for the packaged one.
    """

    def __init__(self, *, path: str = "") -> None:
        self._path = path

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """See `broker_adapters.catalogue.Catalogue`; galaxies stand still, and large ones are found as far as `REACH`."""
        known, here = _table(self._path), Places(ra, dec)
        parts = [known.rows(*known.places.around(here, min(radius, RADIUS)))]
        for group in known.large:
            i, j, angle = group.places.around(here, group.reach)
            j = group.index[j]
            beyond = (angle > radius) & (angle <= REACH * known.sizes[j])
            if beyond.any():
                parts.append(known.rows(i[beyond], j[beyond], angle[beyond]))
        return joined(parts) if len(parts) > 1 else frozen(parts[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Large:
    """Galaxies of about one size: their indices, their places and how far any of them reaches (arcseconds)."""

    index: NDArray[np.intp]
    places: Places
    reach: float


class _Table:
    """Columns of all galaxies in memory, with their places."""

    def __init__(self, path: Path) -> None:
        columns = {name: restored(name, values) for name, values in table(path, STORED).items()}
        named = table(_DATA / "ngc.npz", (*STORED, "name"))
        extra, names = {name: restored(name, named[name]) for name in STORED}, named["name"]
        twin = _twins(columns, extra)
        new = twin < 0
        self._columns = {name: np.concatenate([columns[name], extra[name][new]]) for name in STORED}
        self._names: dict[int, str] = dict(zip(twin[~new].tolist(), names[~new].tolist(), strict=True))
        self._names |= {len(columns["ra"]) + k: name for k, name in enumerate(names[new].tolist())}
        self.sizes = 1.5 * 10.0 ** self._columns["log_d25"]
        ra, dec = self._columns["ra"], self._columns["dec"]
        self.places = Places(ra, dec)
        self.large = [self._group(low, high) for low, high in pairwise(_GROUPS)]

    def _group(self, low: float, high: float) -> _Large:
        index = np.flatnonzero((self.sizes > low) & (self.sizes <= high))
        places = Places(self._columns["ra"][index], self._columns["dec"][index])
        return _Large(index, places, REACH * float(self.sizes[index].max(initial=0.0)))

    def rows(self, i: NDArray[np.intp], j: NDArray[np.intp], angle: NDArray[np.float64]) -> Sources:
        """Rows of the galaxies ``j`` near the positions ``i``, at separations in arcseconds."""
        columns = {name: values[j] for name, values in self._columns.items()}
        rows = blank(len(j))
        rows["query"], rows["separation"], rows["kind"], rows["catalogue"] = i, angle, "galaxy", "galaxies"
        for name in ("ra", "dec", "redshift", "position_angle"):
            rows[name] = columns[name]
        rows["id"] = [
            self._names.get(k) or (f"PGC {n:.0f}" if n == n else f"GLADE+ {k}") for k, n in zip(j.tolist(), columns["pgc"], strict=True)
        ]
        rows["redshift_kind"] = np.array(REDSHIFTS)[columns["flag"].astype(int)]
        rows["distance"] = 10.0 ** columns["distance"]
        rows["size"] = self.sizes[j]
        rows["axis_ratio"] = 10.0 ** -columns["log_r25"]
        rows["magnitudes"][:, MAGNITUDES.index("B")] = columns["B"]
        return rows


def _twins(columns: dict[str, NDArray[np.float64]], extra: dict[str, NDArray[np.float64]]) -> NDArray[np.intp]:
    """Index of the galaxy that each extra one is, -1 where it is none: by number of PGC, else by place."""
    numbers = {n: k for k, n in enumerate(columns["pgc"].tolist())}
    twin = np.array([numbers.get(n, -1) for n in extra["pgc"].tolist()], np.intp)
    i, j, _ = match(extra["ra"], extra["dec"], columns["ra"], columns["dec"], _SAME)
    for k, other in zip(i[::-1], j[::-1], strict=True):  # the nearest comes last
        twin[k] = other if twin[k] < 0 else twin[k]
    return twin


@lru_cache(maxsize=2)
def _table(path: str) -> _Table:
    return _Table(Path(path) if path else _DATA / "galaxies.npz")
