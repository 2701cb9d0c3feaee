"""Image subtraction as in the surveys: proper subtraction of two images with known PSFs and noise.

Zackay, Ofek & Gal-Yam 2016 (ApJ 830, 27), equation 13 for images on one photometric scale, divided by the flux zero point of the
difference so that a source keeps its flux. With the wrong PSFs, a shift or a wrong scale it leaves what real pipelines leave: rings,
dipoles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from classifiers.simulate._psf import Images, Psf

Floats = NDArray[np.float64]

#: Transmission of both PSFs below which a spatial frequency is not matched, since the quotient would underflow.
FLOOR = np.float32(1e-6)


def subtract(science: Images, template: Images, psfs: tuple[Psf, Psf], noise: tuple[Floats, Floats], shift: Floats) -> Images:
    """Difference images (n, size, size): science minus template, both without sky and (n, size, size) on a periodic grid.

    ``psfs`` are those of science image and template as the pipeline believes them, ``noise`` the standard deviations of a pixel, each (n,);
    ``shift`` (2, n) is the sub-pixel shift along y and x that the images go through first.
    """
    size = science.shape[-1]
    new, reference = (np.maximum(psf.transform(size), FLOOR) for psf in psfs)
    sigma_new, sigma_reference = (s[:, None, None].astype(np.float32) for s in noise)
    scale = np.sqrt(sigma_new**2 + sigma_reference**2) / np.sqrt((sigma_new * reference) ** 2 + (sigma_reference * new) ** 2)
    difference = fft.rfft2(science) * (reference * scale) - fft.rfft2(template) * (new * scale)
    difference *= np.exp(-2j * np.pi * shift[0][:, None] * np.fft.fftfreq(size)).astype(np.complex64)[:, :, None]
    difference *= np.exp(-2j * np.pi * shift[1][:, None] * np.fft.rfftfreq(size)).astype(np.complex64)[:, None, :]
    return np.asarray(fft.irfft2(difference, s=(size, size)), np.float32)
