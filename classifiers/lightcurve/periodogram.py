"""What a sine explains of one band's magnitudes, at many frequencies: the floating-mean Lomb-Scargle periodogram, unnormalised.

The sines and cosines at the frequencies c +- d of a block are made of those at its centre c and of those at d, and the d are the same in
every block: the sums over the points become products of matrices, (blocks x points) by (points x d); for more than `LONG` points they come
from an FFT (`nufft`). They are in float32, from phases in float64: right to 1e-6 of the highest power.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from . import nufft
from ._arrays import Floats

#: Frequencies on either side of the centre of a block.
HALF = 128

#: Points of a band from which on an FFT is faster.
LONG = 800

#: What the compiler may do to sums; not that numbers are finite.
FAST = {"reassoc", "contract", "nsz", "arcp"}


def prepared(t: Floats, m: Floats, e: Floats, zero: float) -> tuple[Floats, Floats, Floats]:
    """Times from `zero`, magnitudes less their weighted mean, and weights."""
    w = 1 / e**2
    return t - zero, m - (w * m).sum() / w.sum(), w


def explained(t: Floats, y: Floats, w: Floats, start: Floats, step: float, n: int) -> Floats:
    """Chi squared explained by a sine at n frequencies from each of `start` (k,), shape (k, n), in float64."""
    total = float(w.sum())
    sums: Floats = _scan(t, w / total, w * y / total, start, step, n)
    return total * sums


def scanned(t: Floats, y: Floats, w: Floats, start: float, step: float, n: int) -> NDArray[np.float32]:
    """The same at n frequencies, shape (n,), in float32."""
    total, m = float(w.sum()), -(-len(t) // 4) * 4
    if m > LONG:
        single = nufft.sums(t, np.stack([w, w * y]) / total, start, step, n)
        theta: NDArray[np.float32] = _of_sums(*single, *nufft.sums(2 * t, w[None] / total, start, step, n))
        theta *= np.float32(total)
        return theta
    times, p, q = np.zeros((3, m))  # in fours; the last points may have no weight
    times[: len(t)], p[: len(t)], q[: len(t)] = t, w / total, w * y / total
    theta = np.empty(-(-n // (2 * HALF)) * 2 * HALF, np.float32)
    _blocks(times, p, q, start, step, theta)
    theta *= np.float32(total)
    return theta[:n]


@njit(cache=True, nogil=True, inline="always")
def _theta(sc: Any, ss: Any, yc: Any, ys: Any, c2: Any, s2: Any) -> Any:
    """Zechmeister & Kuerster (2009), eq. 5-15, of the sums of p cos, p sin, q cos, q sin, p cos 2, p sin 2: p are weights that sum to one,
    q weighted magnitudes of mean zero. In the precision of its arguments.
    """  # fmt: skip
    half = np.float32(0.5)
    cc, sin2, cs = half + half * c2 - sc * sc, half - half * c2 - ss * ss, half * s2 - sc * ss
    determinant = cc * sin2 - cs * cs
    explained = yc * yc * sin2 + ys * ys * cc - (yc + yc) * ys * cs
    return explained / determinant if determinant > np.float32(1e-4) else np.float32(0.0)


@njit(cache=True, nogil=True, fastmath=FAST)
def _of_sums(p: NDArray[np.complex64], q: NDArray[np.complex64], double: NDArray[np.complex64]) -> NDArray[np.float32]:
    """`_theta` of the sums of p and q, and of those of p at twice the frequency, each of shape (n,)."""
    theta = np.empty(len(p), np.float32)
    for k in range(len(p)):
        theta[k] = _theta(p[k].real, p[k].imag, q[k].real, q[k].imag, double[k].real, double[k].imag)
    return theta


@njit(cache=True, nogil=True, fastmath=FAST)
def _scan(t: Floats, p: Floats, q: Floats, start: Floats, step: float, n: int) -> Floats:
    """`_theta` at n frequencies from each start, shape (k, n): each point's phase is advanced by a rotation from frequency to frequency."""
    c, s, dc, ds = np.empty_like(t), np.empty_like(t), np.cos(2 * math.pi * step * t), np.sin(2 * math.pi * step * t)
    theta = np.empty((len(start), n))
    for k in range(len(start)):
        for i in range(len(t)):
            angle = 2 * math.pi * start[k] * t[i]
            c[i], s[i] = math.cos(angle), math.sin(angle)
        for j in range(n):
            sc = ss = yc = ys = c2 = s2 = 0.0
            for i in range(len(t)):
                a, b = c[i], s[i]
                sc += p[i] * a
                ss += p[i] * b
                yc += q[i] * a
                ys += q[i] * b
                c2 += p[i] * (a * a - b * b)
                s2 += p[i] * (2 * a * b)
                c[i] = a * dc[i] - b * ds[i]
                s[i] = b * dc[i] + a * ds[i]
            theta[k, j] = _theta(sc, ss, yc, ys, c2, s2)
    return theta


