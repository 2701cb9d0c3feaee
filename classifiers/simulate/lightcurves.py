"""Light curves, as ZTF, ATLAS and LSST would measure them, of classes with few labelled real ones.

A class is a function of (times, rng) that gives total magnitudes in g and r; `observe` converts them to measurements of the surveys that
observe the object, each with its own cadence, depth, noise and reference (`surveys`). Parameter distributions:

- QSO, AGN: damped random walk, MacLeod et al. 2010 (ApJ 721, 1014), fig. 8-10; AGN diluted by their host galaxy;
- Blazar: damped random walk of larger amplitude and shorter time, Ruan et al. 2012 (ApJ 760, 51);
- YSO: walk of days to weeks with dips and spots, Cody et al. 2014 (AJ 147, 82);
- CV/Nova: outbursts of dwarf novae, Otulakowska-Hypka et al. 2016 (MNRAS 460, 2526); flickering and low states of nova-like variables and
  polars, Bruch 2021 (MNRAS 503, 953), Mason & Santana 2015 (MNRAS 448, 2287); novae, Strope et al. 2010 (AJ 140, 34);
- periodic classes: `harmonic`, the Fourier series of a given star (amplitudes, phases, period).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Detections
from classifiers.simulate import surveys

Floats = NDArray[np.float64]

#: Total magnitudes (g, r), each of the shape of the times (sorted).
Source = Callable[[Floats, Generator], tuple[Floats, Floats]]

#: Band -> its magnitude minus r, per magnitude of g - r. c = .49 g + .51 r and o = .55 r + .45 i (Tonry et al. 2018, PASP 130, 064505);
#: r - i is .44 (g - r), the median of 777 catalogued sources bluer than 1.1 near ZTF alerts. The g and r of the surveys are near enough.
COLOUR = {"g": 1.0, "c": 0.49, "r": 0.0, "o": -0.2}

#: Epochs of the reference image, days within which they are taken, and days from their end to the start of the light curve.
REFERENCE_EPOCHS, REFERENCE_DAYS, REFERENCE_AGE = 20, 120.0, (30.0, 1500.0)

#: Days per year on which an object is visible, and range of first nights (MJD).
SEASON, YEAR, FIRST = (150.0, 280.0), 365.25, (58300, 59800)


def nights(days: float, rng: Generator) -> Floats:
    """MJD (whole) of the nights within `days` on which an object is visible, as it is on the first."""
    season, nights = rng.uniform(*SEASON), np.arange(0.0, days)
    up = (nights + rng.uniform(0, 0.8 * season)) % YEAR < season
    found: Floats = float(rng.integers(*FIRST)) + nights[up]
    return found


def observe(source: Source, days: float, rng: Generator, watching: tuple[str, ...] = ("ztf",)) -> Detections:
    """Simulate the measurements of a source by surveys over `days`, as rows of `DETECTION` in time order.

    The reference flux in a survey's band is the mean of `REFERENCE_EPOCHS` epochs long before, so that a slow variable stays on one side of
    it. Objects that LSST alone observes are fainter (`surveys.fainter`) and otherwise the same.
    """
    up = nights(days, rng)
    exposures = list(surveys.exposures(watching, up, rng))
    age = {survey: rng.uniform(*REFERENCE_AGE) + rng.uniform(0, REFERENCE_DAYS, REFERENCE_EPOCHS) for survey in watching}
    times = [np.concatenate([up[0] - age[survey], mjd]) for survey, _, mjd in exposures]
    at, where = np.unique(np.concatenate(times), return_inverse=True)
    g, r = source(at, rng)
    shift = surveys.fainter(watching, rng)
    parts, ends = [], np.cumsum([len(t) for t in times])
    for (survey, band, mjd), of in zip(exposures, np.split(where, ends[:-1]), strict=True):
        total = flux_from_magnitude(r[of] + COLOUR[band] * (g[of] - r[of]) + shift)
        reference = float(total[:REFERENCE_EPOCHS].mean())
        parts.append(surveys.measure(survey, band, mjd, total[REFERENCE_EPOCHS:] - reference, reference, rng))
    return surveys.joined(parts)


def random_walk(t: Floats, sigma: float, tau: float, rng: Generator) -> Floats:
    """A damped random walk (Ornstein-Uhlenbeck process) of asymptotic rms `sigma` and time scale `tau` (d), shape of t (sorted)."""
    walk = np.empty(len(t))
    kick = rng.normal(size=len(t))
    for i in range(len(t)):
        f = np.exp(-(t[i] - t[i - 1]) / tau) if i else 0.0
        walk[i] = f * (walk[i - 1] if i else 0.0) + sigma * np.sqrt(1 - f * f) * kick[i]
    return walk


def qso(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Quasar: structure function at infinity of 0.2 mag, 200 d in the rest frame; bluer when brighter."""
    walk = random_walk(t, 10 ** rng.normal(-0.75, 0.2) * 1.2, 10 ** rng.normal(2.5, 0.4), rng)
    r = rng.uniform(16.5, 20.8) + walk
    return r + rng.normal(0.2, 0.15) + 0.2 * walk, r


