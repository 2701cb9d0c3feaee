"""Mexican-hat power spectrum: variance on two time scales (Arevalo et al. 2012, MNRAS 426, 1793; Sanchez-Saez et al. 2021, sec. 4.1).

At scale T the series is smoothed by Gaussians of sigma1 = 0.225 T / sqrt(2) and 2 sigma1, each normalised by its own smoothed mask; the
mean square of the difference over the points with more than 3 neighbours, over the norm of the filter and the mean flux squared, less the
photometric noise (mean error / mean)^2. The noise is always taken off the low frequencies, off the high ones only where the power
exceeds it (else PN_flag is 1). Scales are 100 and 10 days (MHPS_low, MHPS_high), and in ALeRCE's extractor lc_classifier 27 also 365
and 30 days (MHPS_low_365, MHPS_high_30).

Flux is that of ALeRCE's magnitudes, 10^(0.4 (19 - m)), so that any constant zero point gives the same: the older extractor's values. The
newer one takes difference fluxes under the same names; ours have ``flux`` in them (MHPS_flux_low, MHPS_flux_ratio_365_30, ...). Over the
square of a mean difference flux they are large wherever a star varies about its reference, and say as much of the mean as of the
variance; NaN where that mean is zero.

ALeRCE works in float32, which rounds the times themselves to 0.004 days; ours is float64. The difference, up to 7e-4, is their rounding.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import POGSON
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context

#: Time scales in days of (low, high) frequency, and the parts of the feature names.
SCALES = {(100.0, 10.0): ("ratio", "low", "high"), (365.0, 30.0): ("ratio_365_30", "low_365", "high_30")}

#: A point counts if more than `NEIGHBOURS` points (itself included) are within `NEAR` sigma1; the smoothing reaches over `WINDOW`
#: sigma1; in both a sigma1 below `SHORTEST` days counts as that.
NEIGHBOURS, NEAR, WINDOW, SHORTEST = 3, 4.0, 6.0, 5.0

#: Distance in sigma1 beyond which the wider Gaussian, below 2e-8, counts as zero.
NOTHING = 12.0

#: exp(-x) for x up to 18 (that of `NOTHING`) is exp(-x / 64), squared `SQUARINGS` times; exp(-x / 64) is a polynomial about `CENTRE`
#: (7 terms, relative error 3e-10), which vectorises.
SQUARINGS, CENTRE = 6, 0.14


def features(context: Context) -> dict[str, float]:
    """MHPS_ratio, _low, _high, _non_zero, _PN_flag, _ratio_365_30, _low_365 and _high_30 of each band, and those of the difference flux
    (MHPS_flux_ratio and so on; without non_zero, which is a count of points).
    """  # fmt: skip
    found: dict[str, float] = {}
    for (suffix, (t, m, e)), (_, series) in zip(context.named_bands, context.named_series, strict=True):
        flux = 10 ** (0.4 * (19 - m))
        found |= {f"MHPS_{name}{suffix}": value for name, value in one_band(t, flux, flux * e / POGSON).items()}
        differences = one_band(series.t, series.flux, series.flux_err)
        found |= {f"MHPS_flux_{name}{suffix}": value for name, value in differences.items() if name != "non_zero"}
    return found


def one_band(t: Floats, flux: Floats, error: Floats) -> dict[str, float]:
    """Features of one band, arrays of shape (n,), times ascending; NaN where no point has enough neighbours."""
    found: dict[str, float] = {}
    for (low_scale, high_scale), (ratio, low_name, high_name) in SCALES.items():
        low, high, valid, flag = _powers(t, flux, error, low_scale, high_scale)
        found |= {ratio: low / high if high else math.nan, low_name: low, high_name: high}
        if "non_zero" not in found:
            found |= {"non_zero": valid, "PN_flag": flag}
    return found


@compiled()
def _powers(t: Floats, flux: Floats, error: Floats, low_scale: float, high_scale: float) -> tuple[float, float, float, float]:
    """Power at low and at high frequency, number of points with neighbours, PN_flag."""
    nothing = (np.nan, np.nan, np.nan, np.nan)
    if len(t) <= NEIGHBOURS:
        return nothing
    mean = flux.mean()
    if mean == 0:
        return nothing
    noise = (error.mean() / mean) ** 2
    y = (flux - mean) / mean
    high, valid = power(t, y, high_scale)
    if valid == 0:
        return nothing
    low = power(t, y, low_scale)[0] - noise
    flag = 0.0
    if high > noise:
        high -= noise
    else:
        flag = 1.0
    return low, high, float(valid), flag


@compiled()
def power(t: Floats, y: Floats, scale: float) -> tuple[float, int]:
    """Filtered variance of y at a time scale in days over the norm of the filter, and the number of points that it was taken from."""
    n = len(t)
    sigma = 0.225 * scale / math.sqrt(2.0)
    reach, near_by = WINDOW * max(sigma, SHORTEST), NEAR * max(sigma, SHORTEST)
    far = min(reach, NOTHING * sigma)
    total, valid, start, stop, near_start, near_stop = 0.0, 0, 0, 0, 0, 0
    for i in range(n):
        while t[i] - t[near_start] > near_by:
            near_start += 1
        while near_stop < n and t[near_stop] - t[i] <= near_by:
            near_stop += 1
        while t[i] - t[start] > far:
            start += 1
        while stop < n and t[stop] - t[i] <= far:
            stop += 1
        if near_stop - near_start > NEIGHBOURS:
            valid += 1
            total += _filtered(t[start:stop], y[start:stop], t[i], sigma) ** 2
    return (total / valid / _norm(sigma, reach) if valid else np.nan), valid


@compiled(fastmath={"reassoc", "contract", "nsz", "arcp"})
def _filtered(t: Floats, y: Floats, at: float, sigma: float) -> float:
    """Difference at one time of y, shape (n,), smoothed by sigma and by 2 sigma."""
    w1 = w2 = s1 = s2 = 0.0
    scale = 0.125 / sigma**2 / 2**SQUARINGS
    zero = math.exp(-CENTRE)
    for j in range(len(t)):
        x = CENTRE - (t[j] - at) ** 2 * scale
        terms = 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5 * (1 + x / 6 * (1 + x / 7))))))
        wide = zero * terms
        for _ in range(SQUARINGS):
            wide *= wide
        narrow = wide**4
        w1, w2, s1, s2 = w1 + narrow, w2 + wide, s1 + narrow * y[j], s2 + wide * y[j]
    return s1 / w1 - s2 / w2


@compiled()
def _norm(sigma: float, reach: float) -> float:
    """Integral of (G1 - G2)^2 within +-reach, G of sigma and 2 sigma with unit area within +-reach."""
    narrow, wide = math.erf(reach / sigma / math.sqrt(2.0)), math.erf(reach / sigma / math.sqrt(8.0))
    g11 = math.erf(reach / sigma) / (2 * math.sqrt(math.pi) * sigma) / narrow**2
    g22 = math.erf(reach / (2 * sigma)) / (4 * math.sqrt(math.pi) * sigma) / wide**2
    g12 = math.erf(reach / sigma * math.sqrt(0.625)) / (math.sqrt(10 * math.pi) * sigma) / (narrow * wide)
    return g11 + g22 - 2 * g12
