"""What the feature families share about one object: computed once, before any of them.

The period search, half of the time, is left out (and its features are NaN) where a first look excludes a period: an object without a
reference source that has never been fainter than its reference, and that the model of one supernova describes to `EXPLODED`. Of 3,056
real transients with enough points for a search these are 71 %, of 298 periodic stars none, and no object of 5,069 changes its class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifiers.models.lightcurve import period as period_search
from classifiers.models.lightcurve import supernova
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.period import Period
from classifiers.models.lightcurve.series import LightCurve, Series

#: Errors that are believed, in magnitudes: zero would weigh infinitely, and ALeRCE keeps no detection with one magnitude.
ERRORS = (1e-4, 1.0)

#: Posterior loss per detection of the supernova fit below which nothing is left for a period to explain.
EXPLODED = 2.0

#: Days from the brightest point at which the fitted supernova model is read off, and their distance.
STEP = 0.5
GRID = np.arange(-60.0, 200.0, STEP)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """One object.

    Attributes
    ----------
    curve : LightCurve
    bands : tuple of (t, m, e)
        Times, ALeRCE's magnitudes and errors of each family's usable points, arrays of shape (n,).
    period : Period
    fit : supernova.Fit or None
    fitted : shape (2, len(GRID))
        Its flux in nJy in each family; NaN without a fit.
    """

    curve: LightCurve
    bands: tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats]]
    period: Period
    fit: supernova.Fit | None
    fitted: Floats

    @property
    def named_bands(self) -> tuple[tuple[str, tuple[Floats, Floats, Floats]], ...]:
        """(suffix of the names, band) pairs."""
        return ("_g", self.bands[0]), ("_r", self.bands[1])

    @property
    def named_series(self) -> tuple[tuple[str, Series], ...]:
        """(suffix of the names, series) pairs."""
        return ("_g", self.curve.g), ("_r", self.curve.r)


def usable(series: Series) -> tuple[Floats, Floats, Floats]:
    """Times, magnitudes and errors of the points that ALeRCE would keep, each of shape (n,)."""
    keep = np.isfinite(series.mag) & (series.mag_err < ERRORS[1])
    return series.t[keep], series.mag[keep], np.maximum(series.mag_err[keep], ERRORS[0])


def context(curve: LightCurve) -> Context:
    """The context of one light curve."""
    bands = (usable(curve.g), usable(curve.r))
    fit = supernova.fit(curve)
    fitted = np.full((2, len(GRID)), np.nan) if fit is None else np.stack([fit.flux(fit.zero + GRID, k) for k in (0, 1)])
    period = Period() if _exploded(curve, fit) else period_search.search(bands)
    return Context(curve, bands, period, fit, fitted)


def _exploded(curve: LightCurve, fit: supernova.Fit | None) -> bool:
    """Whether the light curve is one explosion: see above."""
    return fit is not None and fit.chi2 < EXPLODED and not curve.corrected and all((s.flux > 0).all() for s in curve.series)
