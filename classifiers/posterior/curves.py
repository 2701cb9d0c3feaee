"""Parameters of the posterior and the light curves that they stand for.

The curve is the supernova model of `classifiers.models.lightcurve.supernova` in each family, and between them, or beyond, the logarithm of
the flux is linear in wavelength. Its parameters are

====  ==========================================================================================
0     time of the peak in the g-like family, asinh of the days from the latest evidence over `WARP`
1     logarithm of the flux at the model's peak in that family over the brightest flux seen
2     days by which the model's r-like family peaks later
3     logarithm of the ratio of its peak to that of the g-like family
4-7   ln gamma, logit beta, ln tau_rise, ln tau_fall of the r-like family
8-11  what the g-like family adds to each of these
12    days by which the model's g-like family peaks later than 0
====  ==========================================================================================

The peak, 0, is the vertex of a parabola through a whole light curve, as people measure it. The maximum of the model, which rises faster
than it declines, is a day earlier.
"""

from __future__ import annotations

import numpy as np

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve import supernova
from classifiers.posterior.points import WAVELENGTHS, Floats

#: Number of parameters; days within which the time of the peak is linear, and largest transformed one: 1600 days.
SIZE, WARP, FARTHEST = 13, 8.0, 6.0

#: Ranges of ln gamma, logit beta, ln tau_rise and ln tau_fall.
LOW, HIGH = np.array([0.0, -6.0, -1.2, 0.3]), np.array([5.2, 6.0, 3.2, 5.5])

#: The rise that a fireball whose flux is (1 - (t / R)^2)^2 of its peak shares with the model at half of its height, in slope, began this
#: many tau_rise before t0.
FIREBALL = 2.7

#: Steps to the peak of the rise; days before the end of the plateau from which on the peak is searched, and after it until which; places.
NEWTON, EDGE, SEARCHED, COARSE = 4, 9.0, 12.0, 12

#: Wavelengths in nm that are so near to that of a family are of it alone.
NEAR = 30.0


@compiled()
def peak_of(q: Floats) -> tuple[float, float]:
    """Time and flux of the peak of the transformed parameters q (6,) of one family.

    Before the end of the plateau it is where exp(z) + z = gamma / (beta tau_rise) - 1, z = (t - t0) / tau_rise.
    """
    gamma, rise = np.exp(q[2]), np.exp(q[4])
    rest = gamma * (1 + np.exp(-q[3])) / rise - 1
    z = np.log(rest) if rest > 1 else rest - 1
    for _ in range(NEWTON):
        z -= (np.exp(z) + z - rest) / (np.exp(z) + 1)
    at, step = q[1] + rise * z, 1.0
    if rise * z > gamma - EDGE:
        at, step = _searched(q, gamma)
    a, b, c = supernova.model(q, np.array([at - step, at, at + step]))
    bend = a - 2 * b + c
    shift = min(max(0.5 * (a - c) / bend, -1.0), 1.0) if bend < 0 else 0.0
    return at + shift * step, max(b - 0.25 * (a - c) * shift, 1e-9)


@compiled()
def _searched(q: Floats, gamma: float) -> tuple[float, float]:
    """Time at which the flux is largest of a grid that is refined once, and the step of the grid."""
    span, t = gamma + SEARCHED, np.empty(COARSE)
    for i in range(COARSE):
        t[i] = q[1] + span * ((i + 1) / COARSE) ** 2
    best = int(np.argmax(supernova.model(q, t)))
    low, high = (t[best - 1] if best > 0 else q[1]), (t[best + 1] if best < COARSE - 1 else t[best])
    step = (high - low) / COARSE
    for i in range(COARSE):
        t[i] = low + (i + 0.5) * step
    return t[int(np.argmax(supernova.model(q, t)))], step


@compiled()
def of_fit(p: Floats, zero: float) -> Floats:
    """Parameters (n, 13) of n vectors (12,) of `supernova`, whose times count from `zero` days after the latest evidence; 12 is zero."""
    found = np.empty((len(p), SIZE))
    for i in range(len(p)):
        g, r = supernova.band_parameters(p[i], 0), supernova.band_parameters(p[i], 1)
        g[2:], r[2:] = np.minimum(np.maximum(g[2:], LOW), HIGH), np.minimum(np.maximum(r[2:], LOW), HIGH)
        (t_g, f_g), (t_r, f_r) = peak_of(g), peak_of(r)
        found[i, 0], found[i, 1] = np.arcsinh((t_g + zero) / WARP), np.log(max(f_g, 1e-6))
        found[i, 2], found[i, 3] = t_r - t_g, np.log(max(f_r, 1e-6)) - np.log(max(f_g, 1e-6))
        found[i, 4:8], found[i, 8:12], found[i, 12] = r[2:], g[2:] - r[2:], 0.0
    return found


@compiled()
def families(z: Floats) -> tuple[Floats, Floats]:
    """Transformed parameters (2, 6) of both families, times in days from the latest evidence, and day and logarithm of each peak (2, 2)."""
    q, peaks = np.empty((2, 6)), np.empty((2, 2))
    t_g = WARP * np.sinh(min(max(z[0], -FARTHEST), FARTHEST)) + z[12]
    peaks[0, 0], peaks[1, 0] = t_g, t_g + z[2]
    peaks[0, 1], peaks[1, 1] = z[1], z[1] + z[3]
    for k in range(2):
        q[k, 0], q[k, 1] = 0.0, 0.0
        for j in range(4):
            q[k, 2 + j] = min(max(z[4 + j] + (z[8 + j] if k == 0 else 0.0), LOW[j]), HIGH[j])
        at, height = peak_of(q[k])
        q[k, 0], q[k, 1] = peaks[k, 1] - np.log(max(height, 1e-6)), peaks[k, 0] - at
    return q, peaks


@compiled()
def share_of_red(wavelength: float) -> float:
    """Place of a wavelength in nm between the families: 0 near that of g, 1 near that of r; at most half a distance beyond."""
    if abs(wavelength - WAVELENGTHS[0]) < NEAR:
        return 0.0
    if abs(wavelength - WAVELENGTHS[1]) < NEAR:
        return 1.0
    return float(min(max((wavelength - WAVELENGTHS[0]) / (WAVELENGTHS[1] - WAVELENGTHS[0]), -0.5), 1.5))


@compiled()
def at_points(q: Floats, t: Floats, wavelength: Floats) -> Floats:
    """Fluxes (m,) of the parameters q (2, 6) of both families at m times, each at its wavelength in nm."""
    red, flux = np.empty(len(t)), np.empty(len(t))
    for j in range(len(t)):
        red[j] = share_of_red(wavelength[j])
    with_g, with_r = np.flatnonzero(red != 1), np.flatnonzero(red != 0)
    flux[with_g] = np.maximum(supernova.model(q[0], t[with_g]), 1e-9)
    r = np.maximum(supernova.model(q[1], t[with_r]), 1e-9)
    for k in range(len(with_r)):
        j = with_r[k]
        flux[j] = r[k] if red[j] == 1 else flux[j] ** (1 - red[j]) * r[k] ** red[j]
    return flux


@compiled()
def rendered(z: Floats, t: Floats, wavelength: Floats) -> Floats:
    """Fluxes (m,) of the parameters z (13,) at m times in days from the latest evidence, each at its wavelength in nm."""
    flux: Floats = at_points(families(z)[0], t, wavelength)
    return flux
