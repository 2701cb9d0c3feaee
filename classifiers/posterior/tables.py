"""From the mixtures of the network to the tables of an outlook.

The distribution of the time of the peak is exact; the rest are quantiles of curves drawn from the mixtures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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

#: Days before the latest evidence from which on a peak is the middle of its table.
PAST = 10.0

#: Scatter of supernovae about the model as a part of the flux.
SCATTER = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """What `Outlooks` have of the peaks of n objects: `peak_cdf`, `shift`, `peak_magnitude` and `explosion`, from `mjd` on."""

    mjd: Floats
    cdf: Floats
    shift: Floats
    magnitude: Floats
    explosion: Floats

    @classmethod
    def stack(cls, parts: Sequence[Peaks]) -> Peaks:
        """All of several in one."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def outlooks(mixture: Mixture, x: Inputs, points: Points, weights: Weights) -> Outlooks:
    """Outlooks of n objects."""
    found = draw(mixture, weights)
    flux = x.scale[:, None, None, None] * _bright_first(predicted(found, AHEAD[::STEP]))
    said = peaks(mixture, found, x, weights)
    return Outlooks(
        mjd=x.mjd,
        peak_cdf=said.cdf,
        classes=mixture.classes,
        magnitude=_interpolated(magnitude_from_flux(flux)),
        peak_magnitude=said.magnitude,
        explosion=said.explosion,
        doubt=doubt(found, points, x),
        fallback=np.zeros(len(x.mjd), bool),
        shift=said.shift,
    )


def peaks(mixture: Mixture, found: Draws, x: Inputs, weights: Weights) -> Peaks:
    """Peaks of n objects by their mixtures and draws from them."""
    shift = np.minimum(np.floor(_typical_peak(mixture, weights) + PAST), 0.0)
    light = found.families[:, :, 0, 1] - curves.FIREBALL * np.exp(found.families[:, :, 0, 4])
    return Peaks(
        mjd=x.mjd,
        cdf=peak_cdf(mixture, weights, shift[:, None] + DAYS),
        shift=shift,
        magnitude=magnitude_from_flux(x.scale[:, None, None] * np.exp(_bright_first(found.peaks))),
        explosion=_quantiles(light, QUANTILES).T,
    )


def peak_cdf(mixture: Mixture, weights: Weights, days: Floats) -> Floats:
    """Probability that the peak is before these days, (n or 1, d), from the latest evidence, given each class, shape (n, 4, d)."""
    z = ((np.arcsinh(days / curves.WARP) - weights.centre[0]) / weights.sigma[0])[:, None, None]
    inside = ndtr((z - mixture.mean[..., :1]) * mixture.diagonal[..., :1] / weights.temper)
    cdf: Floats = np.matmul(mixture.weight[:, :, None], inside)[:, :, 0]
    return cdf


def _typical_peak(mixture: Mixture, weights: Weights) -> Floats:
    """Day of the peak, from the latest evidence, at the mean of the transformed ones over all classes, shape (n,)."""
    mean = (mixture.classes[:, :, None] * mixture.weight * mixture.mean[..., 0]).sum(axis=(1, 2))
    day: Floats = curves.WARP * np.sinh(np.clip(weights.centre[0] + weights.sigma[0] * mean, -curves.FARTHEST, curves.FARTHEST))
    return day


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


def _quantiles(draws: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of draws (n, s, ...), shape (3, n, ...): those of `np.quantile`, which takes longer for few objects."""
    ordered = np.moveaxis(np.sort(draws, axis=1), 1, 0)
    place = np.array(levels) * (len(ordered) - 1)
    low = np.floor(place).astype(np.intp)
    share = (place - low).reshape(-1, *[1] * (ordered.ndim - 1))
    found: Floats = ordered[low] * (1 - share) + ordered[low + 1] * share
    return found


def _bright_first(draws: Floats) -> Floats:
    """Quantiles of draws (n, s, 2, ...) so that those of magnitudes ascend, shape (n, 2, 3, ...)."""
    quantiles: Floats = np.moveaxis(_quantiles(draws, [1 - level for level in QUANTILES]), 0, 2)
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
