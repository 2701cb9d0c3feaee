"""What the feature families share about one object: computed once, before any of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import period as period_search
from . import supernova
from ._arrays import Floats
from .period import Period
from .series import LightCurve, Series

#: Errors that are believed, in magnitudes: zero would weigh infinitely, and ALeRCE keeps no detection with one magnitude.
ERRORS = (1e-4, 1.0)

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
    return Context(curve, bands, period_search.search(bands), fit, fitted)
