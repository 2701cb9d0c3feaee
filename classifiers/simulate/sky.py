"""Positions on the sky of the alerts of a class."""

from __future__ import annotations

from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import BarycentricMeanEcliptic, Galactic, SkyCoord
from numpy.typing import NDArray

from classifiers.simulate._origins import Draw, Floats

#: Degrees: the survey's southern limit (Bellm et al. 2019), the thickness of the main belt in ecliptic latitude (standard deviation), the
#: e-folding of variable stars in galactic latitude, and the latitude below which galaxies are hidden.
SOUTH, BELT, DISC, HIDDEN = -30.0, 8.0, 12.0, 8.0


def places(labels: NDArray[np.str_], rng: Draw) -> dict[str, NDArray[Any]]:
    """Draw ``ra`` and ``dec`` in degrees, (n,): asteroids near the ecliptic, variable stars near the Galactic plane, galaxies off it."""
    ra, dec = np.zeros(len(labels)), np.full(len(labels), -90.0)
    missing = np.arange(len(labels))
    while missing.size:
        ra[missing], dec[missing] = _anywhere(labels[missing], rng)
        missing = missing[dec[missing] < SOUTH]
    return {"ra": ra, "dec": dec}


def _anywhere(labels: NDArray[np.str_], rng: Draw) -> tuple[Floats, Floats]:
    """Draw positions on the whole sky."""
    n = len(labels)
    longitude = rng.uniform(0, 360, n) * u.deg
    height = rng.uniform(0, 1, n)
    free = np.degrees(np.arcsin(height))
    off_plane = np.degrees(np.arcsin(np.sin(np.radians(HIDDEN)) + height * (1 - np.sin(np.radians(HIDDEN)))))
    in_plane = np.minimum(rng.exponential(DISC, n), 90.0)
    side = rng.choice([-1.0, 1.0], n)
    latitude = np.select([labels == "VS", labels == "bogus"], [in_plane, free], off_plane) * side
    galactic = SkyCoord(l=longitude, b=latitude * u.deg, frame=Galactic).icrs
    ecliptic = SkyCoord(lon=longitude, lat=np.clip(rng.normal(0, BELT, n), -90, 90) * u.deg, frame=BarycentricMeanEcliptic).icrs
    belt = labels == "asteroid"
    return np.where(belt, ecliptic.ra.deg, galactic.ra.deg), np.where(belt, ecliptic.dec.deg, galactic.dec.deg)
