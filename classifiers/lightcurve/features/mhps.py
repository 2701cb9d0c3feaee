"""Mexican-hat power spectrum: variance on two time scales (Arevalo et al. 2012, MNRAS 426, 1793; Sanchez-Saez et al. 2021, sec. 4.1).

At scale T the series is smoothed by Gaussians of sigma1 = 0.225 T / sqrt(2) and 2 sigma1, each normalised by its own smoothed mask; the
mean square of the difference over the points with more than 3 neighbours, over the norm of the filter and the mean flux squared, less the
photometric noise (mean error / mean)^2. The noise is always taken off the low frequencies, off the high ones only where the power
exceeds it (else PN_flag is 1). The flux is 10^(0.4 (19 - m)), so that any constant zero point gives the same.

ALeRCE works in float32; ours is float64, the difference (of order 1e-4) is their rounding.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from .._arrays import Floats
from ..context import Context

#: Low and high frequency: time scales in days.
LOW, HIGH = 100.0, 10.0

#: A point counts if more than `NEIGHBOURS` points (itself included) are within `NEAR` sigma1; the smoothing reaches over `WINDOW`
#: sigma1; in both a sigma1 below `SHORTEST` days counts as that.
NEIGHBOURS, NEAR, WINDOW, SHORTEST = 3, 4.0, 6.0, 5.0


def features(context: Context) -> dict[str, float]:
    """MHPS_ratio, MHPS_low, MHPS_high, MHPS_non_zero and MHPS_PN_flag of each band."""
    found: dict[str, float] = {}
    for suffix, (t, m, e) in context.named_bands:
        found |= {f"{name}{suffix}": value for name, value in one_band(t, m, e).items()}
    return found


def one_band(t: Floats, m: Floats, e: Floats) -> dict[str, float]:
    """The values of one band; NaN where no point has enough neighbours."""
    values = _powers(t, m, e) if len(t) else (math.nan,) * 4
    low, high, valid, flag = values
    return {
        "MHPS_ratio": low / high if high else math.nan,
        "MHPS_low": low,
        "MHPS_high": high,
        "MHPS_non_zero": valid,
        "MHPS_PN_flag": flag,
    }


@njit(cache=True, nogil=True)
def _powers(t: Floats, m: Floats, e: Floats) -> tuple[float, float, float, float]:
    flux = 10 ** (0.4 * (19 - m))
    error = flux * e * 0.4 * math.log(10.0)
    mean = flux.mean()
    noise = (error.mean() / mean) ** 2
    low, _ = power(t, flux - mean, LOW)
    high, valid = power(t, flux - mean, HIGH)
    low, high = low / mean**2, high / mean**2
    flag = 0.0
    if valid == 0:
        return np.nan, np.nan, np.nan, np.nan
    low -= noise
    if high > noise:
        high -= noise
    else:
        flag = 1.0
    return low, high, float(valid), flag


@njit(cache=True, nogil=True)
def power(t: Floats, y: Floats, scale: float) -> tuple[float, int]:
    """Filtered variance of y at a time scale in days over the norm of the filter, and the number of points that it was taken from."""
    n = len(t)
    sigma = 0.225 * scale / math.sqrt(2.0)
    reach, near_by = WINDOW * max(sigma, SHORTEST), NEAR * max(sigma, SHORTEST)
    total, valid, start = 0.0, 0, 0
    for i in range(n):
        while t[i] - t[start] > reach:
            start += 1
        near, w1, w2, s1, s2 = 0, 0.0, 0.0, 0.0, 0.0
        j = start
        while j < n and t[j] - t[i] <= reach:
            lag = t[j] - t[i]
            if abs(lag) <= near_by:
                near += 1
            wide = math.exp(-0.125 * (lag / sigma) ** 2)
            narrow = wide**4
            w1, w2, s1, s2 = w1 + narrow, w2 + wide, s1 + narrow * y[j], s2 + wide * y[j]
            j += 1
        if near > NEIGHBOURS:
            valid += 1
            total += (s1 / w1 - s2 / w2) ** 2
    return (total / valid / _norm(sigma, reach) if valid else np.nan), valid


@njit(cache=True)
def _norm(sigma: float, reach: float) -> float:
    """Integral of (G1 - G2)^2 within +-reach, G of sigma and 2 sigma with unit area within +-reach."""
    narrow, wide = math.erf(reach / sigma / math.sqrt(2.0)), math.erf(reach / sigma / math.sqrt(8.0))
    g11 = math.erf(reach / sigma) / (2 * math.sqrt(math.pi) * sigma) / narrow**2
    g22 = math.erf(reach / (2 * sigma)) / (4 * math.sqrt(math.pi) * sigma) / wide**2
    g12 = math.erf(reach / sigma * math.sqrt(0.625)) / (math.sqrt(10 * math.pi) * sigma) / (narrow * wide)
    return g11 + g22 - 2 * g12
