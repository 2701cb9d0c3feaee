"""How bright a candidate is now, and where it is going: what the terms and the exposure times are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from broker_adapters.records import Detections
from broker_adapters.significance import MEASURED, alerts, detected, one_per_exposure, seen_by_totals, total_flux

#: The trend is fitted over so many days before the latest point, needs at least this baseline, and is trusted so far ahead.
WINDOW, BASELINE, AHEAD = 10.0, 0.8, 3.0
#: Steeper trends than this (mag/d) are not extrapolated: they are periods or outliers, not rises.
STEEPEST = 1.0
#: Calibration floor of a magnitude, added in quadrature.
_FLOOR = 0.02
#: nJy (46 mag): what is fainter is rounding.
_FAINTEST = 1e-6


@dataclass(frozen=True, slots=True)
class Trend:
    """State of one light curve at a moment.

    Attributes
    ----------
    band : str
        Of the latest detection, which the magnitudes are of.
    latest : float
        AB magnitude of the latest detection: of the difference flux, or of the total if it has been seen below its reference; NaN when
        that is not known.
    now : float
        The same, carried on to the moment asked for along the trend, at most `AHEAD` days; equal to ``latest`` without a trend.
    slope, slope_err : float
        Magnitudes per day, negative when it brightens; NaN without two points `BASELINE` days apart.
    first, last : float
        MJD of the first detection, and of the latest of which the magnitude is known, if there is one.
    survey : str
        That of ``latest``.
    error : float
        Of ``latest``, magnitudes, calibration floor included.
    total : bool
        The magnitudes are of the total flux.
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
        """For an observer: ``r = 18.4 now, rising 0.15 mag/d``."""
        shown = self.now if np.isfinite(self.slope) else self.latest
        text = f"{self.band} = {shown:.1f}"
        if not np.isfinite(self.slope):
            return text
        if abs(self.slope) < 2.0 * self.slope_err or abs(self.slope) < 0.01:
            return f"{text} now, steady"
        return f"{text} now, {'rising' if self.slope < 0 else 'fading'} {abs(self.slope):.2f} mag/d"


def seen(detections: Detections) -> Detections:
    """The detections of one object (`broker_adapters.significance.detected`), each exposure once, shape (m,)."""
    rows: Detections = detections[detected(detections)]
    return rows if alerts(rows).all() else one_per_exposure(rows)


def trend(detections: Detections, now: float) -> Trend | None:
    """State of a light curve at ``now`` (MJD, UTC), from what was measured until then; None when nothing was detected."""
    rows = seen(detections[detections["mjd"] <= now])
    if not len(rows):
        return None
    first = float(rows["mjd"].min())
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
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
    """Slope, its error and the value at t = 0 of the weighted straight line; NaN where it says nothing."""
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
