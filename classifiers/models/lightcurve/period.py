"""Period search: the multiband floating-mean Lomb-Scargle F statistic in float64.

ALeRCE's one-harmonic multiharmonic analysis of variance (P4J's MHAOV; Schwarzenberg-Czerny 1996, ApJ 460, L107) is the F statistic of
independent floating-mean Lomb-Scargle fits (Zechmeister & Kuerster 2009, A&A 496, 577) in each band,

    F(f) = d sum_b theta_b(f) / (2 (sum_b chi2_b - sum_b theta_b(f))),    d = sum_b (n_b - 3),

theta_b the chi squared that a sine of frequency f explains in band b, chi2_b that about the weighted mean. P4J casts absolute MJD to
float32 (0.004 d), which loses periods below 0.06 d; here times count from the middle of the light curve, in float64.

Grid: linear in frequency from 1/`LONGEST` to 1/`SHORTEST` with a step of 2 `SHIFT` / T, at least `FEWEST` frequencies; the `PEAKS` best
local maxima are scanned again with a tenth of the step, in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.periodogram import explained, prepared, scanned

#: Days; the grid of the paper's extractor (lc_classifier 2.1.0).
SHORTEST, LONGEST = 0.045, 500.0
SHIFT, FEWEST, PEAKS, FINER = 0.2, 1000, 10, 10

#: Points that a band needs (more than this), and the longest stretch of the light curve that is searched, in days.
MINIMUM, STRETCH = 10, 3000.0

#: Factors of the period at which Power_rate is taken.
FACTORS = (("1/4", 0.25), ("1/3", 1 / 3), ("1/2", 0.5), ("2", 2.0), ("3", 3.0), ("4", 4.0))

#: Number of highest powers in the entropy of the periodogram, and the number added to each.
ENTROPY_PEAKS, ENTROPY_FLOOR = 100, 0.01

#: Number of powers that are compared at once.
LOOK = 128


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """Result of a period search; everything is NaN where no band has enough points.

    Attributes
    ----------
    period : float
        Days.
    bands : tuple of float
        The best period of each band alone, in the order of `series.FAMILIES`.
    significance : float
        ALeRCE's PPE: one minus the normalised entropy of the highest powers.
    power : float
        F at the period.
    rates : tuple of float
        Power at each of `FACTORS` times the period over that at the period.
    """

    period: float = math.nan
    bands: tuple[float, float] = (math.nan, math.nan)
    significance: float = math.nan
    power: float = math.nan
    rates: tuple[float, ...] = (math.nan,) * len(FACTORS)


def search(bands: tuple[tuple[Floats, Floats, Floats], ...]) -> Period:
    """Search the period of (times, magnitudes, errors) of each band; arrays of shape (n,) in time order, finite, errors positive."""
    used = [b for b, (t, _, _) in enumerate(bands) if len(t) > MINIMUM]
    trimmed = {b: _densest(*bands[b]) for b in used}
    used = [b for b in used if len(trimmed[b][0]) > MINIMUM and np.ptp(trimmed[b][1]) > 0]
    if not used:
        return Period()
    low = min(trimmed[b][0][0] for b in used)
    span = max(trimmed[b][0][-1] for b in used) - low
    if not span > 0:
        return Period()
    start, step, n = grid(span)
    series = [prepared(*trimmed[b], low + span / 2) for b in used]
    chi2, freedom = sum(float((w * y**2).sum()) for _, y, w in series), sum(len(t) - 3 for t, _, _ in series)
    each = tuple(scanned(*s, start, step, n) for s in series)
    best, theta = _refined(series, _added(each), start, step)
    own = [math.nan] * len(bands)
    for b, s, th in zip(used, series, each, strict=True):
        own[b] = 1 / (_refined([s], th, start, step)[0] if len(used) > 1 else best)
    power = _f(largest(theta, ENTROPY_PEAKS), chi2, freedom)
    nearest = [min(max(round((best / factor - start) / step), 0), n - 1) for _, factor in FACTORS]
    rates = _f(theta[nearest], chi2, freedom) / power[-1]
    return Period(1 / best, (own[0], own[1]), entropy(power), float(power[-1]), tuple(rates.tolist()))


def grid(span: float) -> tuple[float, float, int]:
    """First frequency, step (both 1/d) and number of frequencies for a light curve of `span` days."""
    low, high = 1 / LONGEST, 1 / SHORTEST
    n = max(math.ceil((high - low) * span / (2 * SHIFT)), FEWEST)
    return low, (high - low) / n, n


def entropy(power: Floats) -> float:
    """PPE of the `ENTROPY_PEAKS` highest powers of a periodogram."""
    share = (power + ENTROPY_FLOOR) / (power + ENTROPY_FLOOR).sum()
    return float(1 + (share * np.log(share)).sum() / math.log(ENTROPY_PEAKS))


def _densest(t: Floats, m: Floats, e: Floats) -> tuple[Floats, Floats, Floats]:
    """Points in the window of `STRETCH` days with most points."""
    if t[-1] - t[0] <= STRETCH:
        return t, m, e
    ends = np.searchsorted(t, t + STRETCH, "right")
    first = int(np.argmax(ends - np.arange(len(t))))
    inside = slice(first, int(ends[first]))
    return t[inside], m[inside], e[inside]


def _f(theta: Floats, chi2: float, freedom: int) -> Floats:
    power: Floats = freedom * theta / (2 * np.maximum(chi2 - theta, 1e-9))
    return power


def _refined(series: list[tuple[Floats, Floats, Floats]], theta: NDArray[Any], start: float, step: float) -> tuple[float, NDArray[Any]]:
    """Refine the best local maxima: the best frequency, and theta with the values of the maxima replaced."""
    peaks = maxima(theta, PEAKS)
    first = start + step * (peaks - 1)
    fine = np.sum([explained(t, y, w, first, step / FINER, 2 * FINER + 1) for t, y, w in series], axis=0)
    theta[peaks] = fine.max(axis=1, initial=0)
    best = int(np.argmax(theta))
    for k, f, row in zip(peaks.tolist(), first.tolist(), fine, strict=True):
        if k == best:
            return f + int(np.argmax(row)) * step / FINER, theta
    return start + best * step, theta


@compiled()
def _added(each: tuple[NDArray[np.float32], ...]) -> Floats:
    """Sum of arrays of shape (n,)."""
    total = np.zeros(len(each[0]))
    for one in each:
        for i in range(len(one)):
            total[i] += one[i]
    return total


@compiled()
def largest(values: Floats, k: int) -> Floats:
    """The k largest of (n,) values, ascending."""
    found = np.full(k, -np.inf)
    for first in range(0, len(values), LOOK):
        if _any_above(values[first : first + LOOK], found[0]):
            for value in values[first : first + LOOK]:
                if value > found[0]:
                    j = 0
                    while j + 1 < k and found[j + 1] < value:
                        found[j] = found[j + 1]
                        j += 1
                    found[j] = value
    return found


@compiled()
def maxima(power: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Indices of the k highest local maxima, highest first; fewer if there are fewer."""
    place, height, count = np.zeros(k, np.int64), np.full(k, -np.inf, power.dtype), 0
    for first in range(1, len(power) - 1, LOOK):
        last = min(first + LOOK, len(power) - 1)
        if not _any_above(power[first:last], height[k - 1]):
            continue
        for i in range(first, last):
            if power[i] > height[k - 1] and power[i] > power[i - 1] and power[i] >= power[i + 1]:
                j = k - 1
                while j > 0 and height[j - 1] < power[i]:
                    height[j], place[j] = height[j - 1], place[j - 1]
                    j -= 1
                height[j], place[j] = power[i], i
                count += 1
    return place[: min(count, k)]


@compiled()
def _any_above(values: NDArray[Any], threshold: float) -> bool:
    """Whether any value is above the threshold; without an early exit, so that the loop is vectorised."""
    above = 0
    for i in range(len(values)):
        above += values[i] > threshold
    return above > 0
