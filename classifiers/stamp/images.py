"""What an astronomer would measure on a stamp: noise, profiles, widths, offsets, residuals, neighbours.

All of it is invariant under rotation by quarter turns and reflection. Fluxes are in units of the noise of their own image, except where
``log noise`` brings back the counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from .preprocess import SIDE, Floats, Images, known

CHANNELS = ("science", "template", "difference")
CENTRE = SIDE // 2
#: Radii in pixels of the annuli of the profiles.
RADII = np.array([0, 0.6, 1.5, 2.3, 3.3, 4.6, 6.5, 9, 13, 20, 31.5])
#: Gaussian widths (sigma, pixels) that the difference is compared with: from a cosmic ray to a badly subtracted galaxy.
WIDTHS = (0.7, 0.9, 1.1, 1.4, 1.8, 2.4, 3.2)
#: Signal-to-noise levels of the neighbours that are counted.
LEVELS = (5, 15, 50, 200)
#: Alerts at once: what fits into the cache.
CHUNK = 64

_Y, _X = np.mgrid[-CENTRE : CENTRE + 1, -CENTRE : CENTRE + 1].astype(np.float32)
_R = np.hypot(_Y, _X)

Values = NDArray[np.floating[Any]]
Named = Iterator[tuple[str, Values]]


def normalise(stamps: Images) -> tuple[Images, Floats, Floats]:
    """Stamps (n, 3, 63, 63) in units of their noise above their background, no data = 0; with background and noise, (n, 3) in counts.

    Background and noise are the median and 1.4826 times the median absolute deviation of every second pixel of every second row.
    """
    stamps = np.where(known(stamps), stamps, np.float32(np.nan))
    sample = stamps[:, :, 1::2, 1::2].reshape(len(stamps), 3, -1)
    background = _median(sample)
    noise = 1.4826 * _median(np.abs(sample - background[..., None]))
    noise[noise == 0] = 1.0
    scaled = (stamps - background[..., None, None]) / noise[..., None, None]
    return np.nan_to_num(scaled, copy=False, nan=0.0, posinf=0.0, neginf=0.0), background.astype(float), noise.astype(float)


def _median(values: Images) -> Images:
    """Lower median over the last axis of what is not NaN, 0 where nothing is (NaN sorts last; sorting in one go beats selection)."""
    ordered = np.sort(values, axis=-1)
    middle = np.maximum(np.isfinite(ordered).sum(axis=-1) - 1, 0) // 2
    return np.nan_to_num(np.take_along_axis(ordered, middle[..., None], -1)[..., 0])


def features(stamps: Images, normal: tuple[Images, Floats, Floats] | None = None) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Names, and the matrix (n, k) of the features of stamps (n, 3, 63, 63); ``normal``: `normalise` of them."""
    scaled, background, noise = normalise(stamps) if normal is None else normal
    chunks = [slice(i, i + CHUNK) for i in range(0, max(len(stamps), 1), CHUNK)]
    parts = [dict(_features(~known(stamps[c]), scaled[c], background[c], noise[c])) for c in chunks]
    names = tuple(parts[0])
    return names, np.concatenate([np.stack([p[name] for name in names], axis=1) for p in parts]).astype(np.float32)


def _features(holes: NDArray[np.bool_], scaled: Images, background: Floats, noise: Floats) -> Named:
    yield "no data", holes.mean(axis=(1, 2, 3))
    for c, name in enumerate(CHANNELS):
        yield f"{name} background", np.arcsinh(background[:, c] / 10)
        yield f"{name} log noise", np.log(noise[:, c])
        yield from _profile(name, scaled[:, c])
        yield from _aperture(name, scaled[:, c], noise[:, c])
    yield from _change(scaled, noise)
    yield from _difference(scaled[:, 2])
    for c in (1, 0):
        yield from _neighbours(CHANNELS[c], scaled[:, c])
        yield from _source(CHANNELS[c], scaled[:, c])


@lru_cache
def _annuli() -> Images:
    masks = np.stack([(inner <= _R) & (outer > _R) for inner, outer in pairwise(RADII)])
    weights: Images = (masks / masks.sum(axis=(1, 2), keepdims=True)).reshape(len(masks), -1).T.astype(np.float32)
    return weights


def _profile(name: str, image: Images) -> Named:
    """Mean and scatter in annuli."""
    flat = image.reshape(len(image), -1)
    mean = flat @ _annuli()
    scatter = np.sqrt(np.maximum(np.square(flat) @ _annuli() - mean**2, 0))
    for k in range(mean.shape[1]):
        yield f"{name} mean {k}", np.arcsinh(mean[:, k])
        if k:
            yield f"{name} scatter {k}", np.arcsinh(scatter[:, k])


def _box(image: Images, half: int) -> Images:
    return image[:, CENTRE - half : CENTRE + half + 1, CENTRE - half : CENTRE + half + 1]


def _aperture(name: str, image: Images, noise: Floats) -> Named:
    """Flux in boxes of 3, 5, 7 and 11 pixels: a magnitude with the sign of the flux, signal to noise, concentrations."""
    three, five, seven, eleven = (_box(image, half).sum(axis=(1, 2)) for half in (1, 2, 3, 5))
    yield f"{name} magnitude", np.sign(five) * 2.5 * np.log10(1 + np.abs(five) * noise / 30)
    yield f"{name} signal", np.arcsinh(five / 5)
    yield f"{name} inner concentration", np.clip(three / _nonzero(seven), -3, 3)
    yield f"{name} outer concentration", np.clip(five / _nonzero(eleven), -3, 3)


def _nonzero(values: Values) -> Values:
    return np.where(np.abs(values) > 1e-3, values, 1e-3)


