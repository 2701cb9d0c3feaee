"""The older fit (`classifiers.models.lightcurve.forecast`) asked the same questions as the posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Detections
from classifiers.models.lightcurve import forecast
from classifiers.models.lightcurve.series import light_curve
from classifiers.posterior.points import Floats
from classifiers.posterior.records import AHEAD, FAMILIES, Outlooks


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What is said of n objects: quantiles (16, 50, 84 %) of the MJD of the peak in g and in r, (n, 2, 3), and of fluxes in nJy.

    Fluxes, of shape (n, 2, 3, 31), ascend and are at `mjd` (n,) + `AHEAD`. NaN where nothing is said.
    """

    mjd: Floats
    peak: Floats
    flux: Floats


def of_fit(rows: list[Detections], now: Floats) -> Answers:
    """Answers of the older fit to what n objects had at these moments (MJD)."""
    peak, flux = np.full((len(rows), 2, 3), np.nan), np.full((len(rows), 2, 3, len(AHEAD)), np.nan)
    for i, (one, moment) in enumerate(zip(rows, now, strict=True)):
        found = forecast.forecast(light_curve(one[one["mjd"] <= moment]), moment + AHEAD)
        if found is not None:
            peak[i], flux[i] = found.peak_mjd, np.moveaxis(found.flux, 1, 2)
    return Answers(now, peak, flux)


def of_outlooks(found: Outlooks) -> Answers:
    """Answers of outlooks."""
    magnitude = np.stack([found.magnitude[:, k, ::-1] for k in range(len(FAMILIES))], axis=1)
    return Answers(found.mjd, np.repeat(found.peak()[:, None], 2, axis=1), flux_from_magnitude(magnitude))
