"""Floating-mean Lomb-Scargle periodogram of one band, unnormalised: the chi squared that a sine explains at many frequencies.

Sines and cosines at the frequencies c +- d of a block follow from those at its centre c and those at the offsets d, which are the same in
every block: the sums over the points become products of matrices, (blocks x points) by (points x d). For more than `LONG` points the sums
come from an FFT (`nufft`). Sums are in float32, from phases in float64: accurate to 1e-6 of the highest power.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve import nufft
from classifiers.models.lightcurve._arrays import Floats

#: Frequencies on either side of the centre of a block (a power of two), and in a block.
HALF = 256
WIDTH = 2 * HALF

#: Number of points above which an FFT is faster.
LONG = 900

#: Liberties of the compiler with sums; it may not assume that numbers are finite.
FAST = {"reassoc", "contract", "nsz", "arcp"}


def prepared(t: Floats, m: Floats, e: Floats, zero: float) -> tuple[Floats, Floats, Floats]:
    """Times from `zero`, magnitudes less their weighted mean, and weights."""
    w = 1 / e**2
    return t - zero, m - (w * m).sum() / w.sum(), w


def explained(t: Floats, y: Floats, w: Floats, start: Floats, step: float, n: int) -> Floats:
    """Chi squared explained by a sine at n frequencies from each of `start` (k,), shape (k, n), in float64."""
    theta: Floats = _scan(t, *_normalised(y, w), start, step, n)
    return theta


def scanned(t: Floats, y: Floats, w: Floats, start: float, step: float, n: int) -> NDArray[np.float32]:
    """Chi squared explained by a sine at n frequencies, shape (n,), in float32."""
    (p, q), m = _normalised(y, w), -(-len(t) // 4) * 4
    if m > LONG:
        single = nufft.sums(t, np.stack([p, q]), start, step, n)
        theta: NDArray[np.float32] = _of_sums(*single, *nufft.sums(2 * t, p[None], start, step, n))
        return theta
    padded = np.zeros((3, m))  # a multiple of four; the padding has no weight
    padded[:, : len(t)] = t, p, q
    theta = np.empty(-(-n // (2 * WIDTH)) * 2 * WIDTH, np.float32)
    _blocks(*padded, start, step, theta)
    return theta[:n]


def _normalised(y: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Arguments p and q of `_theta`, scaled so that it gives chi squared."""
    total = float(w.sum())
    return w / total, w * y / math.sqrt(total)


@compiled(inline="always")
def _theta(sc: Any, ss: Any, yc: Any, ys: Any, c2: Any, s2: Any) -> Any:
    """Power of Zechmeister & Kuerster (2009, eq. 5-15) in the precision of the arguments.

    They are the sums of p cos, p sin, q cos, q sin, p cos 2, p sin 2, where p are weights that sum to one and q weighted magnitudes of mean
    zero.
    """
    half = np.float32(0.5)
    cc, sin2, cs = half + half * c2 - sc * sc, half - half * c2 - ss * ss, half * s2 - sc * ss
    determinant = cc * sin2 - cs * cs
    explained = yc * yc * sin2 + ys * ys * cc - (yc + yc) * ys * cs
    return explained / determinant if determinant > np.float32(1e-4) else np.float32(0.0)


@compiled(fastmath=FAST)
def _of_sums(p: NDArray[np.complex64], q: NDArray[np.complex64], double: NDArray[np.complex64]) -> NDArray[np.float32]:
    """`_theta` of the sums of p and q, and of those of p at twice the frequency, each of shape (n,)."""
    theta = np.empty(len(p), np.float32)
    for k in range(len(p)):
        theta[k] = _theta(p[k].real, p[k].imag, q[k].real, q[k].imag, double[k].real, double[k].imag)
    return theta


@compiled(fastmath=FAST)
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