def _change(scaled: Images, noise: Floats) -> Named:
    """Difference flux over template and over science flux, neither taken as less than its noise."""
    flux = np.stack([_box(scaled[:, c], 2).sum(axis=(1, 2)) * noise[:, c] for c in range(3)], axis=1)
    yield "difference over template", np.arcsinh(5 * flux[:, 2] / np.maximum(np.abs(flux[:, 1]), 5 * noise[:, 1]))
    yield "difference over science", np.clip(flux[:, 2] / np.maximum(np.abs(flux[:, 0]), 5 * noise[:, 0]), -5, 5)
    yield "difference sign", np.sign(flux[:, 2])


def _moments(image: Images, sigma: float) -> tuple[Floats, Floats, Floats]:
    """Offset of the centroid, size and ellipticity of the positive flux under a Gaussian window, in pixels."""
    half = image.shape[1] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    basis = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y]) * np.exp(-(x**2 + y**2) / (2 * sigma**2))
    total, mx, my, mxx, myy, mxy = (np.maximum(image, 0).reshape(len(image), -1) @ basis.reshape(6, -1).T).T.astype(float)
    total = total + 1e-6
    mx, my = mx / total, my / total
    xx, yy, xy = mxx / total - mx**2, myy / total - my**2, mxy / total - mx * my
    return np.hypot(mx, my), np.sqrt(np.maximum(xx + yy, 0)), np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)


@lru_cache
def _templates() -> Images:
    y, x = np.mgrid[-5:6, -5:6]
    stars = np.stack([np.exp(-(x**2 + y**2) / (2 * sigma**2)).ravel() for sigma in WIDTHS])
    stars -= stars.mean(axis=1, keepdims=True)
    unit: Images = (stars / np.linalg.norm(stars, axis=1, keepdims=True)).T.astype(np.float32)
    return unit


def _difference(image: Images) -> Named:
    """Is what changed a point source? Moments, best Gaussian, residual, dipole, and what else changed in the field."""
    sign = np.where(_box(image, 2).sum(axis=(1, 2)) < 0, -1, 1).astype(np.float32)
    positive = image * sign[:, None, None]
    window = _box(positive, 5)
    for name, value in zip(("offset", "size", "ellipticity"), _moments(window, 2.0), strict=True):
        yield f"difference {name}", value
    flat = window.reshape(len(window), -1)
    norm = np.linalg.norm(flat - flat.mean(axis=1, keepdims=True), axis=1) + 1e-6
    match = flat @ _templates() / norm[:, None]
    best = match.max(axis=1)
    yield "difference match", best
    yield "difference width", np.asarray(WIDTHS)[match.argmax(axis=1)]
    yield "difference residual", np.log(np.sqrt(np.maximum(1 - best**2, 0)) * norm / 11 + 0.1)
    yield "difference dipole", np.clip(-flat.min(axis=1) / np.maximum(flat.max(axis=1), 1e-3), 0, 3)
    yield "difference peak", np.clip(flat.max(axis=1) / np.maximum(np.abs(_box(image, 2).sum(axis=(1, 2))), 1e-3), 0, 3)
    for level in (5, 15):
        yield f"difference pixels {level}", np.log1p((np.abs(image) > level).sum(axis=(1, 2)))
        yield f"difference negative pixels {level}", np.log1p((positive < -level).sum(axis=(1, 2)))
        yield f"difference inner pixels {level}", np.log1p((np.abs(_box(image, 10)) > level).sum(axis=(1, 2)))


def _smooth(image: Images) -> Images:
    """Sum over 3 x 3 pixels over 3, so that the noise stays 1; zero beyond the edge."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    summed: Images = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 3
    return summed


def _neighbours(name: str, image: Images) -> Named:
    """Counts of sources, crowding, and the nearest and the brightest source."""
    smooth = _smooth(image)
    flat = smooth.reshape(len(smooth), -1)
    peak = ((smooth == maximum_filter(smooth, size=(1, 5, 5))) & (_R < 30)).reshape(flat.shape)
    radius = np.broadcast_to(_R.ravel(), flat.shape)
    for level in LEVELS:
        yield f"{name} sources {level}", np.log1p((peak & (flat > level)).sum(axis=1))
    for level in (3, 10):
        yield f"{name} crowding {level}", np.log1p((flat > level).sum(axis=1))
    yield f"{name} maximum", np.arcsinh(flat.max(axis=1))
    distance = np.where(peak & (flat > LEVELS[0]), radius, 40.0)
    nearest = distance.argmin(axis=1)[:, None]
    yield f"{name} nearest", np.take_along_axis(distance, nearest, 1)[:, 0]
    near = np.take_along_axis(flat, nearest, 1)[:, 0]
    yield f"{name} nearest signal", np.where(distance.min(axis=1) < 40, np.arcsinh(near), 0)
    for within in (4, 12):
        signal = np.where(peak & (radius < within), flat, -9)
        yield f"{name} brightest {within}", np.arcsinh(signal.max(axis=1))
        yield f"{name} brightest distance {within}", np.where(signal.max(axis=1) > -9, _R.ravel()[signal.argmax(axis=1)], within)


def _source(name: str, image: Images) -> Named:
    """Asymmetry about the centre, and the moments of what lies there on two scales."""
    window = _box(image, 6)
    yield f"{name} asymmetry", np.abs(window - window[:, ::-1, ::-1]).sum(axis=(1, 2)) / (np.abs(window).sum(axis=(1, 2)) + 1e-3)
    for sigma in (1.5, 3.5):
        for quantity, value in zip(("offset", "size", "ellipticity"), _moments(_box(image, 5), sigma), strict=True):
            yield f"{name} {quantity} {sigma}", value
