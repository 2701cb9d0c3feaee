"""Galaxies in Fourier space, where convolution with the PSF is a product.

The profiles are those of Spergel (2010, ApJS 191, 58), whose transforms are one power law: index 0.5 is an exponential disc, -0.6 is close
to a de Vaucouleurs bulge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from classifiers.simulate._psf import Images, Psf

Floats = NDArray[np.float64]

DISC = 0.5
BULGE = -0.6


@dataclass(frozen=True, slots=True, eq=False)
class Galaxies:
    """Galaxies, g in each of n fields; all arrays (n, g), lengths in pixels, fluxes in nJy, angles in radians from x towards y."""

    flux: Floats
    y: Floats
    x: Floats
    radius: Floats
    axis_ratio: Floats
    angle: Floats
    index: Floats


def scale_length(radius: Floats, index: Floats) -> Floats:
    """Scale length of a profile with a half-light radius, interpolated between the two indices in use (half of Spergel 2010, eq. 8)."""
    return np.asarray(radius / np.interp(index, (BULGE, DISC), (0.5477, 1.6783)))


def galaxies(psf: Psf, field: Galaxies, size: int) -> Images:
    """Images (n, size, size) of galaxies seen through the PSF. The grid is periodic."""
    ky = (2 * np.pi * np.fft.fftfreq(size)).astype(np.float32)
    kx = (2 * np.pi * np.fft.rfftfreq(size)).astype(np.float32)
    total = np.zeros((len(field.flux), size, size // 2 + 1), np.complex64)
    for g in range(field.flux.shape[1]):
        lit = np.flatnonzero(field.flux[:, g])
        total[lit] += _transform(Galaxies(*(getattr(field, name)[lit, g] for name in Galaxies.__slots__)), ky, kx)
    return np.asarray(fft.irfft2(total * psf.transform(size), s=(size, size)), np.float32)


def _transform(one: Galaxies, ky: Images, kx: Images) -> NDArray[np.complex64]:
    """Fourier transforms (n, len(ky), len(kx)) of one galaxy each."""
    length = scale_length(one.radius, one.index)
    major, minor = length / np.sqrt(one.axis_ratio), length * np.sqrt(one.axis_ratio)
    cos, sin = np.cos(one.angle), np.sin(one.angle)

    def plane(along_x: Floats, along_y: Floats) -> Images:
        return along_x[:, None, None].astype(np.float32) * kx + along_y[:, None, None].astype(np.float32) * ky[:, None]

    squared = plane(major * cos, major * sin) ** 2 + plane(-minor * sin, minor * cos) ** 2
    envelope = np.exp(-(1 + one.index[:, None, None].astype(np.float32)) * np.log1p(squared))
    phase_y = (one.flux[:, None] * np.exp(-1j * one.y[:, None] * ky)).astype(np.complex64)
    phase_x = np.exp(-1j * one.x[:, None] * kx).astype(np.complex64)
    return np.asarray(envelope * phase_y[:, :, None] * phase_x[:, None, :])
