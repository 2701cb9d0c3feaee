"""Gravitational microlensing: Paczynski's light curve of a point lens and a point source, blended with light that is not magnified.

    m(t) = mag0 - 2.5 log10(fs (A(u) - 1) + 1),  A = (u^2 + 2) / (u sqrt(u^2 + 4)),  u^2 = u0^2 + ((t - t0) / tE)^2

(Paczynski 1986, ApJ 304, 1; the blending fs as in Wozniak & Paczynski 1997, ApJ 487, 55), fitted to each band by itself with errors
e + 0.01, as in ALeRCE's extractor lc_classifier 27 (ulens_*): u0 and tE > 0, 0 < fs <= 1, magnitudes of detections and of forced
points, chi squared over n - 4. tE is in days, t0 in days from the first point of either band.

u0, tE and fs are nearly degenerate: for a small u0 only u0 tE and fs / u0 are determined. So the fit runs in their logarithms and in
that of u0 tE, along which the valleys are straight, by Levenberg-Marquardt. It starts from ALeRCE's values (u0 = 0.6, tE = 20 d,
fs = 0.5, t0 at the brightest point) and, for several t0, from the best of a grid of u0 tE and u0, for which the flux is linear in the two
remaining parameters; the best start after a few steps is continued. On ALeRCE's reference light curves chi is theirs to half a per cent, or
lower. Parameters of light curves without an event, or along a valley, often differ.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import POGSON
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.cholesky import solved
from classifiers.models.lightcurve.context import ERRORS, Context

#: Least number of points, and error added in magnitudes.
MINIMUM, SOFTENING = 4, 0.01

#: Names of the reported parameters; bounds of the first three fitted ones (ln u0, ln u0 tE, ln fs, t0, mag0).
NAMES = ("u0", "tE", "fs", "chi", "t0", "mag0")
LOW, HIGH = (-8.0, -8.0, -12.0), (3.0, 9.0, 0.0)

#: t0 stays within this many days, or the length of the light curve where that is longer, of the first and the last point.
BEYOND = 100.0

#: ALeRCE's start in the first three. The other starts: t0 at the brightest so many successive points, and a grid of u0 tE (days) and u0.
START = (math.log(0.6), math.log(12.0), math.log(0.5))
TOGETHER, TIMES, IMPACTS = (1, 5, 20), np.geomspace(0.5, 1000.0, 8), np.array([0.003, 0.1, 1.0])

#: Evaluations of each start, then of the best one; relative gain in chi squared at which the descent ends.
FIRST, THEN, GAIN = 8, 30, 1e-5

#: Longest steps in the first three, and of t0 in units of u0 tE.
STEPS = (2.0, 1.0, 2.0, 20.0)

#: Ridge of the normal equations, as a part of the weight of all points.
RIDGE = 1e-12


def features(context: Context) -> dict[str, float]:
    """ulens_u0, ulens_tE, ulens_fs, ulens_chi, ulens_t0 and ulens_mag0 of each band; NaN with fewer than `MINIMUM` points."""
    bands = []
    for series in context.curve.series:
        points = series.measured
        kept = np.isfinite(points.mag) & (points.mag_err < ERRORS[1])
        bands.append((points.t[kept], points.mag[kept], points.mag_err[kept]))
    start = min((t[0] for t, _, _ in bands if len(t)), default=math.nan)
    found: dict[str, float] = {}
    for (suffix, _), (t, m, e) in zip(context.named_bands, bands, strict=True):
        found |= {f"ulens_{name}{suffix}": value for name, value in zip(NAMES, one_band(t - start, m, e), strict=True)}
    return found


def one_band(t: Floats, m: Floats, e: Floats) -> tuple[float, float, float, float, float, float]:
    """Fit u0, tE, fs, chi, t0 and mag0; t, m, e of shape (n,), times ascending.

    NaN with fewer than `MINIMUM` points; chi is NaN with exactly as many.
    """
    if len(t) < MINIMUM:
        return (math.nan,) * 6
    parameters, chi = fit(t, m, 1 / (e + SOFTENING))
    u0, width, fs, t0, mag0 = parameters.tolist()
    return math.exp(u0), math.exp(width - u0), math.exp(fs), chi / (len(t) - 4) if len(t) > MINIMUM else math.nan, t0, mag0


@compiled()
def fit(t: Floats, m: Floats, s: Floats) -> tuple[Floats, float]:
    """Fit the five parameters, shape (5,), and chi squared; s, shape (n,), are inverse errors."""
    middle = np.median(m)
    flux = 10 ** (-0.4 * (m - middle))
    best = _descend(np.array([START[0], START[1], START[2], t[np.argmin(m)], middle]), t, m, s, FIRST)
    for number in TOGETHER:
        start = _best_of_grid(t, flux, (POGSON * s / flux) ** 2, _brightest(t, m, min(number, len(t))))
        start[4] += middle
        found = _descend(start, t, m, s, FIRST)
        if found[1] < best[1]:
            best = found
    if not best[2]:
        best = _descend(best[0], t, m, s, THEN)
    return best[0], best[1]


@compiled()
def _best_of_grid(t: Floats, flux: Floats, weight: Floats, t0: float) -> Floats:
    """Parameters of the best fit to fluxes (n,) on the grid: flux = base + source (A - 1) with 0 <= source <= base."""
    w, f, best = weight.sum(), (weight * flux).sum(), np.inf
    found = np.array([START[0], START[1], START[2], t0, 0.0])
    for width in TIMES:
        for u0 in IMPACTS:
            a, aa, fa = _overlaps(t, flux, weight, t0, width, u0)
            determinant = w * aa - a * a
            source = (w * fa - a * f) / determinant if determinant > 0 else 0.0
            base = (f - a * source) / w
            if source > base:
                source = base = (f + fa) / (w + 2 * a + aa)
            chi = base * (base * w + 2 * (source * a - f)) + source * (source * aa - 2 * fa)
            if source > 0 and chi < best:
                best = chi
                found = np.array([math.log(u0), math.log(width), math.log(source / base), t0, -POGSON * math.log(base)])
    return found


@compiled()
def _brightest(t: Floats, m: Floats, number: int) -> float:
    """Mean time of the `number` successive points with the brightest mean."""
    total = m[:number].sum()
    least, at = total, 0
    for i in range(number, len(t)):
        total += m[i] - m[i - number]
        if total < least:
            least, at = total, i - number + 1
    return float(t[at : at + number].mean())


@compiled(fastmath={"reassoc", "contract", "nsz", "arcp"})
def _overlaps(t: Floats, flux: Floats, weight: Floats, t0: float, width: float, u0: float) -> tuple[float, float, float]:
    """Weighted sums of A - 1, of its square, and of its product with the flux."""
    a = aa = fa = 0.0
    for i in range(len(t)):
        x = (t[i] - t0) / width
        u2 = u0 * u0 * (1 + x * x)
        root = math.sqrt(u2 * (u2 + 4))
        excess = 4 / (root * (u2 + 2 + root))
        a, aa, fa = a + weight[i] * excess, aa + weight[i] * excess * excess, fa + weight[i] * excess * flux[i]
    return a, aa, fa


@compiled(fastmath={"reassoc", "contract", "nsz", "arcp"})
def _loss(p: Floats, t: Floats, m: Floats, s: Floats, rows: Floats, normal: Floats) -> float:
    """Chi squared of the parameters p.

    Written in place: derivatives by p of the residuals over their errors, then these residuals, in `rows`, shape (6, n); the lower triangle
    of their products in `normal`, shape (6, 5), whose last row is half the gradient.
    """
    n = len(t)
    u02, rate, fs = math.exp(2 * p[0]), math.exp(-p[1]), math.exp(p[2])
    for i in range(n):
        x = (t[i] - p[3]) * rate
        u2 = u02 * (1 + x * x)
        root = math.sqrt(u2 * (u2 + 4))
        excess = 4 / (root * (u2 + 2 + root))
        flux = 1 + fs * excess
        fading = POGSON * fs / flux * s[i]
        by_u2 = 8 * fading * u02 / (root * root * root)
        rows[0, i] = by_u2 * (1 + x * x)
        rows[1, i] = -by_u2 * x * x
        rows[2, i] = -fading * excess
        rows[3, i] = -by_u2 * x * rate
        rows[4, i] = s[i]
        rows[5, i] = flux
    for i in range(n):  # in a loop of its own, since logarithms do not vectorise
        rows[5, i] = (p[4] - POGSON * math.log(rows[5, i]) - m[i]) * s[i]
    chi = 0.0
    for j in range(6):
        for k in range(min(j + 1, 5)):
            total = 0.0
            for i in range(n):
                total += rows[j, i] * rows[k, i]
            normal[j, k] = total
    for i in range(n):
        chi += rows[5, i] * rows[5, i]
    return chi


@compiled()
def _descend(p: Floats, t: Floats, m: Floats, s: Floats, evaluations: int) -> tuple[Floats, float, bool]:
    """Levenberg-Marquardt descent: parameters, chi squared, and whether it has converged."""
    margin = max(BEYOND, t[-1] - t[0])
    low = np.array([LOW[0], LOW[1], LOW[2], t[0] - margin, -np.inf])
    high = np.array([HIGH[0], HIGH[1], HIGH[2], t[-1] + margin, np.inf])
    rows, normal, new_normal = np.empty((6, len(t))), np.empty((6, 5)), np.empty((6, 5))
    moved, damping = np.empty(5), 1e-2
    chi = _loss(p, t, m, s, rows, normal)
    for _ in range(evaluations - 1):
        step = _step(p, normal, damping, low, high)
        for j in range(5):
            moved[j] = min(max(p[j] + step[j], low[j]), high[j])
        found = _loss(moved, t, m, s, rows, new_normal)
        if found < chi:
            gain, chi, damping = chi - found, found, max(0.2 * damping, 1e-7)
            p, moved, normal, new_normal = moved, p, new_normal, normal
            if gain < GAIN * chi:
                return p, chi, True
        else:
            damping *= 5
    return p, chi, damping > 1e6


@compiled()
def _step(p: Floats, normal: Floats, damping: float, low: Floats, high: Floats) -> Floats:
    """Damped Gauss-Newton step, along the bounds and within `STEPS`."""
    matrix, right, held = np.empty((5, 5)), np.empty(5), np.empty(5, np.bool_)
    for j in range(5):
        slope = normal[5, j]
        held[j] = (p[j] <= low[j] and slope > 0) or (p[j] >= high[j] and slope < 0)
        for k in range(j):
            matrix[j, k] = 0.0 if held[j] or held[k] else normal[j, k]
        matrix[j, j] = normal[j, j] * (1 + damping) + RIDGE * normal[4, 4]
        right[j] = 0.0 if held[j] else -slope
    step = solved(matrix, right)
    longest = max(abs(step[0]) / STEPS[0], abs(step[1]) / STEPS[1], abs(step[2]) / STEPS[2], abs(step[3]) / STEPS[3] * math.exp(-p[1]), 1.0)
    shortened: Floats = step / longest
    return shortened
