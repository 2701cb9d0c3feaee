"""Light curves reduced to what the ranking asks, compiled: the rules of `broker_adapters.significance` and the trend, row by row."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from broker_adapters.kernels import compiled
from broker_adapters.photometry import NJY_ZERO_POINT, POGSON
from broker_adapters.records import Kind
from broker_adapters.significance import DETECTED, MEASURED, SAME_EXPOSURE
from followup.curves import Curves

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]

#: Days: the trend is fitted over the last `WINDOW`, needs a baseline of at least `BASELINE`, and is extrapolated by at most `AHEAD`.
WINDOW, BASELINE, AHEAD = 10.0, 0.8, 3.0
#: Steeper trends (mag/d) are not extrapolated: they come from short periods or outliers.
STEEPEST = 1.0
#: Detections closer in time than this (days) do not confirm each other: an asteroid moves by 10 arcsec in an hour, hardly in minutes.
APART = 0.04
#: A gap of more than this many days separates two nights.
DAYLIGHT = 0.5
#: Calibration floor of a magnitude, added in quadrature.
_FLOOR = 0.02
#: nJy (46 mag): smaller fluxes are rounding errors.
_FAINTEST = 1e-6
_ALERT, _FORCED = int(Kind.ALERT), int(Kind.FORCED)

#: What is kept of each object, in this order; `followup.states.States` says what they mean.
NUMBERS = ("first", "first_flux", "last", "latest", "now", "slope", "slope_err", "error", "gap")
COUNTS = ("n", "apart", "nights", "first_band", "band", "survey", "total", "later")


@compiled(fastmath=False)
def reduce(
    start: Longs,
    mjd: Floats,
    flux: Floats,
    error: Floats,
    reference: Floats,
    kind: NDArray[np.uint8],
    survey: NDArray[np.uint16],
    band: NDArray[np.uint16],
    now: float,
    numbers: Floats,
    counts: Longs,
    surveys: NDArray[np.uint64],
    times: Floats,
) -> int:
    """Fill ``numbers`` (n, 9), ``counts`` (n, 8), ``surveys`` (n,) and ``times`` (m,) for n objects; how many times were written."""
    written = 0
    for i in range(len(start) - 1):
        rows = _detected(start[i], start[i + 1], mjd, flux, error, kind, now)
        rows = _one_per_exposure(rows, mjd, kind, survey, band)
        counts[i, 7] = (mjd[start[i] : start[i + 1]] > now).any()
        counts[i, 0] = len(rows)
        if len(rows) == 0:
            continue
        for row in rows:
            times[written] = mjd[row]
            surveys[i] |= np.uint64(1) << np.uint64(min(survey[row], 63))
            written += 1
        first = rows[0]
        numbers[i, 0], numbers[i, 1], counts[i, 3] = mjd[first], flux[first], band[first]
        counts[i, 1], counts[i, 2] = _nights(mjd[rows])
        numbers[i, 8] = _gap(start[i], start[i + 1], first, mjd, flux, error, kind, band)
        _trend(rows, mjd, flux, error, reference, survey, band, now, numbers[i], counts[i])
    return written


@compiled(fastmath=False)
def _detected(low: int, high: int, mjd: Floats, flux: Floats, error: Floats, kind: NDArray[np.uint8], now: float) -> Longs:
    """Rows of one object that are detections until ``now``, in time order: `broker_adapters.significance.detected`."""
    negative = False
    for row in range(low, high):
        negative |= mjd[row] <= now and kind[row] == _ALERT and flux[row] < 0.0
    kept = np.empty(high - low, np.int64)
    n = 0
    for row in range(low, high):
        if not (mjd[row] <= now and math.isfinite(mjd[row]) and math.isfinite(flux[row])):
            continue
        forced = kind[row] == _FORCED and abs(flux[row]) >= DETECTED * error[row] and (negative or flux[row] >= 0.0)
        if kind[row] == _ALERT or forced:
            kept[n] = row
            n += 1
    kept = kept[:n]
    for k in range(1, n):
        if mjd[kept[k]] < mjd[kept[k - 1]]:
            return kept[np.argsort(mjd[kept], kind="mergesort")]
    return kept


@compiled(fastmath=False)
def _one_per_exposure(rows: Longs, mjd: Floats, kind: NDArray[np.uint8], survey: NDArray[np.uint16], band: NDArray[np.uint16]) -> Longs:
    """Rows in time order, each exposure of a survey and band once: `broker_adapters.significance.one_per_exposure`."""
    keep = np.ones(len(rows), np.bool_)
    series = np.empty(len(rows), np.int64)  # a row of each series, its latest, and the one that is kept of its exposure
    latest, best = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    known = 0
    for k in range(len(rows)):
        row = rows[k]
        s = 0
        while s < known and (survey[rows[series[s]]] != survey[row] or band[rows[series[s]]] != band[row]):
            s += 1
        if s == known:
            series[s], best[s] = k, k
            known += 1
        elif mjd[row] - mjd[rows[latest[s]]] > SAME_EXPOSURE:
            best[s] = k
        elif kind[row] < kind[rows[best[s]]]:
            keep[best[s]] = False
            best[s] = k
        else:
            keep[k] = False
        latest[s] = k
    return rows[keep]


@compiled(fastmath=False)
def _nights(times: Floats) -> tuple[int, int]:
    """Number of detections that are `APART` from the one counted before, and number of nights."""
    apart, nights, last = 1, 1, times[0]
    for k in range(1, len(times)):
        if times[k] - last >= APART:
            apart += 1
            last = times[k]
        if times[k] - times[k - 1] > DAYLIGHT:
            nights += 1
    return apart, nights


@compiled(fastmath=False)
def _gap(
    low: int, high: int, first: int, mjd: Floats, flux: Floats, error: Floats, kind: NDArray[np.uint8], band: NDArray[np.uint16]
) -> float:
    """Days from the last look through the filter of the first detection that would have found it as bright as that; NaN without one."""
    latest = -math.inf
    for row in range(low, high):
        deep = DETECTED * error[row] < abs(flux[first])
        if kind[row] != _ALERT and band[row] == band[first] and deep and mjd[row] < mjd[first]:
            latest = max(latest, mjd[row])
    return mjd[first] - latest if math.isfinite(latest) else math.nan


@compiled(fastmath=False)
def _trend(
    rows: Longs,
    mjd: Floats,
    flux: Floats,
    error: Floats,
    reference: Floats,
    survey: NDArray[np.uint16],
    band: NDArray[np.uint16],
    now: float,
    numbers: Floats,
    counts: Longs,
) -> None:
    """Fill in the latest magnitude and the trend of detections in time order."""
    total = _totals(rows, flux, reference)
    shine = flux[rows] + reference[rows] if total else flux[rows]
    noise = error[rows]
    magnitude = np.full(len(rows), math.nan)
    for k in range(len(rows)):
        floor = MEASURED * noise[k] if math.isfinite(noise[k]) else 0.0
        if shine[k] > _FAINTEST and shine[k] >= floor:
            magnitude[k] = NJY_ZERO_POINT - 2.5 * math.log10(shine[k])
    last = len(rows) - 1
    while last > 0 and not math.isfinite(magnitude[last]):
        last -= 1
    if not math.isfinite(magnitude[last]):
        last = len(rows) - 1
    row = rows[last]
    counts[4], counts[5], counts[6] = band[row], survey[row], total
    numbers[2], numbers[3], numbers[7] = (
        mjd[row],
        magnitude[last],
        _error(shine[last] if math.isfinite(magnitude[last]) else math.nan, noise[last]),
    )
    slope, slope_err, fitted = _line(rows[: last + 1], magnitude, shine, noise, mjd, band)
    numbers[5], numbers[6] = slope, slope_err
    numbers[4] = fitted + slope * min(now - mjd[row], AHEAD) if math.isfinite(slope) else magnitude[last]


@compiled(fastmath=False)
def _totals(rows: Longs, flux: Floats, reference: Floats) -> bool:
    """Whether magnitudes are of the total flux: `broker_adapters.significance.seen_by_totals`."""
    below, known = False, False
    for row in rows:
        below |= flux[row] < 0.0
        known |= math.isfinite(flux[row] + reference[row])
    return below and known


@compiled(fastmath=False)
def _error(shine: float, noise: float) -> float:
    """Error of the magnitude of a flux, with the floor; the floor alone where it is not known."""
    known = math.isfinite(noise) and shine > 0.0
    return math.hypot(POGSON * noise / shine, _FLOOR) if known else _FLOOR


@compiled(fastmath=False)
def _line(
    rows: Longs, magnitude: Floats, shine: Floats, noise: Floats, mjd: Floats, band: NDArray[np.uint16]
) -> tuple[float, float, float]:
    """Slope, its error and the value at the last row of the weighted straight line through its band; NaN where there is none."""
    last = rows[-1]
    n, early, w, wt, wm = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(len(rows)):
        t = mjd[rows[k]] - mjd[last]
        if band[rows[k]] == band[last] and t >= -WINDOW and math.isfinite(magnitude[k]):
            weight = 1.0 / _error(shine[k], noise[k]) ** 2
            n, early, w, wt, wm = n + 1, min(early, t), w + weight, wt + weight * t, wm + weight * magnitude[k]
    if n < 2 or -early < BASELINE:
        return math.nan, math.nan, math.nan
    mean_t, mean_m, spread, slope = wt / w, wm / w, 0.0, 0.0
    for k in range(len(rows)):
        t = mjd[rows[k]] - mjd[last]
        if band[rows[k]] == band[last] and t >= -WINDOW and math.isfinite(magnitude[k]):
            weight = 1.0 / _error(shine[k], noise[k]) ** 2
            spread += weight * (t - mean_t) ** 2
            slope += weight * (t - mean_t) * (magnitude[k] - mean_m)
    slope /= spread
    if not abs(slope) <= STEEPEST:
        return math.nan, math.nan, math.nan
    return slope, spread**-0.5, mean_m - slope * mean_t


def reduced(curves: Curves, now: float) -> tuple[Floats, Longs, NDArray[np.uint64], Floats]:
    """`NUMBERS` (n, 9), `COUNTS` (n, 8), surveys as bits (n,) and the times of all detections, of `followup.curves.Curves` at ``now``."""
    n = len(curves.start) - 1
    numbers, counts = np.full((n, len(NUMBERS)), np.nan), np.zeros((n, len(COUNTS)), np.int64)
    surveys, times = np.zeros(n, np.uint64), np.empty(len(curves.mjd))
    columns = (curves.mjd, curves.flux, curves.flux_err, curves.ref_flux, curves.kind, curves.survey, curves.band)
    written = reduce(curves.start, *columns, float(now), numbers, counts, surveys, times)
    return numbers, counts, surveys, times[:written]
