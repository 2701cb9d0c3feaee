"""What the network sees of points: times from the latest evidence, fluxes over the brightest one, and a summary of the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import magnitude_from_flux
from broker_adapters.significance import DETECTED
from classifiers.posterior.curves import WARP
from classifiers.posterior.points import Floats, Points

Singles = NDArray[np.float32]

#: Values of a point, and of an object's summary.
PER_POINT, PER_OBJECT = 10, 38

#: Wavelength in nm that separates the blue points from the red ones, and days before a side's latest detection in which its slope is taken.
BLUE, RECENT = 580.0, (4.0, 12.0)

#: Days about the brightest detection through which a parabola is laid, and mean and deviation of its coefficients, of (days / ABOUT).
ABOUT, PRIOR = 9.0, np.array([[1.0, 0.0, -0.3], [0.1, 0.5, 0.3]])

#: Time scales in days of near and of far times, and magnitude that stands for zero.
NEAR, FAR, MAGNITUDE = 3.0, 30.0, 18.5


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Inputs of n objects with at most m points.

    Attributes
    ----------
    mjd : shape (n,)
        Latest evidence: a measurement or a limit.
    scale : shape (n,)
        Flux in nJy of the brightest detection, by which fluxes are divided.
    each : float32, shape (n, m, `PER_POINT`)
    used : bool, shape (n, m)
    whole : float32, shape (n, `PER_OBJECT`)
    """

    mjd: Floats
    scale: Floats
    each: Singles
    used: NDArray[np.bool_]
    whole: Singles


def inputs(points: Points) -> Inputs:
    """Inputs of the network for n objects, each with a point or more."""
    used = np.isfinite(points.t)
    t, f, e = (np.where(used, a, 0.0) for a in (points.t, np.nan_to_num(points.flux), points.error))
    limit = used & np.isnan(points.flux)
    detected = used & ~limit & (f >= DETECTED * e)
    mjd = np.where(used, points.t, -np.inf).max(axis=1)
    bright, brightest = detected.any(axis=1), np.where(detected, f, 0.0).max(axis=1)
    scale = np.where(bright, brightest, DETECTED * np.where(used, e, np.inf).min(axis=1))
    dt = np.where(used, t - mjd[:, None], 0.0)
    y, s = f / scale[:, None], np.where(used, e / scale[:, None], 1.0)
    colour = np.where(used, (points.wavelength - BLUE) / 100.0, 0.0)
    weak = used & ~limit & ~detected
    each = np.stack(
        [
            np.arcsinh(dt / NEAR),
            np.clip(dt / FAR, -4, 0),
            np.exp(np.clip(dt / NEAR, -20, 0)),
            colour,
            np.clip(y, -1.0, 1.5) * ~limit,
            _log(y) * detected,
            np.log(np.clip(s, 1e-3, 3.0)) / 2,
            limit,
            weak,
            _log(DETECTED * s) * limit,
        ],
        axis=-1,
    )
    each[~used] = 0.0
    whole = _summary(dt, y, s, points.wavelength < BLUE, limit, detected, magnitude_from_flux(scale))
    return Inputs(mjd, scale, each.astype(np.float32), used, whole.astype(np.float32))


def _log(y: Floats) -> Floats:
    log: Floats = np.log(np.clip(y, 0.02, 2.0)) / 2
    return log


