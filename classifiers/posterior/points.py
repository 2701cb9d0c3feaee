"""Points that the posterior is inferred from: those of any survey and band, by wavelength, one a half day.

Detections and forced measurements are points with a flux; limits are points without. Of the measurements of one band within half a day
the weighted mean is taken, of the limits the deepest; a limit beside a measurement says nothing. Negative fluxes stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from broker_adapters import surveys
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import DETECTED, RELIABLE
from classifiers.models.lightcurve.series import LightCurve

Floats: TypeAlias = NDArray[np.float64]
Curve: TypeAlias = LightCurve | Detections

#: Wavelengths in nm of the families of a `LightCurve`, which does not keep those of its bands.
WAVELENGTHS = (480.0, 640.0)

#: Most points of one object: of more so many of the latest, and of the rest some, spread evenly, measurements before limits.
MOST, LATEST = 64, 40

#: Multiples of the golden section, less the integers, fill [0, 1) evenly.
GOLDEN = (np.sqrt(5) - 1) / 2

#: Points in a day between which measurements are not combined, and systematic error of a flux as a fraction of it.
PER_DAY, SYSTEMATIC = 2.0, 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of n objects in arrays of shape (n, m), those of each object first and in time order; the rest of a row is NaN.

    Attributes
    ----------
    t : MJD
    wavelength : nm
    flux : nJy, NaN for a limit
    error : nJy, one standard deviation; of a limit a fifth of it
    """

    t: Floats
    wavelength: Floats
    flux: Floats
    error: Floats

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of points of each object, shape (n,)."""
        found: NDArray[np.int64] = np.isfinite(self.t).sum(axis=1)
        return found

    def __getitem__(self, which: slice | NDArray[np.intp]) -> Points:
        """Return the points of some of the objects."""
        return Points(self.t[which], self.wavelength[which], self.flux[which], self.error[which])


def points(curves: Sequence[Curve], now: Floats) -> Points:
    """Points of n light curves until a moment (MJD) of each."""
    tables = [_columns(curve) for curve in curves]
    owner = np.repeat(np.arange(len(tables)), [table.shape[1] for table in tables])
    columns = np.concatenate(tables, axis=1) if tables else np.empty((4, 0))
    past = columns[0] <= np.asarray(now, float)[owner]
    return _padded(*_combined(columns[:, past], owner[past]), len(tables))


def padded(tables: Sequence[Floats]) -> Points:
    """Points of n tables of shape (4, m), as `combined` gives them; at most `MOST` of each."""
    owner = np.repeat(np.arange(len(tables)), [table.shape[1] for table in tables])
    return _padded(np.concatenate(tables, axis=1) if tables else np.empty((4, 0)), owner, len(tables))


def _padded(table: Floats, owner: NDArray[np.intp], n: int) -> Points:
    """Points of n objects of a table (4, m), of which each column has its owner, in ascending order."""
    if np.bincount(owner, minlength=1).max() > MOST:
        order = np.lexsort((-table[0], np.isnan(table[2]), owner))
        place = _rank(owner)  # from the latest back, measurements first
        turn = np.where(place < LATEST, -1.0, place * GOLDEN % 1)
        order = order[np.lexsort((turn, np.isnan(table[2, order]), owner))]
        kept = order[place < MOST]
        kept = kept[np.lexsort((table[0, kept], owner[kept]))]
        table, owner = table[:, kept], owner[kept]
    rank = _rank(owner)
    found = np.full((4, n, rank.max(initial=-1) + 1), np.nan)
    found[:, owner, rank] = table
    return Points(*found)


def _rank(owner: NDArray[np.intp]) -> NDArray[np.intp]:
    """Place of each element among those of its owner; owners ascend."""
    new = np.ones(len(owner), bool)
    new[1:] = np.diff(owner) != 0
    starts = np.flatnonzero(new)
    return np.arange(len(owner)) - np.repeat(starts, np.diff(np.append(starts, len(owner))))


def combined(columns: Floats) -> Floats:
    """Table of shape (4, k), in time order, of rows (4, m): see the head of this module."""
    return _combined(columns, np.zeros(columns.shape[1], np.intp))[0]


def _combined(columns: Floats, owner: NDArray[np.intp]) -> tuple[Floats, NDArray[np.intp]]:
    """Combine the rows (4, m) of each owner; the table (4, k) is in the order of the owners and in time order of each."""
    if not columns.shape[1]:
        return columns, owner
    night, limit = np.floor(PER_DAY * columns[0]), np.isnan(columns[2])
    order = np.lexsort((columns[3], limit, columns[1], night, owner))
    (t, wavelength, flux, error), night, limit, owner = columns[:, order], night[order], limit[order], owner[order]
    new = np.ones(len(t), bool)
    new[1:] = (np.diff(night) != 0) | (np.diff(wavelength) != 0) | (np.diff(owner) != 0)
    starts = np.flatnonzero(new)
    weight = np.where(limit, 0.0, error**-2.0)
    total = np.add.reduceat(weight, starts)
    measured = total > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_t, mean = (np.add.reduceat(weight * a, starts) / total for a in (t, np.where(limit, 0.0, flux)))
        spread = np.hypot(total**-0.5, SYSTEMATIC * mean)
    t, owner = np.where(measured, mean_t, t[starts]), owner[starts]
    table = np.stack([t, wavelength[starts], np.where(measured, mean, np.nan), np.where(measured, spread, error[starts])])
    order = np.lexsort((t, owner))
    return table[:, order], owner[order]


def _columns(curve: Curve) -> Floats:
    """MJD, wavelength, flux and error, shape (4, m), of everything that is known."""
    return _of_series(curve) if isinstance(curve, LightCurve) else of_rows(curve)


def _of_series(curve: LightCurve) -> Floats:
    parts = []
    for series, wavelength in zip(curve.series, WAVELENGTHS, strict=True):
        limits = ~np.isin(series.limit_t, series.forced.t) if len(series.forced.t) else np.ones(len(series.limit_t), bool)
        for t, flux, error in (
            (series.t, series.flux, series.flux_err),
            (series.forced.t, series.forced.flux, series.forced.flux_err),
            (series.limit_t[limits], np.full(limits.sum(), np.nan), series.limit[limits] / DETECTED),
        ):
            parts.append(np.stack([t, np.full(len(t), wavelength), flux, error]))
    return np.concatenate(parts, axis=1)


def of_rows(rows: Detections) -> Floats:
    """MJD, wavelength, flux and error, shape (4, m), of rows of `DETECTION`: reliable alerts, forced measurements and limits."""
    keys = list(zip(rows["survey"].tolist(), rows["band"].tolist(), strict=True))
    known = {key: _wavelength(*key) for key in set(keys)}
    wavelength = np.array([known[key] for key in keys], float)
    flux, error, limit = rows["flux"], rows["flux_err"], rows["kind"] == Kind.LIMIT
    usable = np.isfinite(rows["mjd"]) & np.isfinite(wavelength) & np.isfinite(error) & (error > 0)
    usable &= limit | (np.isfinite(flux) & ((rows["kind"] != Kind.ALERT) | ~(rows["reliability"] < RELIABLE)))
    columns: Floats = np.stack([rows["mjd"], wavelength, np.where(limit, np.nan, flux), error])[:, usable]
    return columns


@cache
def _wavelength(survey: str, band: str) -> float:
    """Effective wavelength in nm of a survey's broad band; NaN where it is not known."""
    return next((one.wavelength for one in surveys.about(survey).bands if one.name == band and not one.line), np.nan)
