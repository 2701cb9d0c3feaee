"""Tail of a tidal disruption event: mass falls back as t^(-5/3), so magnitudes rise with 2.5 log10 of the time at a slope of 5/3.

ALeRCE's definition (lc_classifier 27, TDE tail): the weighted straight line of the magnitudes of |difference flux| over
2.5 log10(t - t_brightest + `DELAY`), for `DAYS` after the brightest point; chi is per degree of freedom. Theirs takes forced photometry of
any significance too, ours the detections of `series`; on the same points both give the same.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context

#: Days from the disruption to the brightest point, days that are fitted, and error added in magnitudes.
DELAY, DAYS, SOFTENING = 40.0, 200.0, 0.01


def features(context: Context) -> dict[str, float]:
    """TDE_decay (the slope), TDE_mag0 and TDE_decay_chi of each band."""
    found: dict[str, float] = {}
    for suffix, series in context.named_series:
        flux = np.abs(series.flux)
        decay, mag0, chi = one_band(series.t, magnitude_from_flux(flux), magnitude_error(flux, series.flux_err))
        found |= {f"TDE_decay{suffix}": decay, f"TDE_mag0{suffix}": mag0, f"TDE_decay_chi{suffix}": chi}
    return found


def one_band(t: Floats, m: Floats, e: Floats) -> tuple[float, float, float]:
    """Fit slope, zero point and reduced chi squared; NaN with fewer than three points after the brightest."""
    if not len(t):
        return math.nan, math.nan, math.nan
    since = t - t[np.argmin(m)]
    used = (since > 0) & (since <= DAYS)
    n = int(used.sum())
    if n < 3:
        return math.nan, math.nan, math.nan
    x, y, w = 2.5 * np.log10(since[used] + DELAY), m[used], (e[used] + SOFTENING) ** -2
    centre, level = float(w @ x / w.sum()), float(w @ y / w.sum())
    spread = float(w @ (x - centre) ** 2)
    slope = float(w @ ((x - centre) * (y - level))) / spread if spread else math.nan
    chi = float(w @ (y - level - slope * (x - centre)) ** 2) / (n - 2)
    return slope, level - slope * centre, chi