def _summary(
    dt: Floats, y: Floats, s: Floats, blue: NDArray[np.bool_], limit: NDArray[np.bool_], detected: NDArray[np.bool_], magnitude: Floats
) -> Floats:
    """Summary of each object, shape (n, `PER_OBJECT`)."""
    n = len(dt)
    first = np.where(detected, dt, np.inf).min(axis=1)
    first = np.where(np.isfinite(first), first, 0.0)
    before = limit & (dt < first[:, None])
    gap = first - np.where(before, dt, -np.inf).max(axis=1)
    peak = dt[np.arange(n), np.where(detected, y, -np.inf).argmax(axis=1)]
    depth = np.nanmedian(np.where(limit.any(axis=1, keepdims=True), np.where(limit, DETECTED * s, np.nan), 0.0), axis=1)
    columns = [
        np.log1p(detected.sum(axis=1)),
        (magnitude - MAGNITUDE) / 2,
        np.arcsinh(first / NEAR),
        first / FAR,
        np.isfinite(gap),
        np.where(np.isfinite(gap), np.arcsinh(np.where(np.isfinite(gap), gap, 0.0) / NEAR), 0.0),
        np.arcsinh(peak / NEAR),
        peak / FAR,
        limit.any(axis=1),
        np.where(limit.any(axis=1), _log(depth), 0.0),
    ]
    for side in (blue, ~blue):
        columns += _of_side(dt, y, s, detected & side)
    found: Floats = np.stack(columns, axis=1)
    return np.clip(found, -8.0, 8.0)


def _of_side(dt: Floats, y: Floats, s: Floats, own: NDArray[np.bool_]) -> list[Floats]:
    """Number of detections on one side, time and brightness of the latest, slopes before it with their errors, and the parabola."""
    known = own.any(axis=1)
    latest = np.where(own, dt, -np.inf).argmax(axis=1)
    rows = np.arange(len(dt))
    t = np.where(known, dt[rows, latest], 0.0)
    columns = [
        np.log1p(own.sum(axis=1)),
        np.where(known, np.arcsinh(t / NEAR), -3.0),
        np.where(known, _log(y[rows, latest]), 0.0),
        np.where(known, _log(np.where(own, y, 0.0).max(axis=1)), 0.0),
    ]
    log, error = np.log(np.clip(y, 1e-3, None)), s / np.clip(y, 1e-3, None)
    for days in RECENT:
        w = np.where(own & (dt >= t[:, None] - days), 1 / (error**2 + 1e-3), 0.0)
        total = w.sum(axis=1) + 1e-9
        mean_t, mean = (w * dt).sum(axis=1) / total, (w * log).sum(axis=1) / total
        around = dt - mean_t[:, None]
        spread = (w * around**2).sum(axis=1) + 1.0 / 0.3**2  # a slope of 0 +- 0.3 per day where nothing says more
        columns += [5 * (w * around * (log - mean[:, None])).sum(axis=1) / spread, np.log(0.3 * np.sqrt(spread)) / 3]
    return columns + _parabola(dt, y, s, own)


def _parabola(dt: Floats, y: Floats, s: Floats, own: NDArray[np.bool_]) -> list[Floats]:
    """Time and height of the brightest detection on one side, and the parabola through the points about it: vertex, bend and error of both.

    The parabola has a weak prior, that of a supernova.
    """
    rows, best = np.arange(len(dt)), np.where(own, y, -np.inf).argmax(axis=1)
    known = own.any(axis=1)
    t, top = np.where(known, dt[rows, best], 0.0), np.where(known, y[rows, best], 1.0)
    u = (dt - t[:, None]) / ABOUT
    w = np.where(own & (np.abs(u) <= 1), 1 / ((s / top[:, None]) ** 2 + 4e-4), 0.0)
    powers = np.stack([np.ones_like(u), u, u**2], axis=1)
    normal = (powers * w[:, None]) @ np.swapaxes(powers, 1, 2) + np.diag(1 / PRIOR[1] ** 2)
    solved = np.linalg.solve(normal, ((powers * w[:, None]) @ (y / top[:, None])[..., None]) + (PRIOR[0] / PRIOR[1] ** 2)[:, None])[..., 0]
    slope, bend = solved[:, 1], np.minimum(solved[:, 2], -0.05)
    vertex = ABOUT * np.clip(-slope / (2 * bend), -1.5, 1.5)
    error = np.log(np.linalg.inv(normal)[:, (1, 2), (1, 2)]) / 4
    found = [np.arcsinh((t + vertex) / WARP), vertex / ABOUT, slope, bend, error[:, 0], error[:, 1]]
    return [np.where(known, a, 0.0) for a in found]
