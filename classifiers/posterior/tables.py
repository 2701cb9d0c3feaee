"""From the mixtures of the network to the tables of an outlook.

The distribution of the time of the peak is exact; the rest are quantiles of curves drawn from the mixtures.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from broker_adapters.kernels import compiled
from broker_adapters.photometry import magnitude_from_flux
from classifiers.models.lightcurve import supernova
from classifiers.posterior import curves
from classifiers.posterior.doubt import doubt
from classifiers.posterior.draws import Draws, draw
from classifiers.posterior.inputs import Inputs
from classifiers.posterior.network import Mixture, Weights
from classifiers.posterior.points import GOLDEN, Floats, Points
from classifiers.posterior.records import AHEAD, DAYS, QUANTILES, Outlooks

#: Days between the computed magnitudes, which are interpolated.
STEP = 3

#: Scatter of supernovae about the model as a part of the flux.
SCATTER = 0.04


def outlooks(mixture: Mixture, x: Inputs, points: Points, weights: Weights) -> Outlooks:
    """Outlooks of n objects."""
    found = draw(mixture, weights)
    scale = x.scale[:, None, None, None]
    magnitude = _interpolated(magnitude_from_flux(scale * _bright_first(predicted(found, AHEAD[::STEP]))))
    light = found.families[:, :, 0, 1] - curves.FIREBALL * np.exp(found.families[:, :, 0, 4])
    return Outlooks(
        mjd=x.mjd,
        peak_cdf=peak_cdf(mixture, weights, DAYS),
        classes=mixture.classes,
        magnitude=magnitude,
        peak_magnitude=magnitude_from_flux(scale[..., 0] * np.exp(_bright_first(found.peaks))),
        explosion=np.quantile(light, QUANTILES, axis=1).T,
        doubt=doubt(found, points, x),
        fallback=np.zeros(len(x.mjd), bool),
    )


def peak_cdf(mixture: Mixture, weights: Weights, days: Floats) -> Floats:
    """Probability that the peak is before these days (d,) from the latest evidence, given each class, shape (n, 4, d)."""
    z = (np.arcsinh(days / curves.WARP) - weights.centre[0]) / weights.sigma[0]
    inside = ndtr((z - mixture.mean[..., :1]) * mixture.diagonal[..., :1])
    cdf: Floats = np.matmul(mixture.weight[:, :, None], inside)[:, :, 0]
    return cdf


def predicted(found: Draws, days: Floats) -> Floats:
    """Fluxes (n, s, 2, d) of the draws on these days from the latest evidence, over the brightest seen, with `SCATTER`."""
    flux = _curves(found.families, days)
    deviate = ndtri((np.arange(flux.shape[1]) + 0.5) * GOLDEN % 1)
    noisy: Floats = flux * (1 + SCATTER * deviate[:, None, None])
    return noisy


@compiled()
def _curves(q: Floats, days: Floats) -> Floats:
    n, s = q.shape[:2]
    flux = np.empty((n, s, 2, len(days)))
    for i in range(n):
        for j in range(s):
            for k in range(2):
                flux[i, j, k] = supernova.model(q[i, j, k], days)
    return flux


def _bright_first(draws: Floats) -> Floats:
    """Quantiles of draws (n, s, 2, ...) so that those of magnitudes ascend, shape (n, 2, 3, ...)."""
    quantiles: Floats = np.moveaxis(np.quantile(draws, 1 - np.array(QUANTILES), axis=1), 0, 2)
    return quantiles


def _interpolated(magnitude: Floats) -> Floats:
    """Magnitudes at `AHEAD` of those at every `STEP`, along the last axis."""
    low = np.minimum(np.arange(len(AHEAD)) // STEP, magnitude.shape[-1] - 2)
    part = AHEAD / STEP - low
    between: Floats = np.where(
        part == 0,
        magnitude[..., low],
        np.where(part == 1, magnitude[..., low + 1], magnitude[..., low] * (1 - part) + magnitude[..., low + 1] * part),
    )
    return between
