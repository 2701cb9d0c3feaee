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

#: Days after the brightest detection, what is measured after which says little of the peak.
SETTLED = 25.0

#: Multiples of the golden section, less the integers, fill [0, 1) evenly.
GOLDEN = (np.sqrt(5) - 1) / 2

#: Points in a day between which measurements are not combined, and systematic error of a flux as a fraction of it.
PER_DAY, SYSTEMATIC = 2.0, 0.02

#: More half days than there are until the year 2217, and more hundredths of nm than the wavelengths have; days of the longest light curve.
FIELD, LONGEST = 2**18, 1e6


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


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All combined points of n objects: MJD, wavelength, flux and error, `columns` (4, m), of which each has its `owner` (m,).

    Owners ascend, and times do of each.
    """

    columns: Floats
    owner: NDArray[np.intp]
    n: int


def table(curves: Sequence[Curve], now: Floats) -> Table:
    """Points of n light curves until a moment (MJD) of each."""
    found = tabled([_columns(curve) for curve in curves])
    columns, owner = found.columns, found.owner
    past = columns[0] <= np.asarray(now, float)[owner]
    if not past.all():
        columns, owner = columns[:, past], owner[past]
    return Table(*_combined(columns, owner), len(curves))


def tabled(parts: Sequence[Floats]) -> Table:
    """Table of n tables of shape (4, m), as `combined` gives them."""
    owner = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts])
    return Table(np.concatenate(parts, axis=1) if parts else np.empty((4, 0)), owner, len(parts))


def about_peak(found: Table) -> tuple[Table, NDArray[np.intp]]:
    """What there was until `SETTLED` days after the brightest detection of those that were seen later, k objects, and which they are."""
    t, _, flux, error = found.columns
    with np.errstate(invalid="ignore"):
        detected = flux >= DETECTED * error
    brightest, latest = np.full(found.n, np.inf), np.full(found.n, -np.inf)
    order = np.flatnonzero(detected)[np.argsort(flux[detected], kind="stable")]
    brightest[found.owner[order]] = t[order]
    latest[found.owner] = t
    until = brightest + SETTLED
    old = np.flatnonzero(latest > until)
    kept = (t <= until[found.owner]) & np.isin(found.owner, old)
    return Table(found.columns[:, kept], np.searchsorted(old, found.owner[kept]), len(old)), old


def padded(found: Table) -> Points:
    """Points of n objects, at most `MOST` of each."""
    columns, owner = found.columns, found.owner
    if np.bincount(owner, minlength=1).max() > MOST:
        order = np.lexsort((-columns[0], np.isnan(columns[2]), owner))
        place = _rank(owner)  # from the latest back, measurements first
        turn = np.where(place < LATEST, -1.0, place * GOLDEN % 1)
        order = order[np.lexsort((turn, np.isnan(columns[2, order]), owner))]
        kept = order[place < MOST]
        kept = kept[np.lexsort((columns[0, kept], owner[kept]))]
        columns, owner = columns[:, kept], owner[kept]
    rank = _rank(owner)
    filled = np.full((4, found.n, rank.max(initial=-1) + 1), np.nan)
    filled[:, owner, rank] = columns
    return Points(*filled)


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
    key = _key(columns, owner)
    order = np.argsort(key, kind="stable")  # quick for rows in order of time in each band, as they come
    (t, wavelength, flux, error), key, owner = columns[:, order], key[order], owner[order]
    limit = np.isnan(flux)
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    deepest = np.minimum.reduceat(np.where(limit, error, np.inf), starts)
    weight = np.where(limit, 0.0, error**-2.0)
    total = np.add.reduceat(weight, starts)
    measured = total > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_t, mean = (np.add.reduceat(weight * a, starts) / total for a in (t, np.where(limit, 0.0, flux)))
        spread = np.hypot(total**-0.5, SYSTEMATIC * mean)
    t, owner = np.where(measured, mean_t, np.minimum.reduceat(t, starts)), owner[starts]
    made = np.stack([t, wavelength[starts], np.where(measured, mean, np.nan), np.where(measured, spread, deepest)])
    order = np.argsort(owner * LONGEST + (t - t.min()), kind="stable")
    return made[:, order], owner


def _key(columns: Floats, owner: NDArray[np.intp]) -> NDArray[np.int64]:
    """Number (m,) that rows (4, m) of one owner, half day and wavelength (to 0.01 nm) share; ascends with them in this order."""
    night = np.clip(np.floor(PER_DAY * columns[0]), 0, FIELD - 1).astype(np.int64)
    wavelength = np.clip(np.rint(100 * columns[1]), 0, FIELD - 1).astype(np.int64)
    key: NDArray[np.int64] = (owner * FIELD + night) * FIELD + wavelength
    return key


def _columns(curve: Curve) -> Floats:
    """MJD, wavelength, flux and error, shape (4, m), of everything that is known."""
    return _of_series(curve) if isinstance(curve, LightCurve) else of_rows(curve)


def _of_series(curve: LightCurve) -> Floats:
    t, flux, error = [], [], []
    for series in curve.series:
        t += [series.t, series.forced.t, series.limit_t]
        flux += [series.flux, series.forced.flux, np.full(len(series.limit_t), np.nan)]
        error += [series.flux_err, series.forced.flux_err, series.limit / DETECTED]
    per_family = np.reshape([len(part) for part in t], (len(WAVELENGTHS), -1)).sum(axis=1)
    columns: Floats = np.stack([np.concatenate(t), np.repeat(WAVELENGTHS, per_family), np.concatenate(flux), np.concatenate(error)])
    return columns


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
