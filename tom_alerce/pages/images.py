"""Alert stamps as PNG: what a person looks at before believing a candidate."""

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

#: Pixels of the side of a stamp in the strip, and between two stamps.
SIDE, GAP = 63, 3

#: A difference is shown from -CUT to +CUT times its noise around its median, so that grey is "nothing there" in every stamp.
CUT = 8.0


#: Colours (RGB) of what speaks for a class and against it, told apart by colour-blind eyes (Okabe & Ito 2008).
FOR, AGAINST = (230, 159, 0), (86, 180, 233)
#: A map is outlined where it has this share of its largest absolute value, and drawn so many times as large.
OUTLINED, LARGER = 0.4, 4


def explained(images: dict[str, NDArray[np.floating[Any]] | None], weights: NDArray[np.floating[Any]]) -> bytes:
    """The strip, larger, with a map of shape (y, x) over each stamp: what speaks for the class outlined in orange, against it in blue.

    Lines and not shades, so that they are seen on any image and in red light.
    """
    with Image.open(io.BytesIO(strip(images))) as plain:
        canvas = plain.convert("RGBA").resize((LARGER * plain.width, LARGER * plain.height), Image.Resampling.NEAREST)
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
    """One PNG of the science, template and difference stamps side by side, `SIDE` pixels high.

    Parameters
    ----------
    images : mapping of kind to array of shape (y, x), or None where the alert has no such stamp
        First row at the bottom, as FITS has it. Pixels that are not finite become transparent, as does a stamp that is not there.
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
    """Shades in [0, 1] of an image of the sky: asinh from just under the background to the brightest of its pixels."""
    low, high = AsymmetricPercentileInterval(5.0, 99.7).get_limits(pixels[np.isfinite(pixels)])
    if not high > low:
        return np.full(pixels.shape, 0.5)
    shades: Any = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(0.1), clip=True)(pixels)
    return np.asarray(shades.filled(0.0))


def _difference(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Shades in [0, 1] of a difference image: 0.5 is its median, white is positive and black is negative."""
    _, median, noise = sigma_clipped_stats(pixels[np.isfinite(pixels)], sigma=3.0)
    half_range = CUT * noise if noise > 0 else float(np.nanmax(np.abs(pixels - median))) or 1.0
    shades: NDArray[np.float64] = np.clip(0.5 + (pixels - median) / (2 * half_range), 0.0, 1.0)
    return shades
