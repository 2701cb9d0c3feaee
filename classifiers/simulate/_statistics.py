"""Summary statistics of image triplets, to compare two sets of them."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from classifiers.simulate._psf import Images

Floats = NDArray[np.float64]

CHANNELS = ("science", "template", "difference")
RADII = (1.5, 3.0, 5.0, 9.0, 15.0)
QUANTILES = (1.0, 25.0, 75.0, 90.0, 99.0, 100.0)
#: Robust standard deviations beyond which a pixel is not sky.
CLIP = 3.0


def statistics(stamps: Images) -> tuple[list[str], Floats]:
    """Names and values (n, k) of statistics of stamps (n, 3, s, s): sky, noise and its correlations, light profile, crowding, holes."""
    columns: dict[str, Floats] = {}
    residuals = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an image that is all NaN has NaN statistics
        for c, name in enumerate(CHANNELS):
            image = stamps[:, c].astype(float)
            sky = np.nanmedian(image, axis=(1, 2), keepdims=True)
            spread = 1.4826 * np.nanmedian(np.abs(image - sky), axis=(1, 2), keepdims=True)
            scaled = (image - sky) / np.maximum(spread, 1e-6)
            residual = np.where(np.abs(scaled) < CLIP, scaled, np.nan)
            residuals.append(residual)
            columns |= {f"{name}_sky": sky[:, 0, 0], f"{name}_noise": spread[:, 0, 0]}
            columns |= {f"{name}_{k}": v for k, v in (_profile(scaled) | _texture(scaled, residual)).items()}
        columns["holes"] = np.isnan(stamps).any(1).mean((1, 2))
        columns["noise_ratio"] = columns["difference_noise"] / columns["science_noise"]
        columns["template_ratio"] = columns["template_noise"] / columns["science_noise"]
        columns["shared_noise"] = np.abs(np.nanmean(residuals[0] * residuals[2], axis=(1, 2)))
    return list(columns), np.column_stack(list(columns.values()))


def _profile(scaled: Floats) -> dict[str, Floats]:
    """Mean light within rings about the centre, and the centroid's distance and spread, in units of the noise (signed logarithm)."""
    size = scaled.shape[-1]
    axis = np.arange(size) - (size - 1) // 2
    radius = np.hypot(axis[:, None], axis)
    columns, inner = {}, 0.0
    for outer in RADII:
        ring = scaled[:, (radius >= inner) & (radius < outer)]
        columns[f"ring_{outer}"] = np.arcsinh(np.nanmean(ring, axis=1))
        columns[f"ring_{outer}_spread"] = np.arcsinh(np.nanstd(ring, axis=1))
        inner = outer
    core = np.clip(scaled, 0, None) * (radius < 5)
    total = np.nansum(core, axis=(1, 2))
    y, x = np.nansum(core * axis[:, None], axis=(1, 2)) / total, np.nansum(core * axis, axis=(1, 2)) / total
    columns["offset"] = np.hypot(y, x)
    middle = (size - 1) // 2
    peak = scaled[:, middle - 1 : middle + 2, middle - 1 : middle + 2].max((1, 2))
    columns["concentration"] = total / np.where(np.abs(peak) > 0.1, peak, np.nan)
    columns["trough"] = np.arcsinh(np.nanmin(np.where(radius < 6, scaled, np.nan), axis=(1, 2)))
    return columns


def _texture(scaled: Floats, residual: Floats) -> dict[str, Floats]:
    """Quantiles of the pixels, correlations between neighbours, stripes along rows and columns, share of pixels that are no sky."""
    flat = scaled.reshape(len(scaled), -1)
    columns = {f"quantile_{q:.0f}": np.arcsinh(v) for q, v in zip(QUANTILES, np.nanpercentile(flat, QUANTILES, axis=1), strict=True)}
    variance = np.nanvar(residual, axis=(1, 2))
    for dy, dx in ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0)):
        size = residual.shape[-1]
        product = residual[:, dy:, dx:] * residual[:, : size - dy, : size - dx]
        columns[f"neighbour_{dy}{dx}"] = np.nanmean(product, axis=(1, 2)) / variance
    columns["stripes_y"] = np.nanstd(np.nanmean(residual, axis=1), axis=1) * np.sqrt(residual.shape[-1])
    columns["stripes_x"] = np.nanstd(np.nanmean(residual, axis=2), axis=1) * np.sqrt(residual.shape[-1])
    columns["bright_share"] = np.log10((flat > 5).mean(1) + 1e-4)
    columns["dark_share"] = np.log10((flat < -5).mean(1) + 1e-4)
    return columns
