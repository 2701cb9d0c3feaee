"""Supernova model: a parametric fit to both band families at once, with uncertainties.

The shape is the supernova parametric model of Villar et al. (2019, ApJ 884, 83) in the smooth form of Sanchez-Saez et al. (2021, AJ 161,
141, eq. A1-A4),

    F(t) = A ((1 - b (t - t0) / g) (1 - s) + (1 - b) exp(-(t - t0 - g) / tau_fall) s) / (1 + exp(-(t - t0) / tau_rise)),

s = sigmoid((t - t0 - g) / 3 d). ALeRCE fits each band by itself, without priors; most light curves do not determine six parameters per
band, so here the maximum of a posterior is taken: Gaussian priors on the (transformed) parameters of the r-like band, and narrower ones
on what the g-like band differs by, both measured on spectroscopically typed ZTF supernovae. Outliers beyond `HUBER` sigma count
linearly; a limit counts only where the model exceeds it. Levenberg-Marquardt from two starts; the covariance is that of the
Gauss-Newton Hessian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from broker_adapters.kernels import compiled
from broker_adapters.significance import DETECTED
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.cholesky import solved
from classifiers.models.lightcurve.series import LightCurve

#: Parameters: ln A (over the brightest flux), t0 (d from the brightest point), ln gamma, logit beta, ln tau_rise, ln tau_fall of the r-like
#: band, then what the g-like band adds to each.
NAMES = ("A", "t0", "gamma", "beta", "tau_rise", "tau_fall")
MEAN = np.array([0.1, -10.0, 3.0, 0.0, 1.1, 3.2, 0.0, -1.0, -0.2, 0.3, -0.1, -0.35])
SIGMA = np.array([0.5, 15.0, 0.8, 1.2, 0.6, 0.6, 0.7, 3.0, 0.4, 0.7, 0.3, 0.4])

#: A value for each parameter of a family.
Six: TypeAlias = tuple[float, float, float, float, float, float]

#: Starting values of t0, d from the brightest point.
STARTS = (-12.0, -3.0)

#: Width of the transition to the decline in days (the older extractor's), robust threshold in sigma, iterations.
TRANSITION, HUBER, ITERATIONS = 3.0, 3.0, 40

#: Errors of the model that are added in quadrature: fractions of its flux, and of the peak flux.
ERROR_OF_FLUX, ERROR_OF_PEAK = 0.03, 0.02

#: Liberties of the compiler in the innermost functions, named at each of them: see `compiled`.
FAST = {"reassoc", "contract", "nsz"}

#: Days about the brightest point that are fitted, and before the first detection in which limits are.
BEFORE, AFTER, LIMITS_BEFORE = 150.0, 400.0, 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted supernova model.

    Attributes
    ----------
    parameters : shape (12,)
    covariance : shape (12, 12)
    zero : float
        MJD of the brightest point, from which t0 counts.
    scale : float
        Its flux in nJy, in units of which A is.
    chi2 : float
        Posterior loss (squared, robust) per detection.
    """

    parameters: Floats
    covariance: Floats
    zero: float
    scale: float
    chi2: float

    def band(self, family: int) -> Floats:
        """Parameters of a family (0 g, 1 r), shape (6,), transformed as fitted."""
        q: Floats = band_parameters(self.parameters, family)
        return q

    def flux(self, mjd: ArrayLike, family: int) -> Floats:
        """Flux in nJy of the model, shape of `mjd`."""
        flux: Floats = self.scale * model(self.band(family), np.atleast_1d(np.asarray(mjd, float)) - self.zero)
        return flux

    def flux_err(self, mjd: ArrayLike, family: int) -> Floats:
        """One standard deviation of `flux` in nJy, from the covariance and the error of the model."""
        t = np.atleast_1d(np.asarray(mjd, float)) - self.zero
        slope = slopes(self.band(family), t)
        gradient = np.concatenate([slope, slope * (family == 0)], axis=1)  # the g-like family has the differences too
        variance = np.einsum("ij,jk,ik->i", gradient, self.covariance, gradient)
        error: Floats = self.scale * np.sqrt(np.maximum(variance, 0) + (ERROR_OF_FLUX * slope[:, 0]) ** 2 + ERROR_OF_PEAK**2)
        return error