def agn(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Active nucleus: a quasar in a host galaxy that gives most of the light."""
    g, r = qso(t, rng)
    host, share = rng.uniform(15.0, 18.5), rng.uniform(0.1, 0.6)
    colour = rng.uniform(0.4, 0.9)
    nucleus = host - 2.5 * np.log10(share)
    g, r = g - np.mean(g) + nucleus + rng.normal(0.2, 0.15), r - np.mean(r) + nucleus
    return _sum(g, host + colour), _sum(r, host)


def blazar(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Blazar: rms of 0.2 to 0.8 mag within days to months, nearly achromatic."""
    walk = random_walk(t, 10 ** rng.normal(-0.45, 0.18), 10 ** rng.normal(2.0, 0.5), rng)
    r = rng.uniform(15.5, 20.3) + walk
    return r + rng.normal(0.45, 0.15) + rng.normal(0.05, 0.08) * walk, r


def yso(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Young stellar object: accretion bursts or extinction dips of days to weeks, some with a rotation period; redder when fainter."""
    walk = random_walk(t, 10 ** rng.normal(-0.55, 0.25), 10 ** rng.normal(0.9, 0.5), rng)
    if rng.random() < 0.5:
        walk = np.abs(walk) * rng.choice([-1.0, 1.0], p=[0.4, 0.6]) * 1.5
    if rng.random() < 0.4:
        walk = walk + rng.uniform(0.05, 0.25) * np.sin(2 * np.pi * t / rng.uniform(1, 12) + rng.uniform(0, 6.28))
    r = rng.uniform(13.3, 18.5) + walk
    return r + rng.normal(1.3, 0.35) + rng.uniform(0.1, 0.5) * walk, r


def cataclysmic(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Cataclysmic variable: a dwarf nova, a nova-like variable, a polar, or a nova."""
    kinds = (_dwarf_nova, _nova_like, _polar, _nova)
    return kinds[rng.choice(len(kinds), p=(0.4, 0.2, 0.1, 0.3))](t, rng)


def _dwarf_nova(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Dwarf nova: outbursts of 2.5 to 6 mag for 3 to 20 d every 15 to 400 d."""
    quiet, colour = rng.uniform(16.5, 21.8), rng.normal(0.05, 0.15)
    light = 10 ** (-0.4 * (quiet + random_walk(t, rng.uniform(0.05, 0.3), 0.5, rng)))
    cycle = 10 ** rng.uniform(1.2, 2.6)
    at = t.min() - cycle * rng.random()
    while at < t.max():
        amplitude, plateau, rise, fall = rng.uniform(2.5, 6), rng.uniform(1, 14), rng.uniform(0.3, 1.0), rng.uniform(0.5, 2.0)
        peak = quiet - amplitude
        x = t - at
        slope = np.where(x < 0, -x / rise, np.where(x < plateau, 0.1 * x, 0.1 * plateau + (x - plateau) / fall))
        light += 10 ** (-0.4 * (peak + np.minimum(slope, 30)))
        at += cycle * rng.uniform(0.6, 1.4)
    r = -2.5 * np.log10(light)
    return r + colour, r


def _nova_like(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Nova-like: flickering of 0.1 to 0.3 mag within minutes, slow changes of 0.1 to 0.4 mag, in one of three low states of 1 to 4 mag."""
    flicker, slow = rng.normal(0, rng.uniform(0.05, 0.2), len(t)), random_walk(t, rng.uniform(0.1, 0.4), 10 ** rng.uniform(0.5, 1.7), rng)
    low = rng.uniform(1.0, 4.0) * (random_walk(t, 1.0, 150.0, rng) > 0.8) if rng.random() < 1 / 3 else 0.0
    r = rng.uniform(14.0, 18.5) + flicker + slow + low
    return r + rng.normal(0.1, 0.2), r


def _polar(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Polar: cyclotron beams of 0.3 to 1.5 mag at an orbit of 1.3 to 4 h, with high and low states 1 to 3 mag apart."""
    orbit = np.sin(2 * np.pi * t / rng.uniform(0.055, 0.17) + rng.uniform(0, 2 * np.pi))
    state = rng.uniform(1.0, 3.0) * (random_walk(t, 1.0, 100.0, rng) > rng.normal(0, 0.5))
    r = rng.uniform(15.5, 19.0) + rng.uniform(0.15, 0.75) * orbit + state + rng.normal(0, 0.1, len(t))
    return r + rng.normal(0.3, 0.3), r


def _nova(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
    """Nova: decline by 2 mag in 3 to 100 d, smooth or jittering, from an eruption days to months before the end; here or in M31."""
    peak = rng.uniform(10.0, 16.0) if rng.random() < 0.4 else rng.uniform(15.5, 19.0)
    quiet, t2 = rng.uniform(20.5, 25.0), 10 ** rng.uniform(0.5, 2.0)
    x = t - (t.max() - 10 ** rng.uniform(0.3, 2.2))
    fade = np.where(x < 0, -(10 ** rng.uniform(-0.3, 1)) * x, 2 * x / t2 / (1 + 0.12 * x / t2))
    jitter = random_walk(t, 10 ** rng.uniform(-1.3, -0.3), 10 ** rng.uniform(0, 1), rng)
    r = -2.5 * np.log10(10 ** (-0.4 * (peak + np.minimum(fade, 30) + jitter)) + 10 ** (-0.4 * quiet))
    return r + rng.normal(0.15, 0.25), r


def harmonic(period: float, mean: tuple[float, float], amplitude: Floats, phase: Floats) -> Source:
    """Star with the Fourier series of `features.folded`: amplitudes and phases of shape (2, k) for g and r, at its period in days."""

    def source(t: Floats, rng: Generator) -> tuple[Floats, Floats]:
        zero, k = rng.uniform(0, 2 * np.pi), np.arange(1, amplitude.shape[1] + 1)
        angle = k[:, None] * (2 * np.pi * t / period - zero)
        g, r = (m + (a[:, None] * np.cos(angle - p[:, None])).sum(axis=0) for m, a, p in zip(mean, amplitude, phase, strict=True))
        return g, r

    return source


def _sum(magnitude: Floats, constant: float) -> Floats:
    total: Floats = -2.5 * np.log10(10 ** (-0.4 * magnitude) + 10 ** (-0.4 * constant))
    return total


#: Class -> function of its light curve.
STOCHASTIC: dict[str, Source] = {"QSO": qso, "AGN": agn, "Blazar": blazar, "YSO": yso, "CV/Nova": cataclysmic}
