"""Every zero point of the project: magnitudes, counts and limits to nJy. Time shifts are in `broker_adapters.times`.

Functions take and return arrays of any shape (or scalars). Fluxes are nJy; magnitudes are AB. What cannot be expressed is NaN:
a magnitude of a flux that is not positive, a flux of a magnitude that is not finite.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: AB magnitude of 1 nJy, as Rubin defines it (DMTN-099, rounded from 31.4001): 8.90 for 1 Jy.
NJY_ZERO_POINT = 31.4
NJY_PER_UJY = 1000.0
#: d(mag)/d(ln flux): the error of a magnitude is this times the relative error of the flux.
POGSON = 2.5 / np.log(10.0)


def flux_from_magnitude(magnitude: ArrayLike, sign: ArrayLike = 1) -> Floats:
    """Flux in nJy of an AB magnitude, times ``sign`` (±1: surveys report the magnitude of the absolute difference)."""
    return flux_from_counts(sign, magnitude)


def flux_from_counts(counts: ArrayLike, zero_point: ArrayLike) -> Floats:
    """Flux in nJy of counts whose unit has the AB magnitude ``zero_point``."""
    flux: Floats = np.asarray(counts, float) * 10.0 ** (0.4 * (NJY_ZERO_POINT - np.asarray(zero_point, float)))
    return flux


def counts_from_flux(flux: ArrayLike, zero_point: ArrayLike) -> Floats:
    """Counts, of the unit whose AB magnitude is ``zero_point``, of a flux in nJy."""
    return np.asarray(flux, float) / flux_from_counts(1.0, zero_point)


def magnitude_from_flux(flux: ArrayLike) -> Floats:
    """AB magnitude of a flux in nJy; NaN where it is not positive."""
    flux = np.asarray(flux, float)
    positive = np.where(flux > 0, flux, np.nan)
    magnitude: Floats = NJY_ZERO_POINT - 2.5 * np.log10(positive)
    return magnitude


def flux_error(flux: ArrayLike, magnitude_error: ArrayLike) -> Floats:
    """Error in nJy of a flux whose magnitude has an error, to first order."""
    error: Floats = np.abs(np.asarray(flux, float)) * np.asarray(magnitude_error, float) / POGSON
    return error


def magnitude_error(flux: ArrayLike, flux_err: ArrayLike) -> Floats:
    """Error of the magnitude of a flux, to first order; NaN where the flux is not positive."""
    flux = np.asarray(flux, float)
    error: Floats = POGSON * np.asarray(flux_err, float) / np.where(flux > 0, flux, np.nan)
    return error


def flux_error_from_limit(limit: ArrayLike, n_sigma: float = 5.0) -> Floats:
    """One standard deviation in nJy of an image whose limiting AB magnitude is ``limit`` at ``n_sigma``."""
    return flux_from_magnitude(limit) / n_sigma


def limit_from_flux_error(flux_err: ArrayLike, n_sigma: float = 5.0) -> Floats:
    """Limiting AB magnitude at ``n_sigma`` of one standard deviation in nJy."""
    return magnitude_from_flux(n_sigma * np.asarray(flux_err, float))