@njit(cache=True, nogil=True, fastmath=FAST)
def _offsets(t: Floats, step: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines (first `HALF` columns) and sines of the phases t (m,) at `HALF` offsets of step / 2, 3 step / 2, ... and of their doubles."""
    single, double = np.empty((len(t), 2 * HALF), np.float32), np.empty((len(t), 2 * HALF), np.float32)
    for i in range(len(t)):
        angle = 2 * math.pi * step * t[i]
        c, s, dc, ds = math.cos(0.5 * angle), math.sin(0.5 * angle), math.cos(angle), math.sin(angle)
        for j in range(HALF):
            single[i, j], single[i, HALF + j] = c, s
            double[i, j], double[i, HALF + j] = c * c - s * s, 2 * c * s
            c, s = c * dc - s * ds, s * dc + c * ds
    return single, double


@njit(cache=True, nogil=True, fastmath=FAST)
def _blocks(t: Floats, p: Floats, q: Floats, start: float, step: float, theta: NDArray[np.float32]) -> None:
    """`_theta` from `start` on into theta, whose length is a multiple of 2 `HALF`."""
    width, (single, double) = 2 * HALF, _offsets(t, step)
    first, stride = 2 * math.pi * (start + (HALF - 0.5) * step), 2 * math.pi * width * step
    a, b, da, db = np.cos(first * t), np.sin(first * t), np.cos(stride * t), np.sin(stride * t)
    centre, sums = np.empty((6, len(t)), np.float32), np.empty((6, width), np.float32)
    for done in range(0, len(theta), width):
        for i in range(len(t)):
            c, s = a[i], b[i]
            centre[0, i], centre[1, i], centre[2, i], centre[3, i] = p[i] * c, p[i] * s, q[i] * c, q[i] * s
            centre[4, i], centre[5, i] = p[i] * (c * c - s * s), p[i] * (2 * c * s)
            a[i], b[i] = c * da[i] - s * db[i], s * da[i] + c * db[i]
        _product(centre[0], centre[1], single, sums[0], sums[1])
        _product(centre[2], centre[3], single, sums[2], sums[3])
        _product(centre[4], centre[5], double, sums[4], sums[5])
        _both_sides(sums, theta[done : done + width])


@njit(cache=True, nogil=True, fastmath=FAST)
def _product(
    a: NDArray[np.float32], b: NDArray[np.float32], table: NDArray[np.float32], of_a: NDArray[np.float32], of_b: NDArray[np.float32]
) -> None:
    """The products of two rows a, b (m,) with a table (m, k), into of_a, of_b (k,): as fast as BLAS, and without its threads."""
    of_a[:] = 0
    of_b[:] = 0
    for i in range(0, len(a), 4):
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        b0, b1, b2, b3 = b[i], b[i + 1], b[i + 2], b[i + 3]
        t0, t1, t2, t3 = table[i], table[i + 1], table[i + 2], table[i + 3]
        for j in range(len(of_a)):
            x0, x1, x2, x3 = t0[j], t1[j], t2[j], t3[j]
            of_a[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            of_b[j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3


@njit(cache=True, nogil=True, fastmath=FAST)
def _both_sides(sums: NDArray[np.float32], theta: NDArray[np.float32]) -> None:
    """`_theta` of one block: cos(a +- b) = cos a cos b -+ sin a sin b, sin(a +- b) = sin a cos b +- cos a sin b."""
    pc, ps, qc, qs, p2, r2 = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for j in range(HALF):
        k = HALF + j
        theta[k] = _theta(pc[j] - ps[k], ps[j] + pc[k], qc[j] - qs[k], qs[j] + qc[k], p2[j] - r2[k], r2[j] + p2[k])
    for j in range(HALF):
        k = HALF + j
        theta[HALF - 1 - j] = _theta(pc[j] + ps[k], ps[j] - pc[k], qc[j] + qs[k], qs[j] - qc[k], p2[j] + r2[k], r2[j] - p2[k])
