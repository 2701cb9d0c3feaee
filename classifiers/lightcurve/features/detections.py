"""Detections and non-detections of each band, and the colours between them (Sanchez-Saez et al. 2021, tables 2 and 3).

Magnitudes are of the absolute difference flux. ALeRCE takes limits before the first detection from the whole history of the field; here
only those of the `HISTORY` days before it count, as they come with every ZTF alert, so that a value does not depend on how far an
archive reaches back. Colours are NaN without both bands; the ``_corr`` ones are of the total flux, NaN where the object is not on a
reference source.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.photometry import magnitude_from_flux

from .._arrays import Floats
from ..context import Context
from ..series import Series

#: Days before the first detection whose limits are used.
HISTORY = 30.0


def features(context: Context) -> dict[str, float]:
    """All values of the family."""
    found: dict[str, float] = {}
    g, r = (magnitude_from_flux(np.abs(s.flux)) for s in context.curve.series)
    for (suffix, series), m in zip(context.named_series, (g, r), strict=True):
        found |= {f"{name}{suffix}": value for name, value in (_detections(series, m) | _limits(series, m) | _reference(series)).items()}
    totals = [m if context.curve.corrected else m[:0] for _, m, _ in context.bands]
    for name, statistic in (("g-r_max", np.min), ("g-r_mean", np.mean)):
        found |= {name: _colour(g, r, statistic), f"{name}_corr": _colour(totals[0], totals[1], statistic)}
    return found


def _colour(g: Floats, r: Floats, statistic: object) -> float:
    return float(statistic(g) - statistic(r)) if len(g) and len(r) and callable(statistic) else math.nan


def _detections(series: Series, m: Floats) -> dict[str, float]:
    """The nine of supernova detection, of a series and its magnitudes."""
    some, n_pos = len(m) > 0, int((series.flux > 0).sum())
    return {
        "delta_mag_fid": float(np.ptp(m)) if some else math.nan,
        "delta_mjd_fid": float(np.ptp(series.t)) if some else math.nan,
        "first_mag": float(m[0]) if some else math.nan,
        "mean_mag": float(m.mean()) if some else math.nan,
        "min_mag": float(m.min()) if some else math.nan,
        "n_det": float(len(m)),
        "n_neg": float(len(m) - n_pos),
        "n_pos": float(n_pos),
        "positive_fraction": n_pos / len(m) if some else math.nan,
    }


def _limits(series: Series, m: Floats) -> dict[str, float]:
    """The ten of non-detections; limits as magnitudes."""
    first = series.t[0] if len(series.t) else math.nan
    limit = magnitude_from_flux(series.limit)
    before = (series.limit_t < first) & (series.limit_t > first - HISTORY)
    after = series.limit_t > first
    last = float(limit[before][-1]) if before.any() else math.nan
    middle = float(np.median(limit[before])) if before.any() else math.nan
    return {
        "n_non_det_before_fid": float(before.sum()),
        "max_diffmaglim_before_fid": float(limit[before].max()) if before.any() else math.nan,
        "median_diffmaglim_before_fid": middle,
        "last_diffmaglim_before_fid": last,
        "last_mjd_before_fid": float(first - series.limit_t[before][-1]) if before.any() else math.nan,
        "dmag_non_det_fid": middle - float(m.min()) if len(m) else math.nan,
        "dmag_first_det_fid": last - float(m[0]) if len(m) else math.nan,
        "n_non_det_after_fid": float(after.sum()),
        "max_diffmaglim_after_fid": float(limit[after].max()) if after.any() else math.nan,
        "median_diffmaglim_after_fid": float(np.median(limit[after])) if after.any() else math.nan,
    }


def _reference(series: Series) -> dict[str, float]:
    """Ours: magnitude of the reference source, and the largest difference in magnitudes of it; a star varies by less than a supernova
    outshines its galaxy.
    """  # fmt: skip
    largest = np.abs(series.flux).max() if len(series.flux) else math.nan
    reference, change = magnitude_from_flux([series.reference, largest]).tolist()
    return {"reference_mag": reference, "reference_contrast": reference - change}
