"""Damped random walk: maximum likelihood of a Gaussian process with exponential covariance.

GP_DRW_sigma is the *variance* a and GP_DRW_tau the time scale 1/c (days) of the kernel a exp(-c |dt|) of m - mean(m) with the errors on
the diagonal (Sanchez-Saez et al. 2021, sec. 4.1; the name says sigma). GP_DRW_flux_sigma (uJy^2) and GP_DRW_flux_tau are the same of the
difference flux, which ALeRCE's extractor lc_classifier 27 gives under the names of the first two.

The likelihood is that of the innovations of a Kalman filter (Kelly et al. 2009, ApJ 698, 895, eq. 6-12), in O(n), with its derivatives by
(ln a, ln c) carried along. They give the Fisher information too, so that a damped Newton ascent needs about six evaluations. As
ALeRCE's, it starts at c = 1/d and goes uphill from there, to that maximum and not to the highest; ln c is kept within their bounds. a
starts from, and is kept in units of, the variance of the series: then flux in any unit gives the same. Theirs starts from 1 uJy^2 and
ends at e^19 uJy^2 (what varies by more than 13 mJy) at the latest.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import NJY_PER_UJY
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context

#: (ln of a over the variance, ln c): bounds; those of c are the newer extractor's.
LOW, HIGH = (-10.0, -6.0), (10.0, 6.0)

#: Points that the newer extractor asks for.
MINIMUM = 5

#: Least squared error as a part of the variance, so that two points at one time cannot contradict each other.
LEAST = 1e-10

#: Gain of the likelihood below which the ascent ends, most evaluations, and longest step in ln a and ln c.
GAIN, EVALUATIONS, STEP = 1e-9, 60, 2.0


def features(context: Context) -> dict[str, float]:
    """GP_DRW_sigma, GP_DRW_tau, GP_DRW_flux_sigma and GP_DRW_flux_tau of each band; NaN with fewer than `MINIMUM` points or no variance."""
    found: dict[str, float] = {}
    for (suffix, band), (_, series) in zip(context.named_bands, context.named_series, strict=True):
        variance, tau = fit(*band)
        square, flux_tau = fit(series.t, series.flux, series.flux_err)
        found |= {f"GP_DRW_sigma{suffix}": variance, f"GP_DRW_tau{suffix}": tau}
        found |= {f"GP_DRW_flux_sigma{suffix}": square / NJY_PER_UJY**2, f"GP_DRW_flux_tau{suffix}": flux_tau}
    return found


@compiled()
def minus_log_likelihood(x: tuple[float, float], t: Floats, y: Floats, v: Floats) -> tuple[float, float, float, float, float, float]:
    """Minus log likelihood, up to a constant, at x = (ln a, ln c), of zero-mean y with squared errors v, all of shape (n,).

    Returned with its derivatives by x and its expected second derivatives (aa, ac, cc). In the code a name with _a or _c is the derivative
    of the name without.
    """
    a, c = math.exp(x[0]), math.exp(x[1])
    value = g_a = g_c = h_aa = h_ac = h_cc = 0.0
    mean = mean_a = mean_c = spread_c = 0.0
    spread = spread_a = a
    product = 1.0  # of the variances: one logarithm at the end, since it takes longer than all the rest
    for i in range(len(t)):
        if i > 0:
            lag = -c * (t[i] - t[i - 1])
            p = math.exp(lag)
            mean, mean_a, mean_c = p * mean, p * mean_a, p * (mean_c + lag * mean)
            spread_a, spread_c = a + p * p * (spread_a - a), p * p * (spread_c + 2 * lag * (spread - a))
            spread = a + p * p * (spread - a)
        weight = 1 / (spread + v[i])
        off = y[i] - mean
        pull, w_a, w_c, noise = off * weight, spread_a * weight, spread_c * weight, v[i] * weight
        value += off * pull
        product *= spread + v[i]
        if product < 1e-200 or product > 1e200:
            value += math.log(product)
            product = 1.0
        g_a += (1 - off * pull) * w_a - 2 * mean_a * pull
        g_c += (1 - off * pull) * w_c - 2 * mean_c * pull
        h_aa += 2 * mean_a * mean_a * weight + w_a * w_a
        h_ac += 2 * mean_a * mean_c * weight + w_a * w_c
        h_cc += 2 * mean_c * mean_c * weight + w_c * w_c
        mean, mean_a, mean_c = mean + spread * pull, noise * (mean_a + w_a * off), noise * (mean_c + w_c * off)
        spread, spread_a, spread_c = noise * spread, noise * noise * spread_a, noise * noise * spread_c
    return 0.5 * (value + math.log(product)), 0.5 * g_a, 0.5 * g_c, 0.5 * h_aa, 0.5 * h_ac, 0.5 * h_cc


@compiled()
def fit(t: Floats, y: Floats, e: Floats) -> tuple[float, float]:
    """Fit (a, 1/c) at the maximum of the likelihood; t, y, e of shape (n,), times ascending.

    NaN with fewer than `MINIMUM` points, or if all y are equal.
    """
    if len(t) < MINIMUM:
        return np.nan, np.nan
    off = y - y.mean()
    variance = (off * off).mean()
    if not variance > 0:
        return np.nan, np.nan
    off, v = off / math.sqrt(variance), np.maximum(e * e / variance, LEAST)
    x, damping = (0.0, 0.0), 1e-2
    now = minus_log_likelihood(x, t, off, v)
    for _ in range(EVALUATIONS):
        step_a, step_c = _step(x, now, damping)
        if abs(step_a * now[1] + step_c * now[2]) < GAIN * (1 + abs(now[0])):
            break
        moved = (min(max(x[0] + step_a, LOW[0]), HIGH[0]), min(max(x[1] + step_c, LOW[1]), HIGH[1]))
        found = minus_log_likelihood(moved, t, off, v)
        if found[0] < now[0]:
            x, now, damping = moved, found, max(0.1 * damping, 1e-8)
        else:
            damping = max(10 * damping, 1e-4)
    return math.exp(x[0]) * variance, math.exp(-x[1])


@compiled()
def _step(x: tuple[float, float], now: tuple[float, float, float, float, float, float], damping: float) -> tuple[float, float]:
    """Damped Newton step, at most `STEP`; along a bound where the slope points beyond it."""
    _, g_a, g_c, aa, ac, cc = now
    aa, cc = aa * (1 + damping) + 1e-12, cc * (1 + damping) + 1e-12
    if (x[0] <= LOW[0] and g_a > 0) or (x[0] >= HIGH[0] and g_a < 0):
        g_a = ac = 0.0
    if (x[1] <= LOW[1] and g_c > 0) or (x[1] >= HIGH[1] and g_c < 0):
        g_c = ac = 0.0
    determinant = aa * cc - ac * ac
    step_a, step_c = (ac * g_c - cc * g_a) / determinant, (ac * g_a - aa * g_c) / determinant
    return min(max(step_a, -STEP), STEP), min(max(step_c, -STEP), STEP)
