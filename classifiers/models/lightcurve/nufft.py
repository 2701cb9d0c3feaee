"""Sums of complex exponentials of unevenly spaced times at many evenly spaced frequencies, by FFT.

Non-uniform fast Fourier transform of the first kind (Dutt & Rokhlin 1993, SIAM J. Sci. Comput. 14, 1368): each point is smeared over
`WIDTH` cells of a fine grid with a Kaiser-Bessel kernel, the grid is transformed, and the kernel's own transform (Fessler & Sutton 2003,
IEEE Trans. Signal Process. 51, 560) is divided out. In float32: accurate to 1e-6 of the sum of the weights.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, next_fast_len
from scipy.special import i0

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats

#: Cells that a point is smeared over, cells per frequency, and the kernel's shape (Beatty et al. 2005, IEEE Trans. Med. Imaging 24, 799).
WIDTH, FINER = 12, 1.25
SHAPE = math.pi * math.sqrt((WIDTH / FINER * (FINER - 0.5)) ** 2 - 0.8)


def sums(t: Floats, weights: Floats, start: float, step: float, n: int) -> list[NDArray[np.complex64]]:
    """Sums over m points of weights (k, m) times exp(2 pi i f t) at the n frequencies f from `start` on: k arrays of shape (n,).

    They are computed one after the other: larger arrays would be returned to the system and allocated again at each call.
    """
    cells, centre = next_fast_len(math.ceil(FINER * n) + WIDTH), n // 2
    place = np.mod(step * t, 1.0) * cells
    first = np.ceil(place - WIDTH / 2)
    off = (first[:, None] + np.arange(WIDTH) - place[:, None]) / (WIDTH / 2)
    kernel = i0(SHAPE * np.sqrt(np.maximum(1 - off**2, 0)))
    phase = np.exp(2j * np.pi * np.mod((start + centre * step) * t, 1.0))
    k = np.arange(max(centre, n - centre) + 1) / cells
    root = np.sqrt(SHAPE**2 - (math.pi * WIDTH * k) ** 2)
    scale = (root / (WIDTH * np.sinh(root))).astype(np.float32)
    found = []
    for row in weights * phase:
        spectrum = ifft(_smeared(cells, first.astype(np.int64), kernel, row), norm="forward", overwrite_x=True)
        found.append(np.concatenate([spectrum[cells - centre :] * scale[centre:0:-1], spectrum[: n - centre] * scale[: n - centre]]))
    return found


@compiled()
def _smeared(cells: int, first: NDArray[np.int64], kernel: Floats, values: NDArray[np.complex128]) -> NDArray[np.complex64]:
    """Add values (m,) times their kernels (m, WIDTH) to a periodic grid (cells,), each from its first cell (m,) on."""
    grid = np.zeros(cells, np.complex64)
    for i in range(len(first)):
        for j in range(kernel.shape[1]):
            grid[(first[i] + j) % cells] += values[i] * kernel[i, j]
    return grid
