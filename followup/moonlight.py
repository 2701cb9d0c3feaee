"""Brightness of the sky with the Moon in it: Krisciunas & Schaefer 1991 (PASP 103, 1033), in the V band."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from followup.records import Night

#: Extinction in V, magnitudes per airmass, and the dark sky at the zenith in nanolamberts (V = 21.6 mag/arcsec^2), as in the paper.
EXTINCTION, DARK = 0.172, 79.0

_HALF_HOUR = 0.5 / 24.0


class Moonlit(Protocol):
    """The sky of n targets (`followup.records.Night`), or of one (`followup.network.Sky`), at t moments."""

    @property
    def moon_illumination(self) -> float:
        """Lit fraction of the Moon."""

    @property
    def altitude(self) -> NDArray[np.float64]:
        """Degrees, shape (n, t) or (t,)."""

    @property
    def moon_separation(self) -> NDArray[np.float64]:
        """Degrees, of the shape of `altitude`."""

    @property
    def moon_altitude(self) -> NDArray[np.float64]:
        """Degrees, shape (t,)."""


def sky_excess(night: Moonlit) -> NDArray[np.float64]:
    """Factor by which moonlight brightens the sky at the place of each target, of the shape of its altitudes: 1 without the Moon.

    Equations 2, 3, 15, 20 and 21 of the paper, which are good to 8-23 per cent.
    """
    phase_angle = np.degrees(np.arccos(np.clip(2.0 * night.moon_illumination - 1.0, -1.0, 1.0)))
    illuminance = 10.0 ** (-0.4 * (3.84 + 0.026 * phase_angle + 4e-9 * phase_angle**4))
    separation = night.moon_separation
    scattering = 10.0**5.36 * (1.06 + np.cos(np.radians(separation)) ** 2) + 10.0 ** (6.15 - separation / 40.0)
    path, moon_path = _path(night.altitude), _path(night.moon_altitude)
    moonlight = scattering * illuminance * 10.0 ** (-0.4 * EXTINCTION * moon_path) * (1.0 - 10.0 ** (-0.4 * EXTINCTION * path))
    dark = DARK * 10.0 ** (-0.4 * EXTINCTION * (path - 1.0)) * path
    return 1.0 + np.where(night.moon_altitude > 0.0, moonlight / dark, 0.0)


def darkest(night: Night) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Index of the time at which each target is up in the darkest sky, and `sky_excess` then, infinite where it is not up, shape (n,) each.

    Moonlight changes slowly: a time in every half hour is looked at, and every one for what is up for less.
    """
    every = max(1, round(_HALF_HOUR / night.step)) if night.step else 1
    few = np.unique(np.append(np.arange(0, len(night.times), every), len(night.times) - 1))
    everybody = np.arange(len(night.observable))
    best, excess = _darkest(night, everybody, few)
    brief = np.flatnonzero(np.isinf(excess) & night.observable.any(axis=1))
    best[brief], excess[brief] = _darkest(night, brief, np.arange(len(night.times)))
    return best, excess


def _darkest(night: Night, rows: NDArray[np.intp], times: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """`darkest` of some targets at some of the times."""
    part = np.ix_(rows, times)
    observable = night.observable[part]
    some = replace(
        night,
        times=night.times[times],
        altitude=night.altitude[part],
        moon_separation=night.moon_separation[part],
        moon_altitude=night.moon_altitude[times],
        observable=observable,
    )
    excess = np.where(observable, sky_excess(some), np.inf)
    best = np.argmin(excess, axis=1)
    return times[best], np.take_along_axis(excess, best[:, None], axis=1)[:, 0]


def _path(altitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Optical path length through the scattering layer in airmasses (equation 3)."""
    return np.asarray((1.0 - 0.96 * np.cos(np.radians(altitude)) ** 2) ** -0.5)
