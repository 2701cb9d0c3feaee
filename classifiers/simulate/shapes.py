"""Shape parameters of ZTF's pipeline (schema 4.02) of the source in a difference image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from classifiers.simulate._psf import Images

#: Half-width in pixels of the stamp in which pixels are counted and of the window for moments, and radius of the aperture.
_SMALL, _WINDOW, _APERTURE = 2, 7, 7.0
#: Standard deviations above which connected pixels at the centre are the source.
_ABOVE = 1.5


def measure(difference: Images) -> dict[str, NDArray[np.float64]]:
    """Measure ``nneg, nbad, sumrat, aimage, bimage, elong`` and aperture flux ``ap``, (n,), of images (n, s, s) of positive sources."""
    centre = (difference.shape[-1] - 1) // 2
    small = difference[:, centre - _SMALL : centre + _SMALL + 1, centre - _SMALL : centre + _SMALL + 1]
    filtered = ndimage.median_filter(np.nan_to_num(small), size=(1, 3, 3))
    noise = 1.4826 * np.nanmedian(np.abs(difference - np.nanmedian(difference, axis=(1, 2), keepdims=True)), axis=(1, 2))
    window = np.nan_to_num(difference[:, centre - _WINDOW : centre + _WINDOW + 1, centre - _WINDOW : centre + _WINDOW + 1])
    axes = np.array([_axes(image, level) for image, level in zip(window, _ABOVE * noise, strict=True)]).reshape(-1, 2)
    y, x = np.mgrid[-_WINDOW : _WINDOW + 1, -_WINDOW : _WINDOW + 1]
    return {
        "nneg": (small < 0).sum(axis=(1, 2)).astype(float),
        "nbad": np.isnan(small).sum(axis=(1, 2)).astype(float),
        "sumrat": filtered.sum(axis=(1, 2)) / np.maximum(np.abs(filtered).sum(axis=(1, 2)), 1e-9),
        "aimage": axes[:, 0],
        "bimage": axes[:, 1],
        "elong": axes[:, 0] / axes[:, 1],
        "ap": window[:, np.hypot(y, x) <= _APERTURE].sum(axis=1, dtype=float),
    }


def _axes(image: NDArray[np.float32], level: float) -> tuple[float, float]:
    """Root mean squares along major and minor axis in pixels, weighted by light, of the pixels above the level at the centre."""
    regions, _ = ndimage.label(image > level)
    middle = image.shape[0] // 2
    core = regions[middle - 1 : middle + 2, middle - 1 : middle + 2]
    number = core[core > 0]
    if not number.size:
        return 0.5, 0.5
    y, x = np.nonzero(regions == np.bincount(number).argmax())
    light = image[y, x].astype(float)
    offsets = np.stack([y - np.average(y, weights=light), x - np.average(x, weights=light)])
    # the variance of a pixel, a twelfth, gives a single one a size
    minor, major = np.linalg.eigvalsh((offsets * light) @ offsets.T / light.sum() + np.eye(2) / 12.0)
    return float(np.sqrt(major)), float(np.sqrt(minor))
