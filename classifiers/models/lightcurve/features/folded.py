"""Features of the light curve folded with its period: Kim's features and a harmonic series.

Psi_CS, Psi_eta (Kim et al. 2014, A&A 566, A43): range of the cumulative sum, and von Neumann's eta, of the magnitudes in the order of
phase over twice the period. Harmonics_* (Sanchez-Saez et al. 2021; Stellingwerf & Donohoe 1986): weighted least squares of a constant and
seven harmonics with weights 1 / (e + 0.01); mag_k is the amplitude, phase_k = phi_k - k phi_1 mod 2 pi, mse the mean squared residual,
chi the reduced sum of (residual / (e + 0.01))^2 (ALeRCE's older code has e + 5.01 there, a slip that the newer one mended), NaN for
fewer than 16 points. Of the solutions that fewer than 15 points leave open it is the shortest, as ALeRCE's.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context

#: Harmonics of the series.
HARMONICS = 7

#: Error added in magnitudes.
SOFTENING = 0.01

#: Eigenvalues of the normal equations below this part of the largest count as zero, since they are dominated by rounding.
RANK = 1e-12


def features(context: Context) -> dict[str, float]:
    """Features of both bands at the multiband period."""
    found: dict[str, float] = {}
    for suffix, (t, m, e) in context.named_bands:
        found |= {f"{name}{suffix}": value for name, value in one_band(t, m, e, context.period.period).items()}
    return found


def one_band(t: Floats, m: Floats, e: Floats, period: float) -> dict[str, float]:
    """Features of one band at a period in days; NaN without a period or without points."""
    known = math.isfinite(period) and len(t) > 2
    psi_cs, psi_eta = kim(t, m, period) if known else (math.nan, math.nan)
    amplitude, phase, mse, chi = harmonics(t, m, e, period) if known else (np.full(7, np.nan), np.full(7, np.nan), math.nan, math.nan)
    found = {"Psi_CS": psi_cs, "Psi_eta": psi_eta}
    found |= {f"Harmonics_mag_{k + 1}": float(amplitude[k]) for k in range(HARMONICS)}
    found |= {f"Harmonics_phase_{k + 1}": float(phase[k]) for k in range(1, HARMONICS)}
    return found | {"Harmonics_mse": mse, "Harmonics_chi": chi}


@compiled()
def kim(t: Floats, m: Floats, period: float) -> tuple[float, float]:
    """Psi_CS and Psi_eta."""
    n = len(t)
    x = m[np.argsort(np.mod(t, 2 * period), kind="mergesort")]
    mean, std = x.mean(), x.std()
    if not std > 0:
        return np.nan, np.nan
    running = low = high = eta = 0.0
    for i in range(n):
        running += x[i] - mean
        low, high = (running if i == 0 else min(low, running)), (running if i == 0 else max(high, running))
        if i > 0:
            eta += (x[i] - x[i - 1]) ** 2
    return (high - low) / (n * std), eta / ((n - 1) * std**2)


@compiled()
def harmonics(t: Floats, m: Floats, e: Floats, period: float) -> tuple[Floats, Floats, float, float]:
    """Amplitudes (7,), phases relative to the first harmonic (7,), mean squared residual, reduced chi squared."""
    n, k = len(t), 2 * HARMONICS + 1
    design = np.ones((n, k))
    for i in range(n):
        angle = 2 * math.pi * t[i] / period
        c, s = math.cos(angle), math.sin(angle)
        a, b = c, s
        for h in range(HARMONICS):
            design[i, 2 * h + 1], design[i, 2 * h + 2] = a, b
            a, b = a * c - b * s, b * c + a * s
    weight = 1 / (e + SOFTENING)
    scaled = design * weight.reshape(-1, 1)
    value, vector = np.linalg.eigh(scaled.T @ scaled)
    projected = vector.T @ (scaled.T @ (m * weight))
    solution = vector @ np.where(value > RANK * value[-1], projected / value, 0.0)
    residual = m - design @ solution
    amplitude, phase = np.empty(HARMONICS), np.empty(HARMONICS)
    for h in range(HARMONICS):
        amplitude[h] = math.hypot(solution[2 * h + 1], solution[2 * h + 2])
        phase[h] = math.atan2(solution[2 * h + 2], solution[2 * h + 1])
    first = phase[0]
    for h in range(HARMONICS):
        phase[h] = (phase[h] - (h + 1) * first) % (2 * math.pi)
    chi = ((residual * weight) ** 2).sum() / (n - k) if n > k else np.nan
    return amplitude, phase, (residual**2).mean(), chi