def fit(curve: LightCurve) -> Fit | None:
    """Fit a light curve's difference fluxes; None without a positive detection."""
    points = _points(curve)
    if points is None:
        return None
    t, f, e, g, limit, zero, scale = points
    start = MEAN.copy()
    best: tuple[Floats, float, Floats] | None = None
    for t0 in STARTS:
        start[1] = t0
        found = _maximise(t, f, e, g, limit, start)
        if best is None or found[1] < best[1]:
            best = found
    assert best is not None  # there are starts
    return Fit(best[0], np.linalg.inv(best[2]), zero, scale, best[1] / max(int((limit == 0).sum()), 1))


def _points(curve: LightCurve) -> tuple[Floats, Floats, Floats, int, Floats, float, float] | None:
    """Points of the fit, the g-like family first, and their zero point and scale.

    Times count from the brightest point (zero), fluxes and errors are over its flux (scale). Returned are times, fluxes, errors, the number
    of points of the g-like family, flags of limits, zero and scale.
    """
    t = np.concatenate([s.t for s in curve.series])
    f = np.concatenate([s.flux for s in curve.series])
    if not (f > 0).any():
        return None
    brightest = int(np.argmax(f - np.concatenate([s.flux_err for s in curve.series])))
    zero, scale = float(t[brightest]), float(f[brightest])
    if not scale > 0:
        return None
    first, last = t.min(), t.max()
    parts = []
    for s in curve.series:
        w = (s.limit_t > first - LIMITS_BEFORE) & (s.limit_t < last)
        e = np.sqrt((s.flux_err / scale) ** 2 + ERROR_OF_PEAK**2 + (ERROR_OF_FLUX * s.flux / scale) ** 2)
        limit_e = np.sqrt((s.limit[w] / scale / DETECTED) ** 2 + ERROR_OF_PEAK**2)
        columns = ((s.t, s.limit_t[w]), (s.flux / scale, s.limit[w] / scale), (e, limit_e), (np.zeros(len(s.t)), np.ones(w.sum())))
        part = np.array([np.concatenate(c) for c in columns])
        part[0] -= zero
        parts.append(part[:, (part[0] > -BEFORE) & (part[0] < AFTER)])
    t, f, e, limit = np.concatenate(parts, axis=1)
    return t, f, e, parts[0].shape[1], limit, zero, scale


@compiled()
def band_parameters(p: Floats, family: int) -> Floats:
    """Parameters of a family (0 g, 1 r), shape (6,), from all twelve."""
    return p[:6] + p[6:] if family == 0 else p[:6].copy()


@compiled()
def model(q: Floats, t: Floats) -> Floats:
    """Flux at times t of the transformed parameters q (6,), shape of t."""
    flux, natural = np.empty(len(t)), _natural(q)
    for i in range(len(t)):
        flux[i] = _point(natural, t[i])[0]
    return flux


@compiled()
def slopes(q: Floats, t: Floats) -> Floats:
    """Derivatives of the flux at times t (n,) by the transformed parameters q (6,), shape (n, 6); the first, that by ln A, is the flux."""
    found, natural = np.empty((len(t), len(q))), _natural(q)
    for i in range(len(t)):
        found[i] = _point(natural, t[i])
    return found


@compiled(fastmath=FAST)
def _natural(q: Floats) -> Six:
    """A, t0, gamma, beta, tau_rise, tau_fall."""
    return math.exp(q[0]), q[1], math.exp(q[2]), 1 / (1 + math.exp(-_bounded(q[3], 30.0))), math.exp(q[4]), math.exp(q[5])


@compiled(fastmath=FAST)
def _bounded(x: float, limit: float) -> float:
    return min(max(x, -limit), limit)


@compiled(fastmath=FAST)
def _point(natural: Six, t: float) -> Six:
    """One row of `slopes`: flux and derivatives at one time."""
    amplitude, t0, gamma, beta, rise, fall = natural
    x = t - t0
    u = (x - gamma) / TRANSITION
    late = 0.0 if u < -20 else 1.0 if u > 20 else 1 / (1 + math.exp(-u))
    plateau = 1 - beta * x / gamma
    decline = (1 - beta) * math.exp(-_bounded((x - gamma) / fall, 60.0)) if late > 0 else 0.0
    risen = 1 / (1 + math.exp(-_bounded(x / rise, 60.0)))
    shape = plateau * (1 - late) + decline * late
    turn, rising = (decline - plateau) * late * (1 - late) / TRANSITION, shape * risen * (1 - risen) / rise
    return (
        amplitude * shape * risen,
        amplitude * ((beta / gamma * (1 - late) + decline / fall * late - turn) * risen - rising),
        amplitude * risen * (beta * x / gamma * (1 - late) + gamma * (decline / fall * late - turn)),
        -amplitude * risen * beta * (x / gamma * (1 - beta) * (1 - late) + decline * late),
        -amplitude * rising * x,
        amplitude * risen * decline * late * (x - gamma) / fall,
    )


