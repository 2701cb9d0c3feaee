"""What every feature is computed from: the g-like and the r-like light curve of one merged object.

Band families (docs/model-cards/lightcurve.md): ZTF g, LSST g and ATLAS c (420-650 nm) are ``g``; ZTF r, LSST r and ATLAS o (560-820 nm)
are ``r``. What matters is that the same rows give the same series whichever way they came:

- a detection is an alert, or a forced measurement of at least `DETECTED` sigma that is not the forced twin of an alert;
- a forced measurement below that is a limit of `DETECTED` sigma, as a survey's own upper limits are;
- alerts with a reliability below `RELIABLE` are dropped, as ALeRCE does;
- of rows at one time in one band of one survey the first is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters import photometry
from broker_adapters.records import Detections, Kind

from ._arrays import Floats

#: (survey, band) -> band family.
FAMILY = {("ztf", "g"): "g", ("ztf", "r"): "r", ("lsst", "g"): "g", ("lsst", "r"): "r", ("atlas", "c"): "g", ("atlas", "o"): "r"}

#: The families in the order in which features come.
FAMILIES = ("g", "r")

#: A forced measurement of this many sigma is a detection; limits are given at this many sigma too (ZTF's alerts: 5).
DETECTED = 5.0

#: Real-bogus score below which ALeRCE drops a detection (Sanchez-Saez et al. 2021, sec. 2.2).
RELIABLE = 0.55

#: Rows of one survey and band closer in time than this, in days (1 s), are one exposure.
SAME_EXPOSURE = 1 / 86400


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One band family; every array is float64 and in time order.

    Attributes
    ----------
    t, flux, flux_err : shape (n,)
        Detections: MJD, signed difference flux and its error in nJy.
    mag, mag_err : shape (n,)
        ALeRCE's "magnitude": of the total flux where the object lies on a reference source, else of the absolute difference flux; NaN
        where the total flux is not positive.
    limit_t, limit : shape (m,)
        Limits: MJD, and the flux in nJy of `DETECTED` sigma.
    reference : float
        Median flux in nJy of the reference source under the detections; NaN where there is none.
    """

    t: Floats
    flux: Floats
    flux_err: Floats
    mag: Floats
    mag_err: Floats
    limit_t: Floats
    limit: Floats
    reference: float


@dataclass(frozen=True, slots=True, eq=False)
class LightCurve:
    """Both families of one object; `corrected` says whether magnitudes are of the total flux."""

    g: Series
    r: Series
    corrected: bool
    surveys: tuple[str, ...]

    @property
    def series(self) -> tuple[Series, Series]:
        """The families in the order of `FAMILIES`."""
        return self.g, self.r

    @property
    def n_detections(self) -> int:
        """Detections in both families."""
        return len(self.g.t) + len(self.r.t)


def light_curve(rows: Detections) -> LightCurve:
    """The series of one object's rows of `broker_adapters.records.DETECTION` (any order, duplicates allowed)."""
    rows = rows[np.lexsort((rows["kind"], rows["mjd"]))]
    family = np.array([FAMILY.get(key, "") for key in zip(rows["survey"].tolist(), rows["band"].tolist(), strict=True)], "U1")
    detected = _detected(rows)
    limits = (rows["kind"] != Kind.ALERT) & ~detected & (rows["flux_err"] > 0) & np.isfinite(rows["flux_err"])
    on_reference = np.isfinite(rows["ref_flux"][detected & (family != "")])
    corrected = bool(on_reference.size) and bool(on_reference.mean() > 0.5)
    pair = [_series(rows, detected & (family == f), limits & (family == f), corrected) for f in FAMILIES]
    surveys = np.unique(rows["survey"][detected & (family != "")]).tolist()
    return LightCurve(pair[0], pair[1], corrected, tuple(surveys))


def _detected(rows: Detections) -> NDArray[np.bool_]:
    """Which rows are detections."""
    with np.errstate(invalid="ignore", divide="ignore"):
        significant = np.abs(rows["flux"]) >= DETECTED * rows["flux_err"]
    alert = (rows["kind"] == Kind.ALERT) & ~(rows["reliability"] < RELIABLE)
    forced = (rows["kind"] == Kind.FORCED) & significant
    usable = np.isfinite(rows["flux"]) & (rows["flux"] != 0) & np.isfinite(rows["flux_err"]) & (rows["flux_err"] >= 0)
    found: NDArray[np.bool_] = (alert | forced) & usable
    return found


def _series(rows: Detections, detected: NDArray[np.bool_], limits: NDArray[np.bool_], corrected: bool) -> Series:
    found, upper = _first_of_exposure(rows[detected]), rows[limits]
    total = found["flux"] + found["ref_flux"] if corrected else np.abs(found["flux"])
    mag, mag_err = photometry.magnitude_from_flux(total), photometry.magnitude_error(total, found["flux_err"])
    if corrected:
        mag = _common_zero(found["survey"], mag)
    columns: tuple[Any, ...] = (found["mjd"], found["flux"], found["flux_err"], mag, mag_err, upper["mjd"], DETECTED * upper["flux_err"])
    t, flux, flux_err, m, m_err, limit_t, limit = (np.ascontiguousarray(a, dtype=np.float64) for a in columns)
    known = found["ref_flux"][np.isfinite(found["ref_flux"])]
    reference = float(np.median(known)) if corrected and known.size else np.nan
    return Series(t, flux, flux_err, m, m_err, limit_t, limit, reference)


def _first_of_exposure(rows: Detections) -> Detections:
    """Rows without repeats of an exposure (alert before forced, since rows are sorted so at equal times)."""
    keep = np.ones(len(rows), bool)
    for survey in np.unique(rows["survey"]):
        which = np.flatnonzero(rows["survey"] == survey)
        keep[which[1:]] = np.diff(rows["mjd"][which]) > SAME_EXPOSURE
    kept: Detections = rows[keep]
    return kept


def _common_zero(survey: NDArray[np.str_], mag: Floats) -> Floats:
    """Total magnitudes with every survey's median moved to that of the survey with most points.

    The surveys' bands and references differ by more than their errors; the difference fluxes are left as they are.
    """
    names, counts = np.unique(survey, return_counts=True)
    if len(names) < 2:
        return mag
    medians = {name: np.nanmedian(mag[survey == name]) if np.isfinite(mag[survey == name]).any() else np.nan for name in names}
    main = names[np.argmax(counts)]
    shift = np.nan_to_num(np.array([medians[main] - medians[name] for name in survey.tolist()]))
    moved: Floats = mag + shift
    return moved
