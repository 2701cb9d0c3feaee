"""Light curves that features are computed from: the g-like and the r-like series of one merged object.

Band families (docs/model-cards/lightcurve.md) follow from the bands' wavelengths (`family`): ZTF g, LSST g and ATLAS c are ``g``; ZTF r,
LSST r and ATLAS o are ``r``. What matters is that the same rows give the same series whichever way they came:

- detections are those of `broker_adapters.significance.detected_reliably`, without forced twins of alerts;
- a forced measurement below that is a limit of `DETECTED` sigma, as a survey's own upper limits are, and kept beside as a forced point;
- of rows of one exposure one is kept, alerts before forced measurements (`broker_adapters.significance.one_per_exposure`);
- magnitudes are total or of the difference, never both in one object (`broker_adapters.significance.surveys_in_totals`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters import photometry, surveys
from broker_adapters.crossmatch import mean_direction
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import DETECTED, detected_reliably, one_per_exposure, surveys_in_totals, total_flux
from classifiers.models.lightcurve._arrays import Floats

#: Band family -> effective wavelengths (nm) of its broad bands, in the order in which features come. ZTF's and Rubin's g (472, 478) and
#: ATLAS's cyan (533) lie in the one, their r (634, 622) and orange (679) in the other; u, i, z and y in none.
WINDOWS = {"g": (450.0, 560.0), "r": (600.0, 700.0)}
FAMILIES = tuple(WINDOWS)

#: Least number of detections, in both band families together, of a light curve that is classified.
MINIMUM = 5


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Measurements of one band family; every array is float64, of shape (n,) and in time order.

    Attributes
    ----------
    t, flux, flux_err
        MJD, signed difference flux and its error in nJy.
    mag, mag_err
        ALeRCE's "magnitude": of the total flux where the object lies on a reference source, else of the absolute difference flux; NaN
        where the total flux is not positive, or not known of a survey beside others of which it is.
    """

    t: Floats
    flux: Floats
    flux_err: Floats
    mag: Floats
    mag_err: Floats


#: No measurements.
NONE = Points(*np.empty((5, 0)))


@dataclass(frozen=True, slots=True, eq=False)
class Series(Points):
    """Series of one band family: its detections, and

    Attributes
    ----------
    forced : Points
        Forced measurements below `DETECTED` sigma that are not the forced twin of an alert.
    limit_t, limit : shape (m,)
        Limits: MJD, and the flux in nJy of `DETECTED` sigma.
    reference : float
        Median flux in nJy of the reference source under the detections; NaN where there is none.
    """

    forced: Points
    limit_t: Floats
    limit: Floats
    reference: float

    @property
    def measured(self) -> Points:
        """Detections and forced points together."""
        if not len(self.forced.t):
            return self
        order = np.argsort(np.concatenate([self.t, self.forced.t]), kind="stable")
        return Points(*(np.concatenate([getattr(p, f.name) for p in (self, self.forced)])[order] for f in fields(Points)))


@dataclass(frozen=True, slots=True, eq=False)
class LightCurve:
    """Light curve of one object in both families; `corrected` says whether magnitudes are of the total flux.

    `position` is the mean direction of the detections, a unit vector in ICRS, and `reliability` their median; NaN where none is given.
    """

    g: Series
    r: Series
    corrected: bool
    surveys: tuple[str, ...]
    position: tuple[float, float, float]
    reliability: float

    @property
    def series(self) -> tuple[Series, Series]:
        """Both series in the order of `FAMILIES`."""
        return self.g, self.r

    @property
    def n_detections(self) -> int:
        """Number of detections in both families."""
        return len(self.g.t) + len(self.r.t)


def family(survey: str, band: str) -> str:
    """Band family of a survey's band, from its wavelength: one of `FAMILIES`, or '' for a band of none."""
    for one in surveys.about(survey).bands:
        if one.name == band and not one.line:
            return next((name for name, (low, high) in WINDOWS.items() if low <= one.wavelength <= high), "")
    return ""


