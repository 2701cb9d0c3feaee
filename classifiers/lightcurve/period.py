"""Period search: the multiband floating-mean Lomb-Scargle F statistic in float64.

ALeRCE's one-harmonic multiharmonic analysis of variance (P4J's MHAOV; Schwarzenberg-Czerny 1996, ApJ 460, L107) is the F statistic of
independent floating-mean Lomb-Scargle fits (Zechmeister & Kuerster 2009, A&A 496, 577) in each band,

    F(f) = d sum_b theta_b(f) / (2 (sum_b chi2_b - sum_b theta_b(f))),    d = sum_b (n_b - 3),

theta_b the chi squared that a sine of frequency f explains in band b, chi2_b that about the weighted mean. P4J casts absolute MJD to
float32 (0.004 d), which loses periods below 0.06 d; here times count from the middle of the light curve, in float64.

Grid: linear in frequency from 1/`LONGEST` to 1/`SHORTEST` with a step of 2 `SHIFT` / T, at least `FEWEST` frequencies; the `PEAKS` best
local maxima are scanned again with a tenth of the step.

The sines and cosines at the frequencies c +- d of a block are made of those at its centre c and of those at d, and the d are the same in
every block: the sums over the points become products of matrices, (blocks x points) by (points x d). They are in float32, from phases in
float64: right to 1e-6 of the highest power. The best maxima are scanned in float64.
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

#: Frequencies on either side of the centre of a block.
HALF = 128

#: What the compiler may do to sums; not that numbers are finite.
FAST = {"reassoc", "contract", "nsz", "arcp"}

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
    start, step, n = grid(span)
    series = [prepared(*trimmed[b], low + span / 2) for b in used]
    chi2, freedom = sum(float((w * y**2).sum()) for _, y, w in series), sum(len(t) - 3 for t, _, _ in series)
    each = [scanned(*s, start, step, n) for s in series]
    best, theta = _refined(series, np.sum(each, axis=0, dtype=np.float64), start, step)
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


def _refined(series: list[tuple[Floats, Floats, Floats]], theta: NDArray[Any], start: float, step: float) -> tuple[float, NDArray[Any]]:
    """The best frequency after a finer scan about the best local maxima, and theta with those of the maxima replaced."""
    peaks = maxima(theta, PEAKS)
    first = start + step * (peaks - 1)
    fine = np.sum([explained(t, y, w, first, step / FINER, 2 * FINER + 1) for t, y, w in series], axis=0)
    theta[peaks] = fine.max(axis=1, initial=0)
    best = int(np.argmax(theta))
    for k, f, row in zip(peaks.tolist(), first.tolist(), fine, strict=True):
        if k == best:
            return f + int(np.argmax(row)) * step / FINER, theta
    return start + best * step, theta


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def maxima(power: NDArray[Any], k: int) -> NDArray[np.int64]:
    """Indices of the k highest local maxima, highest first; fewer if there are fewer."""
    place, height, count = np.zeros(k, np.int64), np.full(k, -np.inf), 0
    for i in range(1, len(power) - 1):
        if power[i] > height[k - 1] and power[i] > power[i - 1] and power[i] >= power[i + 1]:
            j = k - 1
            while j > 0 and height[j - 1] < power[i]:
                height[j], place[j] = height[j - 1], place[j - 1]
                j -= 1
            height[j], place[j] = power[i], i
            count += 1
    return place[: min(count, k)]


def explained(t: Floats, y: Floats, w: Floats, start: Floats, step: float, n: int) -> Floats:
    """Chi squared explained by a sine at n frequencies from each of `start` (k,), shape (k, n), in float64."""
    total = float(w.sum())
    sums: Floats = _scan(t, w / total, w * y / total, start, step, n)
    return total * sums


def scanned(t: Floats, y: Floats, w: Floats, start: float, step: float, n: int) -> NDArray[np.float32]:
    """The same at n frequencies, shape (n,), in float32."""
    total, m = float(w.sum()), -(-len(t) // 4) * 4
    times, p, q = np.zeros((3, m))  # in fours; the last points may have no weight
    times[: len(t)], p[: len(t)], q[: len(t)] = t, w / total, w * y / total
    theta = np.empty(-(-n // (2 * HALF)) * 2 * HALF, np.float32)
    _blocks(times, p, q, start, step, theta)
    return np.float32(total) * theta[:n]


@njit(cache=True, nogil=True, inline="always")
def _theta(sc: Any, ss: Any, yc: Any, ys: Any, c2: Any, s2: Any) -> Any:
    """Zechmeister & Kuerster (2009), eq. 5-15, of the sums of p cos, p sin, q cos, q sin, p cos 2, p sin 2: p are weights that sum to one,
    q weighted magnitudes of mean zero. In the precision of its arguments.
    """  # fmt: skip
    half = np.float32(0.5)
    cc, sin2, cs = half + half * c2 - sc * sc, half - half * c2 - ss * ss, half * s2 - sc * ss
    determinant = cc * sin2 - cs * cs
    explained = yc * yc * sin2 + ys * ys * cc - (yc + yc) * ys * cs
    return explained / determinant if determinant > np.float32(1e-4) else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=FAST)
def _scan(t: Floats, p: Floats, q: Floats, start: Floats, step: float, n: int) -> Floats:
    """`_theta` at n frequencies from each start, shape (k, n): each point's phase is advanced by a rotation from frequency to frequency."""
    c, s, dc, ds = np.empty_like(t), np.empty_like(t), np.cos(2 * math.pi * step * t), np.sin(2 * math.pi * step * t)
    theta = np.empty((len(start), n))
    for k in range(len(start)):
        for i in range(len(t)):
            angle = 2 * math.pi * start[k] * t[i]
            c[i], s[i] = math.cos(angle), math.sin(angle)
        for j in range(n):
            sc = ss = yc = ys = c2 = s2 = 0.0
            for i in range(len(t)):
                a, b = c[i], s[i]
                sc += p[i] * a
                ss += p[i] * b
                yc += q[i] * a
                ys += q[i] * b
                c2 += p[i] * (a * a - b * b)
                s2 += p[i] * (2 * a * b)
                c[i] = a * dc[i] - b * ds[i]
                s[i] = b * dc[i] + a * ds[i]
            theta[k, j] = _theta(sc, ss, yc, ys, c2, s2)
    return theta


