"""Brightness of a candidate now and its trend, which terms and exposure times are computed from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from broker_adapters.records import Detections
from broker_adapters.significance import MEASURED, detected, one_per_exposure, seen_by_totals, total_flux

#: Days: the trend is fitted over the last `WINDOW`, needs a baseline of at least `BASELINE`, and is extrapolated by at most `AHEAD`.
WINDOW, BASELINE, AHEAD = 10.0, 0.8, 3.0
#: Steeper trends (mag/d) are not extrapolated: they come from short periods or outliers.
STEEPEST = 1.0
#: Calibration floor of a magnitude, added in quadrature.
_FLOOR = 0.02
#: nJy (46 mag): smaller fluxes are rounding errors.
_FAINTEST = 1e-6


@dataclass(frozen=True, slots=True)
class Trend:
    """State of one light curve at a moment.

    Attributes
    ----------
    band : str
        Band of the latest detection and of the magnitudes.
    latest : float
        AB magnitude of the latest detection, of the difference flux or of the total (`seen_by_totals`); NaN where it is not known.
    now : float
        Magnitude at the moment asked for, along the trend from the latest detection; equal to ``latest`` without a trend.
    slope, slope_err : float
        Magnitudes per day, negative when it brightens; NaN without two points `BASELINE` days apart.
    first, last : float
        MJD of the first detection, and of the latest with a known magnitude (the latest of all where none is known).
    survey : str
        Survey of ``latest``.
    error : float
        Error of ``latest`` in magnitudes, calibration floor included.
    total : bool
        Whether the magnitudes are of the total flux.
    """

    band: str
    latest: float
    now: float
    slope: float
    slope_err: float
    first: float
    last: float
    survey: str
    error: float
    total: bool

    def __str__(self) -> str:
        """Text for an observer: ``r = 18.4 now, rising 0.15 mag/d``."""
        shown = self.now if np.isfinite(self.slope) else self.latest
        text = f"{self.band} = {shown:.1f}"
        if not np.isfinite(self.slope):
            return text
        if abs(self.slope) < 2.0 * self.slope_err or abs(self.slope) < 0.01:
            return f"{text} now, steady"
        return f"{text} now, {'rising' if self.slope < 0 else 'fading'} {abs(self.slope):.2f} mag/d"


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What the detections of one object say at a moment; `Candidate.history` keeps it, so that a ranking works it out once.

    Attributes
    ----------
    times : ndarray, shape (k,)
        MJD of its detections until then, each exposure once, in time order; k > 0.
    surveys : tuple of str
        The surveys that detected it, sorted.
    first_band, first_flux : str, float
        Band and difference flux (nJy) of the first detection.
    trend : Trend
    """

    times: NDArray[np.float64] = field(repr=False)
    surveys: tuple[str, ...]
    first_band: str
    first_flux: float
    trend: Trend


def detections_until(detections: Detections, now: float) -> Detections:
    """The detections of one object until ``now`` (`broker_adapters.significance.detected`), each exposure once, in time order."""
    rows = detections[detections["mjd"] <= now]
    rows = rows[detected(rows)]
    return one_per_exposure(rows)


def history(detections: Detections, now: float) -> History | None:
    """Detections and trend of a light curve at ``now`` (MJD, UTC), from what was measured until then; None without a detection."""
    rows = detections_until(detections, now)
    if not len(rows):
        return None
    times = np.ascontiguousarray(rows["mjd"])
    times.setflags(write=False)
    surveys = tuple(sorted(set(rows["survey"].tolist())))
    return History(times, surveys, str(rows["band"][0]), float(rows["flux"][0]), _trend(rows, now))


def trend(detections: Detections, now: float) -> Trend | None:
    """State of a light curve at ``now`` (MJD, UTC), from what was measured until then; None without a detection."""
    rows = detections_until(detections, now)
    return _trend(rows, now) if len(rows) else None


def _trend(rows: Detections, now: float) -> Trend:
    """State of a light curve of at least one detection, in time order."""
    first = float(rows["mjd"][0])
    mags, errors, total = _magnitudes(rows)
    if (known := np.isfinite(mags)).any():
        rows, mags, errors = rows[known], mags[known], errors[known]
    band, last, latest = str(rows["band"][-1]), float(rows["mjd"][-1]), float(mags[-1])
    recent = (rows["band"] == band) & (rows["mjd"] >= last - WINDOW) & np.isfinite(mags)
    slope, slope_err, fitted = _line(rows["mjd"][recent] - last, mags[recent], errors[recent])
    if np.isfinite(slope) and np.isfinite(latest):
        ahead = fitted + slope * min(now - last, AHEAD)
    else:
        slope, slope_err, ahead = np.nan, np.nan, latest
    survey, error = str(rows["survey"][-1]), float(errors[-1])
    return Trend(band, latest, ahead, slope, slope_err, first, last, survey, error, total)


def _magnitudes(rows: Detections) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """AB magnitudes and errors, shape (n,), and whether they are of the total flux (`seen_by_totals`), never of both.

    A change from the one to the other would look like a rise. A flux below `MEASURED` sigma has no magnitude.
    """
    totals = seen_by_totals(rows)
    flux = total_flux(rows) if totals else rows["flux"]
    noise = np.nan_to_num(MEASURED * rows["flux_err"])
    flux = np.where((flux > _FAINTEST) & (flux >= noise), flux, np.nan)
    errors = np.nan_to_num(magnitude_error(flux, np.where(np.isfinite(rows["flux_err"]), rows["flux_err"], np.nan)))
    return magnitude_from_flux(flux), np.hypot(errors, _FLOOR), totals


def _line(t: NDArray[np.float64], mags: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope, its error and the value at t = 0 of the weighted straight line; NaN for few points, a short baseline or a steep slope."""
    nothing = (float("nan"),) * 3
    if len(t) < 2 or np.ptp(t) < BASELINE:
        return nothing
    weights = 1.0 / errors**2
    mean_t, mean_m = np.average(t, weights=weights), np.average(mags, weights=weights)
    spread = float(np.sum(weights * (t - mean_t) ** 2))
    slope = float(np.sum(weights * (t - mean_t) * (mags - mean_m)) / spread)
    if abs(slope) > STEEPEST:
        return nothing
    return slope, spread**-0.5, float(mean_m - slope * mean_t)