def light_curve(rows: Detections) -> LightCurve:
    """Light curve from the rows of one object (`broker_adapters.records.DETECTION`, in any order, duplicates allowed)."""
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    keys = list(zip(rows["survey"].tolist(), rows["band"].tolist(), strict=True))
    by_key = {key: family(*key) for key in set(keys)}
    families = np.array([by_key[key] for key in keys], "U1")
    detected = detected_reliably(rows)
    noise = ~detected & (rows["kind"] != Kind.ALERT) & (rows["flux_err"] > 0) & np.isfinite(rows["flux_err"]) & np.isfinite(rows["mjd"])
    weak = noise & (rows["kind"] == Kind.FORCED) & np.isfinite(rows["flux"])
    found = rows[detected & (families != "")]
    names = tuple(sorted(set(found["survey"].tolist())))
    totals = surveys_in_totals(found, [name for name in names if surveys.about(name).catalogued])
    g, r = (
        _series(
            one_per_exposure(rows[detected & own]),
            _untwinned(rows, detected & own, weak & own),
            one_per_exposure(rows[noise & own]),
            totals,
        )
        for own in (families == f for f in FAMILIES)
    )
    reliable = found["reliability"][np.isfinite(found["reliability"])]
    position = mean_direction(found["ra"], found["dec"])
    return LightCurve(g, r, bool(totals), names, position, float(np.median(reliable)) if len(reliable) else math.nan)


def _untwinned(rows: Detections, detected: NDArray[np.bool_], weak: NDArray[np.bool_]) -> Detections:
    """Weak rows without a detection in the same exposure."""
    if not weak.any():
        return rows[:0]
    kept = one_per_exposure(rows[detected | weak])
    untwinned: Detections = kept[(kept["kind"] == Kind.FORCED) & ~detected_reliably(kept)]
    return untwinned


def _series(found: Detections, weak: Detections, limits: Detections, totals: tuple[str, ...]) -> Series:
    total = _total(found, totals)
    shifts = _common_zero(found["survey"], photometry.magnitude_from_flux(total)) if len(totals) > 1 else {}
    limit_t, limit = (np.ascontiguousarray(a, dtype=np.float64) for a in (limits["mjd"], DETECTED * limits["flux_err"]))
    known = found["ref_flux"][np.isfinite(found["ref_flux"])]
    reference = float(np.median(known)) if totals and known.size else np.nan
    forced = Points(*_points(weak, _total(weak, totals), shifts)) if len(weak) else NONE
    return Series(*_points(found, total, shifts), forced, limit_t, limit, reference)


def _total(rows: Detections, totals: tuple[str, ...]) -> Floats:
    """Flux in nJy that magnitudes are computed from."""
    total: Floats = total_flux(rows) if totals else np.abs(rows["flux"])
    if totals:
        total[[survey not in totals for survey in rows["survey"].tolist()]] = np.nan
    return total


def _points(rows: Detections, total: Floats, shifts: dict[str, float]) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Columns of `Points`."""
    mag, mag_err = photometry.magnitude_from_flux(total), photometry.magnitude_error(total, rows["flux_err"])
    if shifts:
        mag = mag + np.array([shifts.get(survey, 0.0) for survey in rows["survey"].tolist()])
    columns: tuple[Any, ...] = (rows["mjd"], rows["flux"], rows["flux_err"], mag, mag_err)
    t, flux, flux_err, m, m_err = (np.ascontiguousarray(a, dtype=np.float64) for a in columns)
    return t, flux, flux_err, m, m_err


def _common_zero(survey: NDArray[np.str_], mag: Floats) -> dict[str, float]:
    """Magnitude shift of each survey, so that all have the median total magnitude of the survey with most points.

    The surveys' bands and references differ by more than their errors; the difference fluxes are left as they are.
    """
    finite = np.isfinite(mag)
    names, counts = np.unique(survey[finite], return_counts=True)
    if len(names) < 2:
        return {}
    medians = {name: float(np.median(mag[finite & (survey == name)])) for name in names.tolist()}
    main = medians[str(names[np.argmax(counts)])]
    return {name: main - middle for name, middle in medians.items()}