@compiled(fastmath=FAST)
def _family(q: Floats, t: Floats, f: Floats, e: Floats, limit: Floats, hessian: Floats, gradient: Floats) -> float:
    """Robust loss of one family's points; their part of the Hessian (6, 6) and of half the gradient (6,) by q is written in place."""
    n, natural = len(t), _natural(q)
    rows = np.empty((7, n))  # slopes of the residuals, then the residuals
    for i in range(n):
        point = _point(natural, t[i])
        z, steepness = (f[i] - point[0]) / e[i], -1 / e[i]
        if limit[i] and z > 0:
            z, steepness = 0.0, 0.0
        elif abs(z) > HUBER:
            robust = math.copysign(math.sqrt(2 * HUBER * abs(z) - HUBER**2), z)
            z, steepness = robust, steepness * HUBER / abs(robust)
        for j in range(6):
            rows[j, i] = steepness * point[j]
        rows[6, i] = z
    loss = 0.0
    for j in range(7):
        for k in range(j + 1):
            total = 0.0
            for i in range(n):
                total += rows[j, i] * rows[k, i]
            if j < 6:
                hessian[j, k] = hessian[k, j] = total
            elif k < 6:
                gradient[k] = total
            else:
                loss = total
    return loss


@compiled()
def _loss(p: Floats, t: Floats, f: Floats, e: Floats, g: int, limit: Floats, hessian: Floats, gradient: Floats) -> float:
    """Posterior loss, the first g points being of the g-like family.

    Its Gauss-Newton Hessian (12, 12) and half its gradient (12,) are written in place. A parameter of the r-like band and the difference of
    the g-like band from it change the g-like flux alike.
    """
    of_g, slope_g, of_r, slope_r = np.empty((6, 6)), np.empty(6), np.empty((6, 6)), np.empty(6)
    loss = _family(band_parameters(p, 0), t[:g], f[:g], e[:g], limit[:g], of_g, slope_g)
    loss += _family(band_parameters(p, 1), t[g:], f[g:], e[g:], limit[g:], of_r, slope_r)
    for j in range(6):
        gradient[j], gradient[6 + j] = slope_g[j] + slope_r[j], slope_g[j]
        for k in range(6):
            hessian[j, k], shared = of_g[j, k] + of_r[j, k], of_g[j, k]
            hessian[6 + j, k], hessian[j, 6 + k], hessian[6 + j, 6 + k] = shared, shared, shared
    for j in range(len(p)):
        pull = (p[j] - MEAN[j]) / SIGMA[j]
        loss += pull**2
        gradient[j] += pull / SIGMA[j]
        hessian[j, j] += 1 / SIGMA[j] ** 2
    return float(loss)


@compiled()
def _maximise(t: Floats, f: Floats, e: Floats, g: int, limit: Floats, start: Floats) -> tuple[Floats, float, Floats]:
    """Parameters, loss and Hessian at the maximum of the posterior (Levenberg-Marquardt)."""
    p, damping, m = start.copy(), 1e-2, len(start)
    hessian, gradient, new_hessian, new_gradient = np.empty((m, m)), np.empty(m), np.empty((m, m)), np.empty(m)
    loss = _loss(p, t, f, e, g, limit, hessian, gradient)
    for _ in range(ITERATIONS):
        improved, moved = loss, p
        for _ in range(8):
            damped = hessian.copy()
            for j in range(m):
                damped[j, j] *= 1 + damping
            moved = p - solved(damped, gradient)
            improved = _loss(moved, t, f, e, g, limit, new_hessian, new_gradient)
            if improved < loss:
                break
            damping *= 4
        if not improved < loss:
            break
        gain = loss - improved
        p, loss, damping = moved, improved, max(0.2 * damping, 1e-7)
        hessian, new_hessian, gradient, new_gradient = new_hessian, hessian, new_gradient, gradient
        if gain < 1e-5 * (1 + loss):
            break
    return p, loss, hessian