@njit(cache=True, nogil=True, fastmath=FAST)
def _offsets(t: Floats, step: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines (first `HALF` columns) and sines of the phases t (m,) at `HALF` offsets of step / 2, 3 step / 2, ... and of their doubles."""
    single, double = np.empty((len(t), 2 * HALF), np.float32), np.empty((len(t), 2 * HALF), np.float32)
    for i in range(len(t)):
        angle = 2 * math.pi * step * t[i]
        c, s, dc, ds = math.cos(0.5 * angle), math.sin(0.5 * angle), math.cos(angle), math.sin(angle)
        for j in range(HALF):
            single[i, j], single[i, HALF + j] = c, s
            double[i, j], double[i, HALF + j] = c * c - s * s, 2 * c * s
            c, s = c * dc - s * ds, s * dc + c * ds
    return single, double


@njit(cache=True, nogil=True, fastmath=FAST)
def _blocks(t: Floats, p: Floats, q: Floats, start: float, step: float, theta: NDArray[np.float32]) -> None:
    """`_theta` from `start` on into theta, whose length is a multiple of 2 `HALF`."""
    width, (single, double) = 2 * HALF, _offsets(t, step)
    first, stride = 2 * math.pi * (start + (HALF - 0.5) * step), 2 * math.pi * width * step
    a, b, da, db = np.cos(first * t), np.sin(first * t), np.cos(stride * t), np.sin(stride * t)
    centre, sums = np.empty((6, len(t)), np.float32), np.empty((6, width), np.float32)
    for done in range(0, len(theta), width):
        for i in range(len(t)):
            c, s = a[i], b[i]
            centre[0, i], centre[1, i], centre[2, i], centre[3, i] = p[i] * c, p[i] * s, q[i] * c, q[i] * s
            centre[4, i], centre[5, i] = p[i] * (c * c - s * s), p[i] * (2 * c * s)
            a[i], b[i] = c * da[i] - s * db[i], s * da[i] + c * db[i]
        _product(centre[0], centre[1], single, sums[0], sums[1])
        _product(centre[2], centre[3], single, sums[2], sums[3])
        _product(centre[4], centre[5], double, sums[4], sums[5])
        _both_sides(sums, theta[done : done + width])


@njit(cache=True, nogil=True, fastmath=FAST)
def _product(
    a: NDArray[np.float32], b: NDArray[np.float32], table: NDArray[np.float32], of_a: NDArray[np.float32], of_b: NDArray[np.float32]
) -> None:
    """The products of two rows a, b (m,) with a table (m, k), into of_a, of_b (k,): as fast as BLAS, and without its threads."""
    of_a[:] = 0
    of_b[:] = 0
    for i in range(0, len(a), 4):
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        b0, b1, b2, b3 = b[i], b[i + 1], b[i + 2], b[i + 3]
        t0, t1, t2, t3 = table[i], table[i + 1], table[i + 2], table[i + 3]
        for j in range(len(of_a)):
            x0, x1, x2, x3 = t0[j], t1[j], t2[j], t3[j]
            of_a[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            of_b[j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3


@njit(cache=True, nogil=True, fastmath=FAST)
def _both_sides(sums: NDArray[np.float32], theta: NDArray[np.float32]) -> None:
    """`_theta` of one block: cos(a +- b) = cos a cos b -+ sin a sin b, sin(a +- b) = sin a cos b +- cos a sin b."""
    pc, ps, qc, qs, p2, r2 = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for j in range(HALF):
        k = HALF + j
        theta[k] = _theta(pc[j] - ps[k], ps[j] + pc[k], qc[j] - qs[k], qs[j] + qc[k], p2[j] - r2[k], r2[j] + p2[k])
    for j in range(HALF):
        k = HALF + j
        theta[HALF - 1 - j] = _theta(pc[j] + ps[k], ps[j] - pc[k], qc[j] + qs[k], qs[j] - qc[k], p2[j] + r2[k], r2[j] - p2[k])
