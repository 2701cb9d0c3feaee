"""The region of a place with an error: Fisher's distribution on the sphere, a mixture of such, or an elliptical one.

A radius that holds the event with probability c is sqrt(-2 ln(1 - c)) standard deviations per axis: 2.146 for 90 %, 1.51 for 68 %, and not
one. On the sphere r^2 / 2 becomes 1 - cos r, which keeps this exact for errors of any size.
"""

from __future__ import annotations

import numpy as np
from astropy import units as u
from astropy.coordinates import angular_separation, position_angle
from astropy_healpix import HEALPix
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from broker_adapters.notice import Cone
from followup.regions.distances import Distances

Floats = NDArray[np.float64]
#: Cells between the centre and the edge of a region, and the smallest radius that they are made for (degrees).
_ACROSS, _FINEST = 24.0, 1e-5
_SPHERE = 4.0 * np.pi * np.degrees(1.0) ** 2


def sigmas(containment: float) -> float:
    """Standard deviations per axis of the radius that holds so much of a normal distribution of two dimensions."""
    return float(np.sqrt(-2.0 * np.log1p(-containment)))


class ConeRegion:
    """The region of a cone."""

    def __init__(self, cone: Cone) -> None:
        self._ra, self._dec, self._angle = np.radians(cone.ra), np.radians(cone.dec), np.radians(cone.angle)
        axes = np.array([cone.error, cone.minor])
        if cone.systematic:  # a circle around the ellipse: what is added has no direction
            axes[:] = axes.max()
        versine = 1.0 - np.cos(np.radians(axes))
        variance = 2.0 * versine / sigmas(cone.containment) ** 2
        parts = cone.systematic or ((1.0, 0.0),)
        self._share = np.array([share for share, _ in parts]) / sum(share for share, _ in parts)
        #: Variances along both axes of each part of the mixture, radians^2, shape (parts, 2).
        self._variance = variance[None, :] + np.radians([extra for _, extra in parts])[:, None] ** 2

    @property
    def best(self) -> tuple[float, float]:
        """The centre."""
        return float(np.degrees(self._ra)), float(np.degrees(self._dec))

    def level(self, ra: ArrayLike, dec: ArrayLike) -> Floats:
        """Credible level of n positions, shape (n,)."""
        lon, lat = np.atleast_1d(np.radians(np.asarray(ra, float))), np.atleast_1d(np.radians(np.asarray(dec, float)))
        chord = 2.0 * np.sin(angular_separation(self._ra, self._dec, lon, lat) / 2.0)
        if self._variance[0, 0] == self._variance[0, 1]:
            return self._within(chord**2)
        turned = np.asarray(position_angle(self._ra, self._dec, lon, lat), float) - self._angle
        first, second = (chord * np.cos(turned)) ** 2, (chord * np.sin(turned)) ** 2
        return np.asarray(-np.expm1(-0.5 * (first / self._variance[0, 0] + second / self._variance[0, 1])))

    def area(self, level: ArrayLike) -> Floats:
        """Square degrees of the region of each level, shape (k,)."""
        return np.array([self._area(one) for one in np.atleast_1d(np.asarray(level, float)).tolist()])

    def distances(self, ra: ArrayLike, dec: ArrayLike) -> Distances:
        """Nothing is known of it."""
        return Distances.unknown(np.atleast_1d(np.asarray(ra)).size)

    def level_in_space(self, ra: ArrayLike, dec: ArrayLike, distance: ArrayLike, error: ArrayLike) -> Floats:
        """NaN, since the distance of the event is not known."""
        return np.full(np.atleast_1d(np.asarray(ra)).size, np.nan)

    def extent(self, level: float) -> float:
        """Degrees from the centre within which the region of a level lies."""
        stretch = np.sqrt(self._variance[0].max() / self._variance[0].min())
        return float(np.degrees(2.0 * np.arcsin(min(np.sqrt(self._square(level) * stretch) / 2.0, 1.0))))

    def cells(self, level: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """One order, with about `_ACROSS` cells from the centre to the edge, and nested indices of cells whose middles are inside."""
        radius = max(self.extent(level), _FINEST)
        order = int(np.clip(np.ceil(np.log2(np.degrees(np.sqrt(np.pi / 3.0)) * _ACROSS / radius)), 0, 29))
        grid, (ra, dec) = HEALPix(nside=2**order, order="nested"), self.best
        found = np.asarray(grid.cone_search_lonlat(ra * u.deg, dec * u.deg, radius * u.deg), np.int64)
        lon, lat = grid.healpix_to_lonlat(found)
        own = int(grid.lonlat_to_healpix(ra * u.deg, dec * u.deg))
        inside = np.union1d(found[self.level(lon.deg, lat.deg) <= level], [own])
        return np.full(len(inside), order, np.int64), inside.astype(np.int64)

    def _within(self, square: ArrayLike) -> Floats:
        """Probability within the square of a chord (radians^2) of the centre; of an ellipse as if it were a circle of its area."""
        inverse = 1.0 / np.sqrt(self._variance.prod(1))
        parts = np.expm1(-0.5 * np.multiply.outer(np.asarray(square, float), inverse)) / np.expm1(-2.0 * inverse)
        return np.asarray(parts @ self._share)

    def _square(self, level: float) -> float:
        """The other way round."""
        if not 0.0 < level < 1.0:
            return 4.0 if level >= 1.0 else 0.0
        return float(brentq(lambda square: float(self._within(square)) - level, 0.0, 4.0, xtol=1e-18, rtol=1e-12))

    def _area(self, level: float) -> float:
        return float(self._square(level) / 4.0 * _SPHERE)
