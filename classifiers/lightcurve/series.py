"""What every feature is computed from: the g-like and the r-like light curve of one merged object.

Band families (docs/model-cards/lightcurve.md): ZTF g, LSST g and ATLAS c (420-650 nm) are ``g``; ZTF r, LSST r and ATLAS o (560-820 nm)
are ``r``. What matters is that the same rows give the same series whichever way they came:

- a detection is an alert, or a forced measurement of at least `DETECTED` sigma that is not the forced twin of an alert;
- a forced measurement below that is a limit of `DETECTED` sigma, as a survey's own upper limits are;
- alerts with a reliability below `RELIABLE` are dropped, as ALeRCE does;
- of rows of one exposure one is kept, alerts before forced measurements (`broker_adapters.exposures`);
- magnitudes are total or of the difference, never both in one object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters import photometry
from broker_adapters.exposures import once
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

#: Surveys whose reference flux is that of a catalogued source, so that none given means none there. Rubin gives the flux of its template
#: under every source, ATLAS gives nothing.
CATALOGUED = ("ztf",)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One band family; every array is float64 and in time order.

    Attributes
    ----------
    t, flux, flux_err : shape (n,)
        Detections: MJD, signed difference flux and its error in nJy.
    mag, mag_err : shape (n,)
        ALeRCE's "magnitude": of the total flux where the object lies on a reference source, else of the absolute difference flux; NaN
        where the total flux is not positive, or not known of a survey beside others of which it is.
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
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    family = np.array([FAMILY.get(key, "") for key in zip(rows["survey"].tolist(), rows["band"].tolist(), strict=True)], "U1")
    detected = _detected(rows)
    limits = (rows["kind"] != Kind.ALERT) & ~detected & (rows["flux_err"] > 0) & np.isfinite(rows["flux_err"]) & np.isfinite(rows["mjd"])
    found = rows[detected & (family != "")]
    surveys = tuple(sorted(set(found["survey"].tolist())))
    totals = _on_reference(found, surveys)
    g, r = (_series(once(rows[detected & own]), rows[limits & own], totals) for own in (family == f for f in FAMILIES))
    return LightCurve(g, r, bool(totals), surveys)


def _on_reference(found: Detections, surveys: tuple[str, ...]) -> tuple[str, ...]:
    """The surveys whose magnitudes are of the total flux; without any, all magnitudes are of the difference.

    A catalogue of reference sources that has none here says that nothing lay there: then no magnitude is a total. A template's flux, be
    it of a star or of the host of a supernova, counts only for an object that has been seen below its reference, and speaks against totals
    otherwise. A survey without either cannot say, and has no magnitudes beside those that can.
    """
    below = bool(((found["flux"] < 0) & (found["kind"] == Kind.ALERT)).any())
    known = {s: bool(np.isfinite(found["ref_flux"][found["survey"] == s]).mean() > 0.5) for s in surveys}
    totals = tuple(s for s in surveys if known[s] and (below or s in CATALOGUED))
    silent = tuple(s for s in surveys if not known[s] and s not in CATALOGUED)
    return totals if len(totals) + len(silent) == len(surveys) else ()


def _detected(rows: Detections) -> NDArray[np.bool_]:
    """Which rows are detections."""
    with np.errstate(invalid="ignore", divide="ignore"):
        significant = np.abs(rows["flux"]) >= DETECTED * rows["flux_err"]
    alert = (rows["kind"] == Kind.ALERT) & ~(rows["reliability"] < RELIABLE)
    forced = (rows["kind"] == Kind.FORCED) & significant
    usable = (
        np.isfinite(rows["mjd"]) & np.isfinite(rows["flux"]) & (rows["flux"] != 0) & np.isfinite(rows["flux_err"]) & (rows["flux_err"] >= 0)
    )
    found: NDArray[np.bool_] = (alert | forced) & usable
    return found


def _series(found: Detections, limits: Detections, totals: tuple[str, ...]) -> Series:
    total = found["flux"] + found["ref_flux"] if totals else np.abs(found["flux"])
    if totals:
        total[[survey not in totals for survey in found["survey"].tolist()]] = np.nan
    mag, mag_err = photometry.magnitude_from_flux(total), photometry.magnitude_error(total, found["flux_err"])
    if len(totals) > 1:
        mag = _common_zero(found["survey"], mag)
    columns: tuple[Any, ...] = (found["mjd"], found["flux"], found["flux_err"], mag, mag_err, limits["mjd"], DETECTED * limits["flux_err"])
    t, flux, flux_err, m, m_err, limit_t, limit = (np.ascontiguousarray(a, dtype=np.float64) for a in columns)
    known = found["ref_flux"][np.isfinite(found["ref_flux"])]
    reference = float(np.median(known)) if totals and known.size else np.nan
    return Series(t, flux, flux_err, m, m_err, limit_t, limit, reference)


def _common_zero(survey: NDArray[np.str_], mag: Floats) -> Floats:
    """Total magnitudes with every survey's median moved to that of the survey with most of them.

    The surveys' bands and references differ by more than their errors; the difference fluxes are left as they are.
    """
    finite = np.isfinite(mag)
    names, counts = np.unique(survey[finite], return_counts=True)
    if len(names) < 2:
        return mag
    medians = {name: np.median(mag[finite & (survey == name)]) for name in names.tolist()}
    main = medians[str(names[np.argmax(counts)])]
    moved: Floats = mag + np.array([main - medians.get(name, main) for name in survey.tolist()])
    return moved
