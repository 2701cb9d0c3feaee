"""Shape of the distribution and of the sequence of the magnitudes of one band: the FATS family and the interquartile range.

Names and definitions are those of ALeRCE (Sanchez-Saez et al. 2021, AJ 161, 141, table 2; turbofats), after FATS (Nun et al. 2015,
arXiv:1506.00010). m are magnitudes, e their errors, t days; all need more than `MINIMUM` points, else they are NaN. Deviations from
ALeRCE: repeated times give no infinite slope (one exposure counts once), a time series of constant magnitude has NaN where ALeRCE divides
by zero, and IAR_phi uses every point with its own error.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtr

from broker_adapters.kernels import compiled
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context
from classifiers.models.lightcurve.features._kernels import median, percentile

#: ALeRCE asks for more than this many points in the band.
MINIMUM = 5


def features(context: Context) -> dict[str, float]:
    """Features of both bands, named with the suffix of the band."""
    found: dict[str, float] = {}
    for suffix, (t, m, e) in context.named_bands:
        found |= {f"{name}{suffix}": value for name, value in one_band(t, m, e).items()}
    return found


def one_band(t: Floats, m: Floats, e: Floats) -> dict[str, float]:
    """Features of one band; t, m, e of shape (n,) in time order, finite."""
    enough = len(t) > MINIMUM
    mean, std, amplitude, skew, deviation, near, largest, iqr = _distribution(m) if enough else (math.nan,) * 8
    beyond, k, chi2, excess = _weighted(m, e) if enough else (math.nan,) * 4
    con, eta, steepest, pairs, rcs, trend, _ = _sequence(t, m, mean, std) if enough else (math.nan,) * 7
    third, kurtosis = _moments(m, mean, std) if enough else (math.nan, math.nan)
    sf_amplitude, sf_gamma = structure_function(t, m, e) if enough else (math.nan, math.nan)
    return {
        "Amplitude": amplitude,
        "AndersonDarling": _anderson_darling(np.sort(m), mean, std),
        "Autocor_length": autocorrelation_length(m, mean),
        "Beyond1Std": beyond,
        "Con": con,
        "Eta_e": eta,
        "Gskew": skew,
        "MaxSlope": steepest,
        "Mean": mean,
        "Meanvariance": std / mean,
        "MedianAbsDev": deviation,
        "MedianBRP": near,
        "PairSlopeTrend": pairs,
        "PercentAmplitude": largest,
        "Q31": iqr,
        "Rcs": rcs,
        "Skew": third,
        "SmallKurtosis": kurtosis,
        "Std": std,
        "StetsonK": k,
        "Pvar": float(chdtr(len(t) - 1, chi2)),
        "ExcessVar": excess,
        "SF_ML_amplitude": sf_amplitude,
        "SF_ML_gamma": sf_gamma,
        "IAR_phi": iar_phi(t, m, e) if std > 0 else math.nan,
        "LinearTrend": trend,
        "iqr": iqr,
    }


@compiled()
def _distribution(m: Floats) -> tuple[float, float, float, float, float, float, float, float]:
    """Mean, Std, Amplitude, Gskew, MedianAbsDev, MedianBRP, PercentAmplitude, iqr."""
    ordered, tail = np.sort(m), math.ceil(0.05 * len(m))
    mid, off = median(ordered), np.sort(np.abs(m - median(ordered)))
    faint, bright = ordered >= percentile(ordered, 97.0), ordered <= percentile(ordered, 3.0)
    return (
        m.mean(),
        m.std(),
        0.5 * (median(ordered[-tail:]) - median(ordered[:tail])),
        median(ordered[bright]) + median(ordered[faint]) - 2 * mid,
        median(off),
        (off < (ordered[-1] - ordered[0]) / 10).mean(),
        off[-1] / mid,
        percentile(ordered, 75.0) - percentile(ordered, 25.0),
    )


@compiled()
def _moments(x: Floats, mean: float, std: float) -> tuple[float, float]:
    """Skew (biased) and the small-sample excess kurtosis of FATS."""
    if not std > 0:
        return np.nan, np.nan
    n = len(x)
    third = fourth = 0.0
    for value in x:
        z = (value - mean) / std
        third += z**3
        fourth += z**4
    kurtosis = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return third / n, kurtosis


@compiled()
def _weighted(m: Floats, e: Floats) -> tuple[float, float, float, float]:
    """Beyond1Std, StetsonK, chi squared about the mean (for Pvar), ExcessVar."""
    n = len(m)
    weight = total = 0.0
    for i in range(n):
        weight += 1 / e[i] ** 2
        total += m[i] / e[i] ** 2
    wmean, mean = total / weight, m.mean()
    spread = math.sqrt(((m - wmean) ** 2).sum() / (n - 1))
    beyond = stetson = squares = chi2 = excess = 0.0
    for i in range(n):
        if abs(m[i] - wmean) > spread:
            beyond += 1
        delta = math.sqrt(n / (n - 1)) * (m[i] - wmean) / e[i]
        stetson += abs(delta)
        squares += delta**2
        chi2 += (m[i] - mean) ** 2 / e[i] ** 2
        excess += (m[i] - mean) ** 2 - e[i] ** 2
    k = stetson / math.sqrt(n * squares) if squares > 0 else np.nan
    return beyond / n, k, chi2, excess / (n * mean**2)


@compiled()
def _sequence(t: Floats, m: Floats, mean: float, std: float) -> tuple[float, float, float, float, float, float, float]:
    """Con, Eta_e, MaxSlope, PairSlopeTrend, Rcs, LinearTrend, and the OLS intercept."""
    n = len(m)
    con = 0.0
    for i in range(n - 2):
        if abs(m[i] - mean) > 2 * std and abs(m[i + 1] - mean) > 2 * std and abs(m[i + 2] - mean) > 2 * std:
            con += 1
    weights = changes = steepest = 0.0
    for i in range(n - 1):
        dt, dm = t[i + 1] - t[i], m[i + 1] - m[i]
        if dt > 0:
            weights += 1 / dt**2
            changes += dm**2 / dt**2
            steepest = max(steepest, abs(dm / dt))
    eta = changes / (weights * std**2) if weights > 0 and std > 0 else np.nan
    trend = 0.0
    for i in range(max(n - 30, 0), n - 1):
        trend += 1.0 if m[i + 1] > m[i] else -1.0
    low = high = running = 0.0
    for i in range(n):
        running += m[i] - mean
        low, high = (running if i == 0 else min(low, running)), (running if i == 0 else max(high, running))
    day = t - t.mean()
    slope = (day * m).sum() / (day**2).sum() if (day**2).sum() > 0 else np.nan
    return con / (n - 2), eta, steepest, trend / 30, (high - low) / (n * std) if std > 0 else np.nan, slope, mean


@compiled()
def _anderson_darling(ordered: Floats, mean: float, std: float) -> float:
    """1 / (1 + exp(-10 (A2 - 0.3))), A2 the Anderson-Darling statistic against a normal distribution."""
    n = len(ordered)
    if not std > 0:
        return np.nan
    scale = std * math.sqrt(n / (n - 1)) * math.sqrt(2)
    total = 0.0
    for i in range(n):
        below = 0.5 * math.erfc(-(ordered[i] - mean) / scale)
        above = 0.5 * math.erfc((ordered[n - 1 - i] - mean) / scale)
        total += (2 * i + 1) * (math.log(max(below, 1e-300)) + math.log(max(above, 1e-300)))
    return 1 / (1 + math.exp(-10 * (-n - total / n - 0.3)))


@compiled()
def autocorrelation_length(m: Floats, mean: float) -> float:
    """First lag, in points, at which the autocorrelation is below 1/e; n if there is none."""
    n = len(m)
    total = ((m - mean) ** 2).sum()
    if not total > 0:
        return np.nan
    for lag in range(1, n):
        s = 0.0
        for i in range(n - lag):
            s += (m[i] - mean) * (m[i + lag] - mean)
        if s / total < math.exp(-1.0):
            return float(lag)
    return float(n)


@compiled()
def structure_function(t: Floats, m: Floats, e: Floats) -> tuple[float, float]:
    """Amplitude at one year and exponent of the structure function A (tau / 1 yr)^gamma (Schmidt et al. 2010, ApJ 714, 1194).

    sqrt(mean(dm^2 - e_i^2 - e_j^2)) over the pairs 5 to 365 d apart in bins of 0.1 dex; a line through the logarithms from 0.01 to half
    a year. An amplitude below 0.005 counts as none (0, 0), one above 15 as 15, the exponent is kept within [-0.5, 3]; fewer than two bins
    give (-0.5, -0.5), as ALeRCE has it.
    """
    n, lo = len(t), math.log10(5.0)
    bins = math.ceil((math.log10(365.0) - lo) / 0.1)
    number, power, edges = np.zeros(bins), np.zeros(bins), 10 ** (lo + 0.1 * np.arange(bins + 1))
    for i in range(n):
        b = 0
        for j in range(i + 1, n):
            lag = t[j] - t[i]
            if lag < 5.0:
                continue
            if lag > 365.0:
                break
            while lag >= edges[b + 1]:  # lags of a point ascend
                b += 1
            number[b] += 1
            power[b] += (m[i] - m[j]) ** 2 - e[i] ** 2 - e[j] ** 2
    sx = sy = sxx = sxy = k = 0.0
    for b in range(bins):
        tau = 0.5 * (10 ** (lo + 0.1 * b) + 10 ** (lo + 0.1 * (b + 1))) / 365.0
        if number[b] > 0 and power[b] > 0 and 0.01 < tau <= 0.5:
            x, y = math.log10(tau), 0.5 * math.log10(power[b] / number[b])
            sx, sy, sxx, sxy, k = sx + x, sy + y, sxx + x * x, sxy + x * y, k + 1
    if k < 2:
        return -0.5, -0.5
    gamma = (k * sxy - sx * sy) / (k * sxx - sx * sx)
    amplitude = 10 ** ((sy - gamma * sx) / k)
    if amplitude < 0.005:
        return 0.0, 0.0
    return min(amplitude, 15.0), min(max(gamma, -0.5), 3.0)


@compiled()
def iar_likelihood(phi: float, t: Floats, y: Floats, e: Floats) -> float:
    """Minus twice the log likelihood (without constant, over n) of an irregular AR(1) (Eyheramendy et al. 2018, MNRAS 481, 4311).

    y of unit variance with errors e; a Kalman filter with transition phi^dt.
    """
    state, variance, total, log_phi = 0.0, 1.0, 0.0, math.log(phi)
    for i in range(len(y)):
        innovation = variance + e[i] ** 2
        part, error = variance / innovation, y[i] - state
        total += math.log(innovation) + error * error / innovation
        if i < len(y) - 1:
            f = math.exp(log_phi * (t[i + 1] - t[i]))
            state = f * (state + part * error)
            variance = f * f * variance * (1 - part) + 1 - f * f
    return total / len(y)


@compiled()
def iar_phi(t: Floats, m: Floats, e: Floats) -> float:
    """Fit phi in (0, 1), which maximises the likelihood: the best of a coarse grid, then golden section."""
    scale = math.sqrt(((m - m.mean()) ** 2).sum() / (len(m) - 1))
    y, s = (m - m.mean()) / scale, e / scale
    best, at = np.inf, 0
    grid = np.array([0.0, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 0.999, 0.9999, 1.0 - 1e-7])
    for k in range(1, len(grid) - 1):
        value = iar_likelihood(grid[k], t, y, s)
        if value < best:
            best, at = value, k
    a, b, ratio = grid[at - 1], grid[at + 1], 0.6180339887498949
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    fc, fd = iar_likelihood(c, t, y, s), iar_likelihood(d, t, y, s)
    while b - a > 1e-7:
        if fc < fd:
            b, d, fd = d, c, fc
            c = b - ratio * (b - a)
            fc = iar_likelihood(c, t, y, s)
        else:
            a, c, fc = c, d, fd
            d = a + ratio * (b - a)
            fd = iar_likelihood(d, t, y, s)
    return float(0.5 * (a + b))
