"""Splits a light curve into series of points that are drawn alike, in flux or magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters import surveys
from broker_adapters.correction import correct
from broker_adapters.photometry import NJY_PER_UJY, limit_from_flux_error, magnitude_error, magnitude_from_flux
from broker_adapters.records import Detections, Kind
from broker_adapters.significance import DETECTED, insignificant, points
from tom_alerce.store.photometry import bandpass

#: Quantity of the vertical axis -> its title.
QUANTITIES = {"flux": "Difference flux (µJy)", "difference": "Difference magnitude (AB)", "total": "Total magnitude (AB)"}


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one survey and band that look alike: ``style`` is 'detection', 'forced' or 'limit'; arrays of shape (n,)."""

    survey: str
    band: str
    style: str
    rows: Detections
    values: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Name of the band as the target's photometry has it, such as 'ZTF-r'."""
        return bandpass(self.survey, self.band)

    @property
    def symbol(self) -> str:
        """Mark of the survey's points, one of `broker_adapters.records.SYMBOLS`."""
        return surveys.about(self.survey).symbol


def series(rows: Detections, quantity: str, star: bool = False) -> list[Series]:
    """Split a light curve in one of `QUANTITIES` into series by survey, band and style.

    Of several measurements of one kind in one exposure one is shown. Magnitudes need a positive flux: points below the reference are left
    out of ``difference`` and shown in ``flux`` and ``total``. Forced fluxes below three sigma, and alerts below two, are limits in
    ``difference``. Limits are those of a difference, so that ``total`` has none. The errors of total magnitudes are those of a point source
    where there is a ``star`` under the object (`broker_adapters.correction`).
    """
    rows = points(rows)
    with np.errstate(over="ignore"):  # the magnitude error of a flux near zero
        values, errors, style = _quantity(rows, quantity, star)
    split = []
    for survey, band in sorted({(str(r["survey"]), str(r["band"])) for r in rows}):
        for name in ("limit", "forced", "detection"):
            chosen = (rows["survey"] == survey) & (rows["band"] == band) & (style == name) & np.isfinite(values)
            if chosen.any():
                split.append(Series(survey, band, name, rows[chosen], values[chosen], errors[chosen]))
    return split


def _quantity(rows: Detections, quantity: str, star: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    limit, forced = rows["kind"] == Kind.LIMIT, rows["kind"] == Kind.FORCED
    flux, error = rows["flux"], rows["flux_err"]
    style = np.where(limit, "limit", np.where(forced, "forced", "detection"))
    if quantity == "flux":
        return np.where(limit, DETECTED * error, flux) / NJY_PER_UJY, np.where(limit, np.nan, error) / NJY_PER_UJY, style
    if quantity == "total":
        correction = correct(rows)
        return correction.magnitude, correction.error if star else correction.error_extended, style
    faint = insignificant(rows)
    shallow = limit | faint
    values = np.where(shallow, limit_from_flux_error(error, DETECTED), magnitude_from_flux(flux))
    return values, np.where(shallow, np.nan, magnitude_error(flux, error)), np.where(faint, "limit", style)