@compiled(fastmath=FAST)
def _offsets(t: Floats, step: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Tables of cosines and sines, (m, `WIDTH`) flat, of times t (m,) at `HALF` offsets step / 2, 3 step / 2, ..., and of twice the phases.

    The second half of the offsets is the first, rotated by the angle between the halves.
    """
    single, double = np.empty(len(t) * WIDTH, np.float32), np.empty(len(t) * WIDTH, np.float32)
    c, s = np.empty(HALF), np.empty(HALF)
    for i in range(len(t)):
        angle, n = 2 * math.pi * step * t[i], 1
        c[0], s[0], dc, ds = math.cos(0.5 * angle), math.sin(0.5 * angle), math.cos(angle), math.sin(angle)
        while n < HALF:
            for j in range(n):
                c[n + j], s[n + j] = c[j] * dc - s[j] * ds, s[j] * dc + c[j] * ds
            dc, ds, n = dc * dc - ds * ds, 2 * dc * ds, 2 * n
        row, row2 = single[i * WIDTH : (i + 1) * WIDTH], double[i * WIDTH : (i + 1) * WIDTH]
        for j in range(HALF):
            row[j], row[HALF + j] = c[j], s[j]
            row2[j], row2[HALF + j] = c[j] * c[j] - s[j] * s[j], 2 * c[j] * s[j]
    return single, double


@compiled(fastmath=FAST)
def _blocks(t: Floats, p: Floats, q: Floats, start: float, step: float, theta: NDArray[np.float32]) -> None:
    """Write `_theta` from `start` on into theta, whose length is a multiple of 2 `WIDTH`: two blocks (four rows of `_product`) at once."""
    m, (single, double) = len(t), _offsets(t, step)
    first, stride = 2 * math.pi * (start + (HALF - 0.5) * step), 2 * math.pi * WIDTH * step
    a, b, da, db = np.cos(first * t), np.sin(first * t), np.cos(stride * t), np.sin(stride * t)
    centre, centre2 = np.empty((2, 4 * m), np.float32), np.empty((2, 2 * m), np.float32)
    sums, sums2 = np.empty((2, 4 * WIDTH), np.float32), np.empty((2, 2 * WIDTH), np.float32)
    for done in range(0, len(theta), 2 * WIDTH):
        for block in range(2):
            row, row2 = centre[block], centre2[block]
            for i in range(m):
                c, s = a[i], b[i]
                row[i], row[m + i], row[2 * m + i], row[3 * m + i] = p[i] * c, p[i] * s, q[i] * c, q[i] * s
                row2[i], row2[m + i] = p[i] * (c * c - s * s), p[i] * (2 * c * s)
                a[i], b[i] = c * da[i] - s * db[i], s * da[i] + c * db[i]
            _product(row, single, sums[block])
        _product(centre2.reshape(-1), double, sums2.reshape(-1))
        for block in range(2):
            _both_sides(sums[block], sums2[block], theta[done + block * WIDTH : done + (block + 1) * WIDTH])


@compiled(fastmath=FAST)
def _product(rows: NDArray[np.float32], table: NDArray[np.float32], into: NDArray[np.float32]) -> None:
    """Multiply four rows (4, m) by a table (m, `WIDTH`) into (4, `WIDTH`), all flat, so that the compiler knows the strides."""
    into[:] = 0
    m = len(rows) // 4
    a, b, c, d = rows[:m], rows[m : 2 * m], rows[2 * m : 3 * m], rows[3 * m :]
    for i in range(0, m, 4):
        a0, a1, a2, a3 = a[i], a[i + 1], a[i + 2], a[i + 3]
        b0, b1, b2, b3 = b[i], b[i + 1], b[i + 2], b[i + 3]
        c0, c1, c2, c3 = c[i], c[i + 1], c[i + 2], c[i + 3]
        d0, d1, d2, d3 = d[i], d[i + 1], d[i + 2], d[i + 3]
        four = table[i * WIDTH : (i + 4) * WIDTH]
        for j in range(WIDTH):
            x0, x1, x2, x3 = four[j], four[WIDTH + j], four[2 * WIDTH + j], four[3 * WIDTH + j]
            into[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            into[WIDTH + j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
            into[2 * WIDTH + j] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
            into[3 * WIDTH + j] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3


@compiled(fastmath=FAST)
def _both_sides(sums: NDArray[np.float32], sums2: NDArray[np.float32], theta: NDArray[np.float32]) -> None:
    """`_theta` of one block: cos(a +- b) = cos a cos b -+ sin a sin b, sin(a +- b) = sin a cos b +- cos a sin b."""
    pc, ps, qc, qs = sums[:WIDTH], sums[WIDTH : 2 * WIDTH], sums[2 * WIDTH : 3 * WIDTH], sums[3 * WIDTH :]
    p2, r2 = sums2[:WIDTH], sums2[WIDTH:]
    for j in range(HALF):
        k = HALF + j
        theta[k] = _theta(pc[j] - ps[k], ps[j] + pc[k], qc[j] - qs[k], qs[j] + qc[k], p2[j] - r2[k], r2[j] + p2[k])
    for j in range(HALF):
        k = HALF + j
        theta[HALF - 1 - j] = _theta(pc[j] + ps[k], ps[j] - pc[k], qc[j] + qs[k], qs[j] - qc[k], p2[j] + r2[k], r2[j] - p2[k])
