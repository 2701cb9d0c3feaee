"""Forecast of a supernova for the coming nights, with uncertainties, from the fit of `supernova`; it takes a few milliseconds.

The posterior of the fit is taken as Gaussian in its transformed parameters; `DRAWS` curves drawn from it give the quantiles. `SPREAD` makes
the 68 % intervals, with the errors of the points, hold 70 % of the later detections of 400 real supernovae, cut 10, 20 and 40 days after
the first detection, in the seven days that followed (71, 71 and 67 %).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from broker_adapters.kernels import compiled
from broker_adapters.photometry import magnitude_from_flux
from classifiers.models.lightcurve import supernova
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.series import FAMILIES, LightCurve

#: Number of curves drawn, and factor on the standard deviations of the posterior.
DRAWS, SPREAD = 200, 0.75

#: Days after the brightest point within which a peak is searched, step in days, and steps between the points of the coarse search.
HORIZON, STEP, COARSE = 80.0, 0.5, 8

#: Quantiles: 68 % interval and median.
QUANTILES = (0.16, 0.5, 0.84)


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Quantiles (16, 50, 84 %) in the order of the last axis; families in the order of `series.FAMILIES`.

    Attributes
    ----------
    peak_mjd : shape (2, 3)
    peak_mag : shape (2, 3)
        AB magnitude of the difference flux at peak.
    flux : shape (2, n, 3)
        Difference flux in nJy at the n requested times.
    """

    mjd: Floats
    peak_mjd: Floats
    peak_mag: Floats
    flux: Floats

    @property
    def mag(self) -> Floats:
        """AB magnitudes, shape (2, n, 3), quantiles ascending; NaN where the flux may be zero."""
        return magnitude_from_flux(self.flux[..., ::-1])

    def as_dict(self, of: Collection[str] = FAMILIES) -> dict[str, Any]:
        """Dictionary for JSON: ``mjd`` (n), and by band family ``flux`` (n, 3) in nJy, ``peak_mjd`` (3) and ``peak_mag`` (3)."""
        families = {
            family: {
                "flux": self.flux[k].round(1).tolist(),
                "peak_mjd": self.peak_mjd[k].round(2).tolist(),
                "peak_mag": self.peak_mag[k].round(3).tolist(),
            }
            for k, family in enumerate(FAMILIES)
            if family in of
        }
        return {"mjd": self.mjd.round(4).tolist(), "families": families}


def forecast(curve: LightCurve, mjd: ArrayLike, seed: int = 0) -> Forecast | None:
    """Forecast of a light curve at n times; None where nothing can be fitted."""
    fit = supernova.fit(curve)
    return of_fit(fit, mjd, seed) if fit else None


def of_fit(fit: supernova.Fit, mjd: ArrayLike, seed: int = 0) -> Forecast:
    """Forecast at n times from a fit."""
    times = np.atleast_1d(np.asarray(mjd, float))
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(fit.covariance * SPREAD**2 + 1e-12 * np.eye(len(fit.parameters)))
    draws = fit.parameters + rng.normal(size=(DRAWS, len(fit.parameters))) @ root.T
    peak_t, peak_f, flux = (
        np.stack(both) for both in zip(*(_sampled(draws, k, times - fit.zero) for k in range(len(FAMILIES))), strict=True)
    )
    peak_t, peak_f, flux = fit.zero + peak_t, fit.scale * peak_f, fit.scale * flux
    floor = np.hypot(supernova.ERROR_OF_FLUX * flux, supernova.ERROR_OF_PEAK * fit.scale)
    flux = flux + rng.normal(size=flux.shape) * floor

    def quantiles(x: Floats) -> Floats:
        found: Floats = np.moveaxis(np.quantile(x, QUANTILES, axis=1), 0, -1)
        return found

    return Forecast(times, quantiles(peak_t), quantiles(magnitude_from_flux(np.maximum(peak_f, 1e-3))), quantiles(flux))


@compiled()
def _sampled(draws: Floats, family: int, times: Floats) -> tuple[Floats, Floats, Floats]:
    """Time (n,) and flux (n,) of the peak, and flux (n, m) at m times, of n sampled parameters, in the units of `supernova.model`.

    The model rises and falls once: the peak is near the highest of a few points.
    """
    peak_t, peak_f, flux = np.empty(len(draws)), np.empty(len(draws)), np.empty((len(draws), len(times)))
    coarse = np.arange(-supernova.LIMITS_BEFORE, HORIZON, COARSE * STEP)
    near = STEP * np.arange(-COARSE, COARSE + 1)
    for i in range(len(draws)):
        q = supernova.band_parameters(draws[i], family)
        close = coarse[np.argmax(supernova.model(q, coarse))] + near
        found = supernova.model(q, close)
        best = np.argmax(found)
        peak_t[i], peak_f[i], flux[i] = close[best], found[best], supernova.model(q, times)
    return peak_t, peak_f, flux
