"""Period search: the multiband floating-mean Lomb-Scargle F statistic in float64.

ALeRCE's one-harmonic multiharmonic analysis of variance (P4J's MHAOV; Schwarzenberg-Czerny 1996, ApJ 460, L107) is the F statistic of
independent floating-mean Lomb-Scargle fits (Zechmeister & Kuerster 2009, A&A 496, 577) in each band,

    F(f) = d sum_b theta_b(f) / (2 (sum_b chi2_b - sum_b theta_b(f))),    d = sum_b (n_b - 3),

theta_b the chi squared that a sine of frequency f explains in band b, chi2_b that about the weighted mean. P4J casts absolute MJD to
float32 (0.004 d), which loses periods below 0.06 d; here times count from the middle of the light curve, in float64.

Grid: linear in frequency from 1/`LONGEST` to 1/`SHORTEST` with a step of 2 `SHIFT` / T, at least `FEWEST` frequencies; the `PEAKS` best
local maxima are scanned again with a tenth of the step. The phases of all points are advanced by a rotation from frequency to frequency
and set anew every `BLOCK` frequencies. The scan is in float32 (its times are not: phases are right to 1e-5), the peaks are scanned again
in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._arrays import Floats

#: Days; the grid of the paper's extractor (lc_classifier 2.1.0).
SHORTEST, LONGEST = 0.045, 500.0
SHIFT, FEWEST, PEAKS, FINER = 0.2, 1000, 10, 10

#: Points that a band needs (more than this), and the longest stretch of the light curve that is searched, in days.
MINIMUM, STRETCH = 10, 3000.0

#: Frequencies between fresh sines and cosines.
BLOCK = 256

#: Points are filled up to a multiple of this.
LANES = 16

#: Factors of the period at which Power_rate is taken.
FACTORS = (("1/4", 0.25), ("1/3", 1 / 3), ("1/2", 0.5), ("2", 2.0), ("3", 3.0), ("4", 4.0))

#: Powers that the entropy of the periodogram is taken from, and what is added to each.
ENTROPY_PEAKS, ENTROPY_FLOOR = 100, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Period:
    """The best period; everything is NaN where no band has enough points.

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
    """The period of (times, magnitudes, errors) in each band; arrays of shape (n,) in time order, finite, errors positive."""
    used = [b for b, (t, _, _) in enumerate(bands) if len(t) > MINIMUM]
    trimmed = {b: _densest(*bands[b]) for b in used}
    used = [b for b in used if len(trimmed[b][0]) > MINIMUM and np.ptp(trimmed[b][1]) > 0]
    if not used:
        return Period()
    low = min(trimmed[b][0][0] for b in used)
    span = max(trimmed[b][0][-1] for b in used) - low
    if not span > 0:
        return Period()
    theta, chi2, freedom = [], [], []
    start, step, n = grid(span)
    for b in used:
        t, y, w = prepared(*trimmed[b], low + span / 2)
        theta.append(explained(t, y, w, start, step, n, exact=False))
        chi2.append(float((w * y**2).sum()))
        freedom.append(len(t) - 3)
    power = _f(np.sum(theta, axis=0), sum(chi2), sum(freedom))
    frequency = start + step * np.arange(n)
    series = [prepared(*trimmed[b], low + span / 2) for b in used]
    best, power = _refined(series, sum(chi2), sum(freedom), frequency, power, step)
    own = [math.nan] * len(bands)
    for b, th, c, d, s in zip(used, theta, chi2, freedom, series, strict=True):
        own[b] = 1 / _refined([s], c, d, frequency.copy(), _f(th, c, d), step)[0]
    top = power.max()
    nearest = [min(max(round((best / factor - start) / step), 0), n - 1) for _, factor in FACTORS]
    return Period(1 / best, (own[0], own[1]), entropy(power), float(top), tuple(float(power[k] / top) for k in nearest))


def grid(span: float) -> tuple[float, float, int]:
    """First frequency, step (both 1/d) and number of frequencies for a light curve of `span` days."""
    low, high = 1 / LONGEST, 1 / SHORTEST
    n = max(math.ceil((high - low) * span / (2 * SHIFT)), FEWEST)
    return low, (high - low) / n, n


def entropy(power: Floats) -> float:
    """PPE of a periodogram of shape (n,)."""
    highest = largest(power, ENTROPY_PEAKS) + ENTROPY_FLOOR
    share = highest / highest.sum()
    return float(1 + (share * np.log(share)).sum() / math.log(ENTROPY_PEAKS))


def prepared(t: Floats, m: Floats, e: Floats, zero: float) -> tuple[Floats, Floats, Floats]:
    """Times from `zero`, magnitudes less their weighted mean, and weights."""
    w = 1 / e**2
    return t - zero, m - (w * m).sum() / w.sum(), w


