"""The cycle of a periodic light curve: period, amplitude and the time of a minimum, with errors that a forecast can be made from.

A harmonic series of `HARMONICS` terms is fitted at the period of the multiband search, in the band with most points. Errors are those of
a sine of the same semi-amplitude a in noise s over a time T with n points (Montgomery & O'Donoghue 1999, Delta Scuti Star Newsl. 13, 28):
of the frequency sqrt(6 / n) s / (pi T a), of the phase sqrt(2 / n) s / a.
"""

from __future__ import annotations

import math

import numpy as np

from classifiers.models.lightcurve.context import Context

#: Terms of the series: an eclipse is narrow, and few points allow few.
HARMONICS, POINTS_PER_TERM = 4, 6
#: Phases at which the series is looked at.
PHASES = 400


def cycle(shared: Context) -> dict[str, float] | None:
    """Days, magnitudes and MJD as `followup.cycles.Cycle` reads them; None without a period or with too few points.

    The minimum is that of light, the last one before the last point of the band.
    """
    period = shared.period.period
    t, m, e = max(shared.bands, key=lambda band: len(band[0]))
    terms = min(HARMONICS, len(t) // POINTS_PER_TERM)
    if not math.isfinite(period) or terms < 1 or np.ptp(t) < 2.0 * period:
        return None
    middle = 0.5 * (t[0] + t[-1])
    weight = 1.0 / e
    solution = np.linalg.lstsq(_series((t - middle) / period, terms) * weight[:, None], m * weight, rcond=1e-9)[0]
    noise = float(np.sqrt(np.mean((m - _series((t - middle) / period, terms) @ solution) ** 2)))
    phase = np.arange(PHASES) / PHASES
    folded = _series(phase, terms) @ solution
    amplitude = float(np.ptp(folded))
    if not amplitude > 2.0 * noise / math.sqrt(len(t)):
        return None
    share = noise / (0.5 * amplitude)
    period_err = period**2 * math.sqrt(6.0 / len(t)) * share / (math.pi * float(np.ptp(t)))
    faintest = middle + period * float(phase[np.argmax(folded)])
    minimum = faintest + period * math.floor((t[-1] - faintest) / period)
    at_middle = period / (2.0 * math.pi) * math.sqrt(2.0 / len(t)) * share
    minimum_err = math.hypot(max(at_middle, period / PHASES), (minimum - middle) / period * period_err)
    found = {"period": period, "period_err": period_err, "amplitude": amplitude, "minimum": float(minimum), "minimum_err": minimum_err}
    return {name: float(f"{value:.12g}") for name, value in found.items()}


def _series(phase: np.ndarray[tuple[int], np.dtype[np.float64]], terms: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Columns of a constant and of the sines and cosines of the harmonics, shape (n, 2 terms + 1)."""
    angle = 2.0 * np.pi * phase[:, None] * np.arange(1, terms + 1)
    return np.concatenate([np.ones((len(phase), 1)), np.cos(angle), np.sin(angle)], axis=1)
