"""Sources of alerts by class: brightness, host and distance from it. One function per class draws n sources.

Distributions given as quantiles were measured on real labelled ZTF alerts (40 AGN, 121 SN, 322 variable stars, 227 asteroids); they
describe alerts, with the selection by the survey, and not the sky.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.simulate._galaxies import BULGE, DISC

Floats = NDArray[np.float64]
Draw = np.random.Generator

#: Levels of the quantiles in this module.
LEVELS = np.array([0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Origins:
    """Sources of n alerts; arrays (n,).

    Attributes
    ----------
    change : AB magnitude of the absolute change of flux; ``sign`` its sign.
    nucleus : AB magnitude of the constant point source at the same place, NaN for none.
    host : AB magnitude of the host galaxy, NaN for none; ``distance`` of its centre and its half-light ``radius`` in arcsec,
        ``axis_ratio`` and ``index`` (of the profile).
    trail : length of the trail in arcsec.
    crowding : number of catalogued objects within 30 arcsec that is expected there.
    """

    change: Floats
    sign: Floats
    nucleus: Floats
    host: Floats
    distance: Floats
    radius: Floats
    axis_ratio: Floats
    index: Floats
    trail: Floats
    crowding: Floats


def quantiles(values: tuple[float, ...], n: int, rng: Draw) -> Floats:
    """Draw n values from the distribution with these quantiles at ``LEVELS``, interpolated linearly."""
    return np.asarray(np.interp(rng.uniform(size=n), LEVELS, values))


def supernova(n: int, rng: Draw) -> Origins:
    """Draw supernovae: on or near a galaxy; a tenth have no visible host, 5 % are in the reference image and fade."""
    host = quantiles((15.0, 15.8, 16.5, 18.2, 19.3, 20.9, 22.2, 22.9, 23.3), n, rng)
    host[rng.uniform(size=n) < 0.1] = np.nan
    radius = _size(host, n, rng)
    host -= extendedness(radius)
    # supernovae follow the light: about exponential in units of the half-light radius (Kelly et al. 2008, ApJ 687, 1201)
    distance = radius * rng.gamma(2.0, 0.45, n)
    sign = np.where(rng.uniform(size=n) < 0.95, 1.0, -1.0)
    change = quantiles((15.0, 16.8, 17.6, 18.4, 18.9, 19.4, 19.9, 20.3, 20.6), n, rng)
    nucleus = np.where(sign < 0, change - rng.uniform(0.2, 1.5, n), np.nan)
    index = np.where(rng.uniform(size=n) < 0.75, DISC, BULGE)
    return Origins(change, sign, nucleus, host, distance, radius, rng.uniform(0.25, 1.0, n), index, np.zeros(n), crowd(n, rng, 8.0, 0.6))


def active_nucleus(n: int, rng: Draw) -> Origins:
    """Draw active nuclei: point sources in the cores of galaxies that brighten or fade by part of their light."""
    nucleus = quantiles((16.4, 16.7, 17.0, 17.4, 18.1, 19.2, 20.0, 20.7, 21.0), n, rng)
    sign = np.where(rng.uniform(size=n) < 0.72, 1.0, -1.0)
    change = _variation(nucleus, sign, (-1.2, -0.9, -0.4, 0.1, 0.7, 1.2, 1.6, 2.0, 2.2), n, rng)
    host = nucleus + rng.normal(0.8, 0.9, n)
    host[rng.uniform(size=n) < 0.35] = np.nan
    index = np.where(rng.uniform(size=n) < 0.6, BULGE, DISC)
    centre = np.abs(rng.normal(0.0, 0.05, n))
    return Origins(
        change, sign, nucleus, host, centre, _size(host, n, rng), rng.uniform(0.5, 1.0, n), index, np.zeros(n), crowd(n, rng, 6.0, 0.45)
    )


def variable_star(n: int, rng: Draw) -> Origins:
    """Draw variable stars: stars of the reference image that brighten or fade, in crowded fields."""
    nucleus = quantiles((12.2, 12.8, 13.7, 15.2, 16.0, 17.1, 17.8, 19.5, 20.5), n, rng)
    sign = np.where(rng.uniform(size=n) < 0.42, 1.0, -1.0)
    change = _variation(nucleus, sign, (-2.5, -1.5, 0.4, 1.0, 1.65, 2.1, 2.5, 3.1, 3.6), n, rng)
    nothing = np.full(n, np.nan)
    zero = np.zeros(n)
    return Origins(change, sign, nucleus, nothing, zero, zero + 1, zero + 1, zero + DISC, zero, crowd(n, rng, 18.0, 1.1))


def asteroid(n: int, rng: Draw) -> Origins:
    """Draw asteroids: nothing in the reference image, slightly trailed."""
    change = quantiles((15.5, 16.2, 17.7, 18.7, 19.3, 19.7, 20.0, 20.3, 20.6), n, rng)
    # 30 s at the main belt's 0.2..0.7 arcsec a minute, with a tail of near-Earth objects (Jedicke et al. 2015, Asteroids IV, p. 795)
    trail = 0.5 * np.exp(rng.normal(np.log(0.5), 0.45, n))
    trail[rng.uniform(size=n) < 0.02] *= 8.0
    nothing = np.full(n, np.nan)
    zero = np.zeros(n)
    return Origins(change, zero + 1, nothing, nothing, zero, zero + 1, zero + 1, zero + DISC, trail, crowd(n, rng, 5.0, 0.5))


def _variation(nucleus: Floats, sign: Floats, difference: tuple[float, ...], n: int, rng: Draw) -> Floats:
    """Magnitude of the change of a source, fainter than the source by ``difference``; a source cannot fade by more than its flux."""
    fainter = quantiles(difference, n, rng)
    return np.asarray(nucleus + np.where(sign < 0, np.abs(fainter) + 0.15, fainter))


def _size(magnitude: Floats, n: int, rng: Draw) -> Floats:
    """Half-light radius of galaxies in arcsec: 4 at r = 18, 1.3 at 21, scatter 0.2 dex (nearby hosts are large; measured)."""
    radius = 4.0 * 10 ** (-0.165 * (np.nan_to_num(magnitude, nan=18.0) - 18.0) + rng.normal(0.0, 0.2, n))
    return np.asarray(np.clip(radius, 0.2, 12.0))


def fainter(sources: Origins, magnitudes: float) -> Origins:
    """Sources at a larger distance: fainter, with hosts as small as galaxies of the fainter magnitude (see `_size`)."""
    dimmed = {name: getattr(sources, name) + magnitudes for name in ("change", "nucleus", "host")}
    shrunk = {name: getattr(sources, name) * 10 ** (-0.165 * magnitudes) for name in ("distance", "radius")}
    return replace(sources, **dimmed, **shrunk)


def extendedness(radius: Floats) -> Floats:
    """Magnitudes by which a galaxy is brighter than its PSF fit, for its half-light radius in arcsec (our estimate)."""
    return np.asarray(2.5 * np.log10(1 + radius / 2.0))


def crowd(n: int, rng: Draw, median: float, scatter: float) -> Floats:
    """Draw the number of catalogued objects within 30 arcsec: log-normal about the median of the class (``nmtchps`` of real alerts)."""
    return np.asarray(median * np.exp(scatter * rng.standard_normal(n)))


#: Class -> function that draws its sources. Bogus has none: see ``artefacts``.
DRAW: dict[str, Callable[[int, Draw], Origins]] = {
    "AGN": active_nucleus,
    "SN": supernova,
    "VS": variable_star,
    "asteroid": asteroid,
}
