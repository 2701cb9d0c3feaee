"""The nouns of catalogues: one row for whatever a catalogue knows of a place, be it of stars, galaxies, active nuclei or variables.

A catalogue is asked for the surroundings of n positions at once. Positions of sources are degrees, ICRS, at an epoch of their own; proper
motion moves them to the time of the question. NaN means "not known", and no sentinel of any catalogue survives its adapter.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.crossmatch import separation, unit_vectors
from broker_adapters.errors import SourceError

#: Kinds of source.
KINDS = ("star", "galaxy", "AGN", "variable", "unknown")
#: How a redshift was got; "mixed" where the catalogue does not say which of the others.
REDSHIFTS = ("spectrum", "photometry", "distance", "mixed", "")
#: Bands of the column ``magnitudes``: AB for g to y, Vega for the others, as the catalogues give them.
MAGNITUDES = ("B", "V", "G", "g", "r", "i", "z", "y", "J", "H", "K", "W1", "W2")

#: One source near one of n positions. ``query`` is the index of the position and ``separation`` the arcseconds from it at its time.
SOURCE = np.dtype(
    [
        ("query", "i8"),
        ("separation", "f8"),
        ("catalogue", "U16"),
        ("id", "U64"),
        ("kind", "U8"),
        ("ra", "f8"),  # degrees, ICRS, at `epoch`
        ("dec", "f8"),
        ("epoch", "f8"),  # Julian year; NaN where the source stands still
        ("pm_ra", "f4"),  # mas / yr, with cos dec
        ("pm_dec", "f4"),
        ("pm_err", "f4"),
        ("parallax", "f4"),  # mas
        ("parallax_err", "f4"),
        ("magnitudes", "f4", (len(MAGNITUDES),)),
        ("redshift", "f8"),
        ("redshift_err", "f4"),
        ("redshift_kind", "U10"),  # one of `REDSHIFTS`
        ("distance", "f4"),  # luminosity distance, Mpc
        ("size", "f4"),  # half-light radius along the major axis, arcseconds
        ("axis_ratio", "f4"),  # minor to major, 0 to 1
        ("position_angle", "f4"),  # degrees from north through east
    ]
)

Sources = NDArray[np.void]

#: Standard deviations of parallax or proper motion above which a source is a star.
MOVES = 5.0
_MAS = 1.0 / 3.6e6  #: degrees
_MJD_2000, _YEAR = 51544.5, 365.25


class Catalogue(Protocol):
    """A catalogue, which answers for n positions at once."""

    def cone(self, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
        """Rows of `SOURCE` within ``radius`` arcseconds of n positions (degrees), by position and then by separation, read-only.

        Galaxies that a position lies in may be found beyond the radius.

        ``mjd``, a number or shape (n,), is the time of the positions, to which the sources are moved; without it they are taken as they
        stand in the catalogue. A position that is not finite has no sources.

        Raises
        ------
        AdapterError
            The catalogue cannot be read or did not answer: what is there is unknown, which is not "nothing".
        """


class CatalogueModule(Protocol):
    """A module of ``broker_adapters/catalogues``; all parameters of its ``Catalogue`` are keywords with defaults."""

    Catalogue: Callable[..., Catalogue]
    #: The largest radius (arcseconds) that it answers for.
    RADIUS: float
    #: Whether a question leaves this machine.
    REMOTE: bool


def blank(n: int) -> Sources:
    """An array of shape (n,) of dtype `SOURCE` in which every number is NaN, every text is empty and the kind is unknown."""
    rows = np.zeros(n, SOURCE)
    for name in SOURCE.names or ():
        if SOURCE[name].base.kind == "f":
            rows[name] = np.nan
    rows["kind"] = "unknown"
    return rows


def frozen(rows: Sources) -> Sources:
    """The same rows, read-only."""
    rows.flags.writeable = False
    return rows


def joined(parts: Iterable[Sources]) -> Sources:
    """The rows of several catalogues, read-only, by position and then by separation."""
    rows = np.concatenate([blank(0), *parts])
    return frozen(rows[np.lexsort((rows["separation"], rows["query"]))])


def magnitude(rows: Sources, band: str) -> NDArray[np.float64]:
    """Magnitudes in one of `MAGNITUDES`, shape (k,)."""
    return np.asarray(rows["magnitudes"][:, MAGNITUDES.index(band)], float)


def placed(rows: Sources, mjd: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of k sources at a time or k times (MJD), degrees; those without a proper motion or an epoch stay where they are."""
    years = (np.asarray(mjd, float) - _MJD_2000) / _YEAR + 2000.0 - rows["epoch"]
    north = np.nan_to_num(rows["pm_dec"] * years) * _MAS
    east = np.nan_to_num(rows["pm_ra"] * years) * _MAS / np.maximum(np.cos(np.radians(rows["dec"])), 1e-6)
    return (rows["ra"] + east) % 360.0, np.clip(rows["dec"] + north, -90.0, 90.0)


def stars(rows: Sources) -> NDArray[np.bool_]:
    """Which of k sources are stars, shape (k,): the catalogue says so, or parallax or proper motion is above `MOVES` standard deviations.

    A galaxy or an active nucleus by its catalogue is none, whatever is measured: parts of large galaxies mimic motions.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        moving = np.hypot(rows["pm_ra"], rows["pm_dec"]) > MOVES * rows["pm_err"]
        near = rows["parallax"] > MOVES * rows["parallax_err"]
    mask: NDArray[np.bool_] = (rows["kind"] == "star") | ((moving | near) & ~np.isin(rows["kind"], ("galaxy", "AGN")))
    return mask


def nearest(rows: Sources, ra: ArrayLike, dec: ArrayLike, radius: float, mjd: ArrayLike | None = None) -> Sources:
    """The rows within ``radius`` arcseconds of the position that each was found for, moved to its time, read-only, sorted.

    Separations are made anew from the positions; see `Catalogue.cone` for the arguments.
    """
    here = unit_vectors(ra, dec)
    index = rows["query"]
    there = (rows["ra"], rows["dec"]) if mjd is None else placed(rows, np.broadcast_to(np.asarray(mjd, float), len(here))[index])
    rows = rows.copy()
    rows["separation"] = separation(unit_vectors(*there), here[index])
    return joined([rows[rows["separation"] <= radius]])


def table(path: str | Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Columns of a table of ours (NumPy's npz), by name.

    Raises
    ------
    SourceError
        It is not there, is none, or lacks a column.
    """
    try:
        with open(path, "rb") as opened, np.load(opened) as file:
            return {name: file[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise SourceError(f"the table {path} cannot be read: {type(error).__name__}: {error}") from error
