"""Supernova parametric model: parameters in ALeRCE's names and units, and properties of the fitted curve.

SPM_A is in mJy, SPM_t0 in days from the first detection, gamma, tau_rise and tau_fall in days, chi is the posterior loss per detection.
They are those of the regularised fit of both bands at once (`classifiers.models.lightcurve.supernova`), not of ALeRCE's two independent
unweighted fits: same function, other estimator. The rest are ours: SPM_sigma_* the uncertainties of the transformed parameters, then times
in days and magnitudes of the fitted curve about its peak.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import magnitude_from_flux
from classifiers.models.lightcurve.context import GRID, STEP, Context
from classifiers.models.lightcurve.supernova import NAMES

#: Days from the peak of a band at which its fading is measured, and from the peak of the r-like band at which the colour is.
FADING, COLOURS = (-10, -5, 7, 15, 30, 60), (-10, 0, 10, 20, 30, 45)

#: Least flux as a part of the peak.
FLOOR = 1e-6


def features(context: Context) -> dict[str, float]:
    """Parameters, uncertainties and shape of the fit; NaN without a fit."""
    return _parameters(context) | _shape(context)


def _parameters(context: Context) -> dict[str, float]:
    fit = context.fit
    found: dict[str, float] = {}
    starts = [s.t[0] for s in context.curve.series if len(s.t)]
    for k, suffix in enumerate(("_g", "_r")):
        q = fit.band(k) if fit else np.full(6, np.nan)
        scale, zero = (fit.scale, fit.zero - min(starts)) if fit else (math.nan, math.nan)
        values = (
            scale * 1e-6 * math.exp(q[0]),
            q[1] + zero,
            math.exp(q[2]),
            1 / (1 + math.exp(-q[3])),
            math.exp(q[4]),
            math.exp(q[5]),
        )
        found |= {f"SPM_{name}{suffix}": float(v) for name, v in zip(NAMES, values, strict=True)}
    sigma = np.sqrt(np.diag(fit.covariance)) if fit else np.full(12, np.nan)
    difference = fit.parameters[6:] if fit else np.full(6, np.nan)
    found |= {f"SPM_sigma_{name}_r": float(s) for name, s in zip(NAMES, sigma[:6], strict=True)}
    found |= {f"SPM_sigma_{name}_g-r": float(s) for name, s in zip(NAMES, sigma[6:], strict=True)}
    found |= {f"SPM_{name}_g-r": float(d) for name, d in zip(NAMES, difference, strict=True)}
    return found | {"SPM_chi": fit.chi2 if fit else math.nan}


def _shape(context: Context) -> dict[str, float]:
    """Peak magnitude, rise, width, fading and colour of the fitted curve."""
    flux = np.maximum(context.fitted, FLOOR * (context.fit.scale if context.fit else math.nan))
    magnitude = magnitude_from_flux(flux)
    peaks = [int(k) for k in np.argmax(flux, axis=1)]
    found: dict[str, float] = {}
    for suffix, f, m, peak in zip(("_g", "_r"), flux, magnitude, peaks, strict=True):
        half, tenth = f > f[peak] / 2, f > f[peak] / 10
        found[f"peak_mag{suffix}"] = float(m[peak])
        found |= {f"fade_{d}{suffix}": float(m[_at(peak, d, len(m))] - m[peak]) for d in FADING}
        found[f"rise_half{suffix}"] = STEP * (peak - int(np.argmax(half))) if context.fit else math.nan
        found[f"rise_tenth{suffix}"] = STEP * (peak - int(np.argmax(tenth))) if context.fit else math.nan
        found[f"width_half{suffix}"] = STEP * int(half.sum()) if context.fit else math.nan
    colour = magnitude[0] - magnitude[1]
    found |= {f"fitted_colour_{d}": float(colour[_at(peaks[1], d, len(GRID))]) for d in COLOURS}
    found["peak_delay"] = STEP * (peaks[0] - peaks[1]) if context.fit else math.nan
    times = np.concatenate([s.t for s in context.curve.series])
    peak_mjd = context.fit.zero + GRID[peaks[1]] if context.fit else math.nan
    found["first_to_peak"] = float(peak_mjd - times.min()) if len(times) else math.nan
    found["peak_to_last"] = float(times.max() - peak_mjd) if len(times) else math.nan
    return found


def _at(peak: int, days: float, n: int) -> int:
    return min(max(peak + round(days / STEP), 0), n - 1)