def _densest(t: Floats, m: Floats, e: Floats) -> tuple[Floats, Floats, Floats]:
    """The points within the window of `STRETCH` days that holds most of them."""
    if t[-1] - t[0] <= STRETCH:
        return t, m, e
    ends = np.searchsorted(t, t + STRETCH, "right")
    first = int(np.argmax(ends - np.arange(len(t))))
    inside = slice(first, int(ends[first]))
    return t[inside], m[inside], e[inside]


def _f(theta: Floats, chi2: float, freedom: int) -> Floats:
    power: Floats = freedom * theta / (2 * np.maximum(chi2 - theta, 1e-9))
    return power


def _refined(
    series: list[tuple[Floats, Floats, Floats]], chi2: float, freedom: int, frequency: Floats, power: Floats, step: float
) -> tuple[float, Floats]:
    """The best frequency after a finer scan about the best local maxima, and the powers with those of the maxima replaced."""
    power = power.copy()
    best, at = float(power.max()), float(frequency[np.argmax(power)])
    peaks = maxima(power, PEAKS)
    for k in peaks:
        start = float(frequency[k] - step)
        fine = _f(np.sum([explained(t, y, w, start, step / FINER, 2 * FINER + 1) for t, y, w in series], axis=0), chi2, freedom)
        j = int(np.argmax(fine))
        if fine[j] > power[k]:
            power[k] = fine[j]
        if fine[j] > best:
            best, at = float(fine[j]), start + j * step / FINER
    return at, power


@njit(cache=True)
def largest(values: Floats, k: int) -> Floats:
    """The k largest of (n,) values, rising."""
    found = np.full(k, -np.inf)
    for value in values:
        if value > found[0]:
            j = 0
            while j + 1 < k and found[j + 1] < value:
                found[j] = found[j + 1]
                j += 1
            found[j] = value
    return found


@njit(cache=True)
def maxima(power: Floats, k: int) -> NDArray[np.int64]:
    """Indices of the k highest local maxima, highest first; fewer if there are fewer."""
    place, height, count = np.zeros(k, np.int64), np.full(k, -np.inf), 0
    for i in range(1, len(power) - 1):
        if power[i] > power[i - 1] and power[i] > power[i + 1] and power[i] > height[k - 1]:
            j = k - 1
            while j > 0 and height[j - 1] < power[i]:
                height[j], place[j] = height[j - 1], place[j - 1]
                j -= 1
            height[j], place[j] = power[i], i
            count += 1
    return place[: min(count, k)]


def explained(t: Floats, y: Floats, w: Floats, start: float, step: float, n: int, exact: bool = True) -> Floats:
    """Chi squared explained by a sine at n frequencies, shape (n,): the sums of Zechmeister & Kuerster (2009), eq. 5-15.

    `exact` false works in float32 (phases still come from float64 every `BLOCK` frequencies): half the time, right to 1e-4.
    """
    total, kind, m = float(w.sum()), np.float64 if exact else np.float32, -(-len(t) // LANES) * LANES
    times, p, q = np.zeros(m), np.zeros(m, kind), np.zeros(m, kind)  # points of no weight fill the last vector register
    times[: len(t)], p[: len(t)], q[: len(t)] = t, w / total, w * y / total
    sums: Floats = _scan(times, p, q, start, step, n)
    return total * sums


@njit(cache=True, fastmath={"reassoc", "contract", "nsz", "arcp"})
def _scan(t: Floats, p: NDArray[Any], q: NDArray[Any], start: float, step: float, n: int) -> Floats:
    """`explained` of weights p that sum to one and weighted magnitudes q, in the precision of p."""
    m = len(t)
    c, s, dc, ds = np.empty_like(p), np.empty_like(p), np.empty_like(p), np.empty_like(p)
    for i in range(m):
        dc[i], ds[i] = math.cos(2 * math.pi * step * t[i]), math.sin(2 * math.pi * step * t[i])
    theta, zero = np.empty(n), p[0] - p[0]
    for k in range(n):
        if k % BLOCK == 0:
            for i in range(m):
                angle = 2 * math.pi * (start + step * k) * t[i]
                c[i], s[i] = math.cos(angle), math.sin(angle)
        sc = ss = cc = cs = yc = ys = zero
        for i in range(m):
            a, b = c[i], s[i]
            pa = p[i] * a
            sc += pa
            ss += p[i] * b
            cc += pa * a
            cs += pa * b
            yc += q[i] * a
            ys += q[i] * b
            c[i] = a * dc[i] - b * ds[i]
            s[i] = b * dc[i] + a * ds[i]
        sin2 = 1.0 - cc - ss * ss
        cc -= sc * sc
        cs -= sc * ss
        determinant = cc * sin2 - cs * cs
        theta[k] = (yc * yc * sin2 + ys * ys * cc - 2.0 * yc * ys * cs) / determinant if determinant > 1e-4 else 0.0
    return theta
