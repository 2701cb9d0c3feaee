"""Maps of the sky as observatories send them: HEALPix tables in FITS, of many orders or flat, from untrusted bytes to arrays.

The tables: https://emfollow.docs.ligo.org/userguide/tutorial/multiorder_skymaps.html. A flat map becomes one of many orders, coarse where
there is no probability to speak of. The sizes that gzip or a header claim are checked before memory is allocated.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, fields
from math import nan
from typing import Any

import numpy as np
from astropy_healpix.healpy import ring2nest
from isal import igzip_lib, isal_zlib
from numpy.typing import NDArray

from broker_adapters.errors import PacketError
from broker_adapters.fits_table import Table, table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Finest order of HEALPix whose indices fit 64 bits.
FINEST = 29
#: Bytes of a file, unpacked, and rows of a map at most: a flat map of order 9.
MAX_BYTES, MAX_ROWS = 96 << 20, 12 << 18
#: Probability outside the pixels of a flat map that are kept fine.
COARSE = 1e-4
#: How far the sum of a map may be from 1, which files in single precision are not.
_SUM = 0.05
_GZIP = b"\x1f\x8b"
#: First UNIQ of each order, and one behind the last.
_FIRST = 4 ** np.arange(1, FINEST + 3, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SkyMap:
    """Probability of a place, and of a distance there, in n cells of the sky that do not overlap; arrays are read-only.

    Attributes
    ----------
    order : ndarray of int64, shape (n,)
        HEALPix order of each cell, at most `FINEST`.
    cell : ndarray of int64, shape (n,)
        Nested index of that order; the cells are sorted along the nested curve.
    density : ndarray, shape (n,)
        Probability per steradian; its integral over the cells is 1.
    mu, sigma, norm : ndarray, shape (n,)
        The distance given the place has the density norm N(r; mu, sigma) r^2 (Singer et al. 2016, ApJL 829, L15), with mu and sigma in Mpc
        and norm in Mpc^-2; NaN where a map has no distances, or none there.
    """

    order: Integers
    cell: Integers
    density: Floats = field(repr=False)
    mu: Floats = field(repr=False)
    sigma: Floats = field(repr=False)
    norm: Floats = field(repr=False)

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for one in fields(self):
            value = np.ascontiguousarray(getattr(self, one.name)).view()
            value.setflags(write=False)
            object.__setattr__(self, one.name, value)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cell)

    @property
    def area(self) -> Floats:
        """Steradians of each cell, shape (n,)."""
        return np.asarray(np.pi / (3.0 * 4.0**self.order))

    @property
    def has_distances(self) -> bool:
        """Whether any cell has one."""
        return bool(np.isfinite(self.norm).any())


def read(data: bytes) -> SkyMap:
    """The map in a FITS file, gzipped or not.

    Raises
    ------
    PacketError
        Damaged, hostile, larger than any map, or no map: cells overlap, or the probabilities do not sum to 1.
    """
    if data[:2] == _GZIP:
        data = _unzipped(data)
    if len(data) > MAX_BYTES:
        raise PacketError(f"a map of {len(data)} bytes; at most {MAX_BYTES} are read")
    columns = table(data, MAX_ROWS)
    if columns.header.get("COORDSYS", "C")[:1].upper() not in ("", "C"):
        raise PacketError("a map that is not in equatorial coordinates")
    return _of_many_orders(columns) if "UNIQ" in columns.columns else _flat(columns)


def made(order: Integers, cell: Integers, density: Floats, mu: Floats, sigma: Floats, norm: Floats) -> SkyMap:
    """A map of n cells in any order, checked, sorted and normalised; cells without a usable distance have none.

    Raises
    ------
    PacketError
        An index is none of its order, cells overlap, or the probabilities are no probabilities.
    """
    if not len(cell):
        raise PacketError("a map without cells")
    if not (((order >= 0) & (order <= FINEST)).all() and ((cell >= 0) & (cell < 12 * 4**order)).all()):
        raise PacketError("a map with cells that there are not")
    start = cell << 2 * (FINEST - order)
    along = np.argsort(start, kind="stable")
    order, cell, start, density = order[along], cell[along], start[along], density[along]
    if (start[1:] < start[:-1] + (np.int64(1) << 2 * (FINEST - order[:-1]))).any():
        raise PacketError("a map whose cells overlap")
    if not (np.isfinite(density) & (density >= 0.0)).all():
        raise PacketError("a map with probabilities that are none")
    with np.errstate(over="ignore"):
        total = float((density * np.pi / (3.0 * 4.0**order)).sum())
    if not abs(total - 1.0) <= _SUM:
        raise PacketError(f"a map whose probabilities sum to {total:.3g}, not to 1")
    mu, sigma, norm = (values[along] for values in (mu, sigma, norm))
    good = np.isfinite(mu) & np.isfinite(sigma) & (sigma > 0.0) & np.isfinite(norm) & (norm > 0.0)
    return SkyMap(order, cell, density / total, *(np.where(good, values, nan) for values in (mu, sigma, norm)))


def _of_many_orders(columns: Table) -> SkyMap:
    uniq = columns.integers("UNIQ")
    if not ((uniq >= _FIRST[0]) & (uniq < _FIRST[-1])).all():
        raise PacketError("a map with cells that there are not")
    order = np.searchsorted(_FIRST, uniq, "right").astype(np.int64) - 1
    distances = [
        columns.floats(name) if name in columns.columns else np.full(len(uniq), nan) for name in ("DISTMU", "DISTSIGMA", "DISTNORM")
    ]
    return made(order, uniq - _FIRST[order], columns.floats("PROBDENSITY"), *distances)


def _flat(columns: Table) -> SkyMap:
    name = next((name for name in ("PROB", "PROBABILITY", "PROBABILITY DENSITY", "PROBDENSITY") if name in columns.columns), None)
    if name is None:
        raise PacketError(f"no map: a table of {', '.join(sorted(columns.columns)) or 'nothing'}")
    probability = columns.floats(name)
    order = int(np.log2(len(probability) / 12.0) / 2.0) if len(probability) >= 12 else -1
    if order < 0 or 12 * 4**order != len(probability):
        raise PacketError(f"no map: {len(probability)} pixels cover no sphere")
    cells = np.arange(len(probability), dtype=np.int64)
    if columns.header.get("ORDERING", "RING").upper().startswith("RING"):
        cells = np.asarray(ring2nest(2**order, cells), np.int64)
    if not (np.isfinite(probability) & (probability >= 0.0)).all():
        raise PacketError("a map with probabilities that are none")
    total = probability.sum()
    if not (np.isfinite(total) and total > 0.0):
        raise PacketError("a map without probability")
    distances = [columns.floats(one) if one in columns.columns else np.full(len(cells), nan) for one in ("DISTMU", "DISTSIGMA", "DISTNORM")]
    along = np.argsort(cells)
    density = (probability / total / (np.pi / (3.0 * 4.0**order)))[along]
    return made(*_coarser(order, density, *(values[along] for values in distances)))


def _coarser(order: int, density: Floats, *distances: Floats) -> tuple[Any, ...]:
    """Cells of many orders of a flat map in nested order: cells of little probability are merged, as are equal ones without distances."""
    down = np.argsort(-density, kind="stable")
    kept = np.cumsum(density[down]) <= (1.0 - COARSE) * density.sum()
    little = np.ones(len(density), bool)
    little[down[kept]] = False
    cell = np.arange(len(density), dtype=np.int64)
    parts, orders = [], []
    for now in range(order, -1, -1):
        merges = np.zeros(len(cell), bool)
        if now and len(cell) >= 4:
            first = np.flatnonzero((cell[:-3] % 4 == 0) & (cell[3:] - cell[:-3] == 3))
            four = first[:, None] + np.arange(4)
            same = little[four].all(1) | (np.ptp(density[four], axis=1) == 0.0) & ~np.isfinite(distances[2][four]).any(1)
            four = four[same]
            merges[four] = True
        parts.append((cell[~merges], density[~merges], *(values[~merges] for values in distances)))
        orders.append(np.full(int((~merges).sum()), now, np.int64))
        if not merges.any():
            break
        cell, density = cell[four[:, 0]] // 4, density[four].mean(1)
        little, distances = little[four].all(1), tuple(np.full(len(cell), nan) for _ in distances)
    return np.concatenate(orders), *(np.concatenate(column) for column in zip(*parts, strict=True))


def _unzipped(data: bytes) -> bytes:
    unzip = isal_zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(data, MAX_BYTES + 1)
    except (zlib.error, igzip_lib.IsalError) as error:  # type: ignore[misc]  # its stub types an instance
        raise PacketError(f"damaged gzip in a map: {error}") from error
    if not unzip.eof or len(plain) > MAX_BYTES:
        raise PacketError(f"a map that is truncated, or unpacks to more than {MAX_BYTES} bytes")
    return bytes(plain)
