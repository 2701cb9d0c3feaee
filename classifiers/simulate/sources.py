"""Labelled sources on the sky: position, and flux at any time in any band.

A source has no noise; `classifiers.simulate.observe` simulates its measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from broker_adapters.photometry import flux_from_magnitude

Array = NDArray[np.float64]
Light = Callable[[Array, str], Array]

#: Effective wavelengths in nm: LSST (and within a few nm ZTF) after the LSST Science Requirements; ATLAS after Tonry et al. 2018.
WAVELENGTHS = MappingProxyType({"u": 368.0, "g": 478.0, "c": 533.0, "r": 622.0, "o": 679.0, "i": 753.0, "z": 869.0, "y": 974.0})


@dataclass(frozen=True, slots=True)
class Source:
    """Labelled source.

    Attributes
    ----------
    index : int
        Number in the simulated sky, from which the ids of the surveys are made.
    label : str
        Our class (`classifiers.taxonomy`); 'asteroid' and 'bogus' among them.
    ra, dec : float
        Degrees, ICRS, at ``epoch``.
    epoch : float
        MJD at which a moving source is at its position.
    light : callable (mjd of shape (n,), band) -> ndarray of shape (n,)
        Variable flux in nJy; the constant flux is in ``reference``.
    reference : mapping of band to float
        Flux of the source in the reference image, nJy; empty if it is not in it.
    motion : (float, float)
        Degrees per day in right ascension (on the sky) and declination.
    seed : int
        Seed of its constant environment: host galaxy, field stars.
    """

    index: int
    label: str
    ra: float
    dec: float
    epoch: float
    light: Light
    reference: Mapping[str, float]
    seed: int
    motion: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Transient:
    """Rise, plateau and decline of Villar et al. 2019 (ApJ 884, 83, equation 1) in r, with the colours of a cooling black body."""

    start: float
    amplitude: float
    slope: float
    plateau: float
    rise: float
    fall: float
    hot: float
    cool: float
    cooling: float

    def __call__(self, mjd: Array, band: str) -> Array:
        """Flux in nJy, shape (n,), at times of shape (n,)."""
        t = np.asarray(mjd) - self.start
        early = 1.0 - self.slope * np.minimum(t, self.plateau)
        late = np.exp(-np.maximum(t - self.plateau, 0.0) / self.fall)
        shape = early * late / (1.0 + np.exp(-np.clip(t / self.rise, -50.0, 50.0)))
        temperature = self.cool + (self.hot - self.cool) * np.exp(-np.maximum(t, 0.0) / self.cooling)
        return np.asarray(self.amplitude * shape * _black_body(band, temperature) / _black_body("r", temperature))


@dataclass(frozen=True, slots=True)
class Walk:
    """Damped random walk in magnitude about a mean (Kelly et al. 2009, ApJ 698, 895), bluer bands varying more (MacLeod et al. 2010)."""

    times: Array
    steps: Array
    magnitude: float

    def __call__(self, mjd: Array, band: str) -> Array:
        """Flux in nJy, shape (n,), at times of shape (n,)."""
        chromatic = (WAVELENGTHS[band] / WAVELENGTHS["r"]) ** -0.5
        return flux_from_magnitude(self.magnitude + chromatic * np.interp(mjd, self.times, self.steps))


@dataclass(frozen=True, slots=True)
class Periodic:
    """Fourier series in magnitude about a mean: pulsators, and eclipses as even harmonics; amplitudes fall with wavelength."""

    period: float
    phase: float
    magnitude: float
    cosines: tuple[float, ...]
    colour: float

    def __call__(self, mjd: Array, band: str) -> Array:
        """Flux in nJy, shape (n,), at times of shape (n,)."""
        turn = 2.0 * np.pi * (np.asarray(mjd) / self.period + self.phase)
        wave = sum(a * np.cos(k * turn - 0.6 * (k - 1)) for k, a in enumerate(self.cosines, start=1))
        ratio = WAVELENGTHS[band] / WAVELENGTHS["r"]
        return flux_from_magnitude(self.magnitude + self.colour * (1.0 / ratio - 1.0) + wave * ratio**-0.8)


@dataclass(frozen=True, slots=True)
class Constant:
    """Constant magnitude in all bands, as of an asteroid within a night."""

    magnitude: float

    def __call__(self, mjd: Array, band: str) -> Array:
        """Flux in nJy, shape (n,), at times of shape (n,)."""
        return np.full(np.shape(mjd), float(flux_from_magnitude(self.magnitude)))


#: Transients: (slope, plateau, rise, fall, hot, cool, cooling) as (low, high); days and 1000 K. Within the fits of Villar et al. 2019 and
#: of Sanchez-Saez et al. 2021 (their SPM features); temperatures after Nicholl 2018 (superbol) and textbook spectra of the classes.
_TRANSIENTS = {
    "SNIa": ((0.002, 0.012), (8.0, 15.0), (2.5, 4.5), (22.0, 34.0), (12.0, 15.0), (5.5, 6.5), (14.0, 20.0)),
    "SNIbc": ((0.004, 0.015), (5.0, 12.0), (2.5, 5.0), (18.0, 35.0), (8.0, 10.0), (4.5, 5.5), (10.0, 16.0)),
    "SNII": ((0.001, 0.005), (50.0, 110.0), (1.0, 3.0), (15.0, 40.0), (13.0, 18.0), (5.0, 6.0), (16.0, 26.0)),
    "SLSN": ((0.001, 0.005), (15.0, 35.0), (8.0, 18.0), (40.0, 80.0), (14.0, 20.0), (7.0, 8.0), (40.0, 60.0)),
}
#: Periodic stars: (period in days), (half amplitude), harmonics relative to the first, (r magnitude).
_PERIODIC = {
    "RRL": ((0.42, 0.72), (0.25, 0.5), (1.0, 0.45, 0.25), (14.0, 18.5)),
    "E": ((0.3, 4.0), (0.15, 0.4), (0.15, 1.0, 0.05, 0.3), (13.5, 18.0)),
    "DSCT": ((0.05, 0.2), (0.08, 0.25), (1.0, 0.2), (13.5, 17.0)),
    "CEP": ((2.0, 30.0), (0.25, 0.5), (1.0, 0.35, 0.1), (13.5, 16.5)),
    "LPV": ((120.0, 420.0), (0.6, 1.8), (1.0, 0.1), (14.0, 17.0)),
}
#: Active nuclei: (log10 of the damping time in days), (asymptotic scatter in mag), (r magnitude).
_NUCLEI = {
    "AGN": ((1.6, 2.8), (0.10, 0.25), (15.5, 18.5)),
    "QSO": ((2.0, 2.9), (0.15, 0.30), (17.0, 20.0)),
    "Blazar": ((0.8, 1.8), (0.30, 0.60), (16.0, 19.0)),
}

#: Mixture of classes: that of a transient observer after the first cuts, not that of the sky.
MIXTURE = MappingProxyType(
    {
        "SNIa": 0.17, "SNII": 0.11, "SNIbc": 0.05, "SLSN": 0.02, "CV/Nova": 0.03,
        "AGN": 0.09, "QSO": 0.08, "Blazar": 0.02,
        "RRL": 0.06, "E": 0.05, "DSCT": 0.02, "CEP": 0.02, "LPV": 0.04,
        "asteroid": 0.12, "bogus": 0.12,
    }
)  # fmt: skip


def population(n: int, random: np.random.Generator) -> list[str]:
    """Draw labels of n sources in the proportions of `MIXTURE`, every class at least once if n allows, in random order."""
    labels = list(MIXTURE)
    shares = np.array(list(MIXTURE.values())) / sum(MIXTURE.values())
    counts = np.maximum(np.floor(shares * n).astype(int), 1)
    every = np.repeat(labels, counts)[:n]
    rest = random.choice(labels, size=n - len(every), p=shares)
    return [str(label) for label in random.permutation(np.concatenate([every, rest]))]


def source(index: int, label: str, place: tuple[float, float], now: float, random: np.random.Generator) -> Source:
    """Draw a source of a class at ``place`` (degrees), of an age at which it has alerts at ``now`` (MJD)."""
    motion = (0.0, 0.0)
    reference: Mapping[str, float] = {}
    light: Light
    if label in _TRANSIENTS:
        light = _transient(label, now, random)
    elif label == "CV/Nova":
        light = Transient(now - random.uniform(1.0, 12.0), _flux(random, 15.0, 18.0), 0.02, 5.0, 0.4, 8.0, 18e3, 12e3, 10.0)
    elif label in _NUCLEI:
        light, reference = _nucleus(label, now, random)
    elif label in _PERIODIC:
        light = _periodic(label, random)
        reference = {band: float(np.mean(light(np.linspace(now - 1000.0, now - 100.0, 400), band))) for band in WAVELENGTHS}
    else:
        light = Constant(random.uniform(17.0, 20.3))
        speed, angle = random.uniform(0.15, 0.6), random.uniform(0.0, 2.0 * np.pi)
        motion = (speed * np.cos(angle), speed * np.sin(angle)) if label == "asteroid" else motion
    return Source(index, label, *place, now, light, reference, int(random.integers(2**32)), motion)


def _transient(label: str, now: float, random: np.random.Generator) -> Transient:
    slope, plateau, rise, fall, hot, cool, cooling = (random.uniform(low, high) for low, high in _TRANSIENTS[label])
    age = random.uniform(2.0, 15.0) if random.random() < 0.5 else random.uniform(15.0, 45.0)
    return Transient(now - age, _flux(random, 16.8, 19.8), slope, min(plateau, 0.9 / slope), rise, fall, hot * 1e3, cool * 1e3, cooling)


def _nucleus(label: str, now: float, random: np.random.Generator) -> tuple[Walk, Mapping[str, float]]:
    """Draw a random walk, and its flux in the reference image, years before."""
    tau_range, scatter_range, magnitudes = _NUCLEI[label]
    tau, scatter = 10.0 ** random.uniform(*tau_range), random.uniform(*scatter_range)
    times = np.arange(now - 120.0, now + 2.0, 0.25)
    damping = np.exp(-0.25 / tau)
    kicks = random.normal(0.0, scatter * np.sqrt(1.0 - damping**2), len(times))
    kicks[0] = random.normal(0.0, scatter)
    light = Walk(times, lfilter([1.0], [1.0, -damping], kicks), random.uniform(*magnitudes))
    then = Walk(times[:1], np.array([random.normal(0.0, scatter)]), light.magnitude)
    return light, {band: float(then(times[:1], band)[0]) for band in WAVELENGTHS}


def _periodic(label: str, random: np.random.Generator) -> Periodic:
    periods, amplitudes, harmonics, magnitudes = _PERIODIC[label]
    period = float(np.exp(random.uniform(*np.log(periods))))
    cosines = tuple(random.uniform(*amplitudes) * h for h in harmonics)
    return Periodic(period, random.random(), random.uniform(*magnitudes), cosines, random.uniform(0.3, 1.2))


def _flux(random: np.random.Generator, bright: float, faint: float) -> float:
    return float(flux_from_magnitude(random.uniform(bright, faint)))


def _black_body(band: str, temperature: Array) -> Array:
    """Planck's law per unit frequency, in arbitrary units."""
    x = 1.438777e7 / (WAVELENGTHS[band] * temperature)  # hc / k in nm K
    return np.asarray(WAVELENGTHS[band] ** -3.0 / np.expm1(x))
