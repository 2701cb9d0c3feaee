"""What one light curve says at a moment: its detections, its brightness and the trend of that."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


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
