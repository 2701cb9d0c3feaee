"""Draws the stamps of an alert, and maps over them, as PNG."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from astropy.stats import sigma_clipped_stats
from astropy.visualization import AsinhStretch, AsymmetricPercentileInterval, ImageNormalize
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion

#: The stamps of an alert, from left to right.
KINDS = ("science", "template", "difference")

#: Pixels: side of a stamp in the strip, and gap between two stamps.
SIDE, GAP = 63, 3

#: A difference is shown from -CUT to +CUT times its noise around its median, so that empty sky has the same grey in every stamp.
CUT = 8.0


#: Colours (RGB) of pixels that speak for a class and against it, distinct for colour-blind eyes (Okabe & Ito 2008).
FOR, AGAINST = (230, 159, 0), (86, 180, 233)
#: A map is outlined at this fraction of its largest absolute value; the strip is enlarged by this factor.
OUTLINED, LARGER = 0.4, 4


def explained(images: dict[str, NDArray[np.floating[Any]] | None], weights: NDArray[np.floating[Any]]) -> bytes:
    """Draw the strip, enlarged, with a map of shape (y, x) over each stamp: pixels for the class outlined in orange, against it in blue.

    Outlines rather than shades are visible on any image and in red light.
    """
    with Image.open(io.BytesIO(strip(images))) as small:
        canvas = small.convert("RGBA").resize((LARGER * small.width, LARGER * small.height), Image.Resampling.NEAREST)
    scale = float(np.abs(weights).max()) or 1.0
    large = Image.fromarray((weights[::-1] / scale).astype(np.float32)).resize((LARGER * SIDE, LARGER * SIDE), Image.Resampling.BICUBIC)
    layer = np.zeros((LARGER * SIDE, LARGER * SIDE, 4), np.uint8)
    for colour, values in ((AGAINST, -np.asarray(large)), (FOR, np.asarray(large))):
        inside = values > OUTLINED
        layer[inside] = (*colour, 40)
        layer[inside & ~binary_erosion(inside, iterations=3)] = (*colour, 255)
    outline = Image.fromarray(layer, "RGBA")
    for i, kind in enumerate(KINDS):
        if images.get(kind) is not None:
            canvas.alpha_composite(outline, (LARGER * i * (SIDE + GAP), 0))
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def strip(images: dict[str, NDArray[np.floating[Any]] | None]) -> bytes:
    """Draw the science, template and difference stamps side by side as one PNG, `SIDE` pixels high.

    Parameters
    ----------
    images : mapping of kind to array of shape (y, x), or None where the alert has no such stamp
        First row at the bottom as in FITS. Pixels that are not finite, and missing stamps, are transparent.
    """
    canvas = Image.new("LA", (len(KINDS) * SIDE + (len(KINDS) - 1) * GAP, SIDE))
    for i, kind in enumerate(KINDS):
        pixels = images.get(kind)
        if pixels is None or not np.isfinite(pixels).any():
            continue
        shades = _difference(pixels) if kind == "difference" else _sky(pixels)
        alpha = np.where(np.isfinite(pixels), 255, 0).astype(np.uint8)
        stamp = np.dstack([(255 * np.nan_to_num(shades)).astype(np.uint8), alpha])[::-1]
        canvas.paste(
            Image.fromarray(np.ascontiguousarray(stamp), "LA").resize((SIDE, SIDE), Image.Resampling.NEAREST), (i * (SIDE + GAP), 0)
        )
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _sky(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scale an image of the sky to [0, 1]: asinh from just below the background to the brightest pixels."""
    low, high = AsymmetricPercentileInterval(5.0, 99.7).get_limits(pixels[np.isfinite(pixels)])
    if not high > low:
        return np.full(pixels.shape, 0.5)
    shades: Any = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(0.1), clip=True)(pixels)
    return np.asarray(shades.filled(0.0))


def _difference(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scale a difference image to [0, 1]: 0.5 is its median, 1 (white) is positive, 0 (black) is negative."""
    _, median, noise = sigma_clipped_stats(pixels[np.isfinite(pixels)], sigma=3.0)
    half_range = CUT * noise if noise > 0 else float(np.nanmax(np.abs(pixels - median))) or 1.0
    shades: NDArray[np.float64] = np.clip(0.5 + (pixels - median) / (2 * half_range), 0.0, 1.0)
    return shades
