"""Detections and non-detections of each band, and the colours between them (Sanchez-Saez et al. 2021, tables 2 and 3).

Magnitudes are of the absolute difference flux. ALeRCE takes limits before the first detection from the whole history of the field; here
only those of the `HISTORY` days before it count, as they come with every ZTF alert, so that a value does not depend on how far an
archive reaches back. Colours are NaN without both bands; the ``_corr`` ones are of the total flux, NaN where the object is not on a
reference source.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from broker_adapters.photometry import magnitude_from_flux
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context
from classifiers.models.lightcurve.features._kernels import median
from classifiers.models.lightcurve.series import Series

#: Days before the first detection whose limits are used.
HISTORY = 30.0


def features(context: Context) -> dict[str, float]:
    """Features of detections and non-detections of both bands."""
    found: dict[str, float] = {}
    difference = [magnitude_from_flux(np.abs(s.flux)) for s in context.curve.series]
    total = [m if context.curve.corrected else m[:0] for _, m, _ in context.bands]
    for (suffix, series), m in zip(context.named_series, difference, strict=True):
        found |= {f"{name}{suffix}": value for name, value in (_detections(series, m) | _limits(series, m)).items()}
    (g, r), (g_corr, r_corr) = ([_summary(m) for m in both] for both in (difference, total))
    return found | {
        "g-r_max": g[0] - r[0],
        "g-r_max_corr": g_corr[0] - r_corr[0],
        "g-r_mean": g[1] - r[1],
        "g-r_mean_corr": g_corr[1] - r_corr[1],
    }


def _detections(series: Series, m: Floats) -> dict[str, float]:
    """Nine features of the detections of a series with magnitudes m."""
    some, n_pos = len(m) > 0, int(np.count_nonzero(series.flux > 0))
    least, mean, most, _ = _summary(m)
    return {
        "delta_mag_fid": most - least,
        "delta_mjd_fid": float(series.t[-1] - series.t[0]) if some else math.nan,
        "first_mag": float(m[0]) if some else math.nan,
        "mean_mag": mean,
        "min_mag": least,
        "n_det": float(len(m)),
        "n_neg": float(len(m) - n_pos),
        "n_pos": float(n_pos),
        "positive_fraction": n_pos / len(m) if some else math.nan,
    }


def _limits(series: Series, m: Floats) -> dict[str, float]:
    """Ten features of the non-detections, and two of the reference source (ours).

    The latter are its magnitude, and the largest difference flux in magnitudes relative to it: a star varies by less than a supernova
    outshines its galaxy.
    """
    some, (least, _, _, _) = len(m) > 0, _summary(m)
    first = float(series.t[0]) if some else math.nan
    far, past = np.searchsorted(series.limit_t, (first - HISTORY, first), "right").tolist()
    near = int(np.searchsorted(series.limit_t, first))
    magnitudes = magnitude_from_flux(np.append(series.limit, series.reference))
    before, after, reference = magnitudes[far:near], magnitudes[past:-1], float(magnitudes[-1])
    (_, _, faintest, middle), (_, _, faintest_after, middle_after) = _summary(before), _summary(after)
    last = float(before[-1]) if len(before) else math.nan
    return {
        "n_non_det_before_fid": float(len(before)),
        "max_diffmaglim_before_fid": faintest,
        "median_diffmaglim_before_fid": middle,
        "last_diffmaglim_before_fid": last,
        "last_mjd_before_fid": float(first - series.limit_t[near - 1]) if len(before) else math.nan,
        "dmag_non_det_fid": middle - least,
        "dmag_first_det_fid": last - float(m[0]) if some else math.nan,
        "n_non_det_after_fid": float(len(after)),
        "max_diffmaglim_after_fid": faintest_after,
        "median_diffmaglim_after_fid": middle_after,
        "reference_mag": reference,
        "reference_contrast": reference - least,
    }


@compiled()
def _summary(m: Floats) -> tuple[float, float, float, float]:
    """Minimum, mean, maximum and median; NaN of an empty array."""
    return (m.min(), m.mean(), m.max(), median(np.sort(m))) if len(m) else (np.nan, np.nan, np.nan, np.nan)
