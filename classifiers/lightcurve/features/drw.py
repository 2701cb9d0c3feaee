"""Damped random walk: maximum likelihood of a Gaussian process with exponential covariance.

GP_DRW_sigma is the *variance* a and GP_DRW_tau the time scale 1/c (days) of the kernel a exp(-c |dt|) of m - mean(m) with the errors on
the diagonal (Sanchez-Saez et al. 2021, sec. 4.1; the name says sigma). The likelihood is evaluated in O(n) as celerite does
(Foreman-Mackey et al. 2017, AJ 154, 220), and maximised over (ln a, ln c) from (0, 0) inside the bounds of ALeRCE's newer extractor,
ln a in [-10, 19] and ln c in [-6, 6]: without them a light curve without structure runs off to tau = 1e12.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .._arrays import Floats
from ..context import Context

#: (ln a, ln c): bounds of the newer extractor.
LOW, HIGH = np.array([-10.0, -6.0]), np.array([19.0, 6.0])

#: Points that the newer extractor asks for.
MINIMUM = 5


def features(context: Context) -> dict[str, float]:
    """GP_DRW_sigma and GP_DRW_tau of each band."""
    found: dict[str, float] = {}
    for suffix, (t, m, e) in context.named_bands:
        variance, tau = fit(t, m, e) if len(t) >= MINIMUM else (math.nan, math.nan)
        found |= {f"GP_DRW_sigma{suffix}": variance, f"GP_DRW_tau{suffix}": tau}
    return found


@njit(cache=True, nogil=True)
def minus_log_likelihood(x: Floats, t: Floats, y: Floats, e: Floats) -> float:
    """Of zero-mean y, up to the constant; x = (ln a, ln c)."""
    a, c = math.exp(x[0]), math.exp(x[1])
    f = w = total = 0.0
    s = 0.0
    z = 0.0
    for i in range(len(t)):
        if i > 0:
            p = math.exp(-c * (t[i] - t[i - 1]))
            s = p * p * (s + w * w * total)
            f = p * (f + w * z)
        # semiseparable Cholesky with U = a, V = 1: D_i = a + e^2 - a^2 S, W_i = (1 - a S) / D
        total = a + e[i] ** 2 - a * a * s
        if total <= 0:
            return np.inf
        w = (1 - a * s) / total
        z = y[i] - a * f
        y_i = z * z / total + math.log(total)
        if i == 0:
            value = y_i
        else:
            value += y_i
    return float(0.5 * value)


@njit(cache=True, nogil=True)
def fit(t: Floats, m: Floats, e: Floats) -> tuple[float, float]:
    """(a, 1/c) at the maximum; Nelder-Mead on (ln a, ln c), clipped to the bounds."""
    y = m - m.mean()
    simplex = np.array([[0.0, 0.0], [-1.0, 0.0], [0.0, -1.0]])
    values = np.array([minus_log_likelihood(p, t, y, e) for p in simplex])
    for _ in range(200):
        order = np.argsort(values)
        simplex, values = simplex[order], values[order]
        if abs(values[2] - values[0]) < 1e-9 and np.abs(simplex[2] - simplex[0]).max() < 1e-5:
            break
        centre = 0.5 * (simplex[0] + simplex[1])
        trial = np.minimum(np.maximum(2 * centre - simplex[2], LOW), HIGH)
        value = minus_log_likelihood(trial, t, y, e)
        if value < values[0]:
            further = np.minimum(np.maximum(3 * centre - 2 * simplex[2], LOW), HIGH)
            beyond = minus_log_likelihood(further, t, y, e)
            simplex[2], values[2] = (further, beyond) if beyond < value else (trial, value)
        elif value < values[1]:
            simplex[2], values[2] = trial, value
        else:
            inside = 0.5 * (centre + (trial if value < values[2] else simplex[2]))
            within = minus_log_likelihood(inside, t, y, e)
            if within < min(value, values[2]):
                simplex[2], values[2] = inside, within
            else:
                for k in (1, 2):
                    simplex[k] = 0.5 * (simplex[k] + simplex[0])
                    values[k] = minus_log_likelihood(simplex[k], t, y, e)
    best = simplex[np.argmin(values)]
    return math.exp(best[0]), math.exp(-best[1])
