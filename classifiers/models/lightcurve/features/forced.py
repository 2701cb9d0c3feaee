"""Forced photometry before and after the first detection (lc_classifier 27: SNExtractor).

Before and after are those of the first detection in either band. Brightness is the difference flux in uJy, of the forced points below
the limit of detection (`series`): one above it is a detection as any other, and the forced twin of an alert is no second measurement;
ALeRCE counts twins. A band without forced photometry has NaN.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import NJY_PER_UJY
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context


def features(context: Context) -> dict[str, float]:
    """n_forced_phot_band_before and so on of each band; positive_fraction is in the family of detections."""
    starts = [s.t[0] for s in context.curve.series if len(s.t)]
    found: dict[str, float] = {}
    for suffix, series in context.named_series:
        first = float(series.flux[0]) / NJY_PER_UJY if len(series.t) else math.nan
        values = one_band(series.forced.t, series.forced.flux / NJY_PER_UJY, min(starts, default=math.nan), first)
        found |= {f"{name}{suffix}": value for name, value in values.items()}
    return found


def one_band(t: Floats, brightness: Floats, start: float, first: float) -> dict[str, float]:
    """Nine features of one band from the times and brightnesses (n,) of its forced points.

    ``start`` is the time of the object's first detection, ``first`` the brightness of the band's first.
    """
    before, after = brightness[t < start], brightness[t > start]
    n_before, n_after, known = len(before), len(after), len(t) > 0
    last = float(before[-1]) if n_before else math.nan
    median = float(np.median(before)) if n_before else math.nan
    return {
        "n_forced_phot_band_before": float(n_before) if known else math.nan,
        "dbrightness_first_det_band": first - last,
        "dbrightness_forced_phot_band": first - median,
        "last_brightness_before_band": last,
        "max_brightness_before_band": float(before.max()) if n_before else math.nan,
        "median_brightness_before_band": median,
        "n_forced_phot_band_after": float(n_after) if known else math.nan,
        "max_brightness_after_band": float(after.max()) if n_after else math.nan,
        "median_brightness_after_band": float(np.median(after)) if n_after else math.nan,
    }
