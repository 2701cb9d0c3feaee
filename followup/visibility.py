"""Positions of targets in tonight's sky, for thousands of them at once.

Directions are turned with ERFA itself: one matrix per time step, one product for all targets. UT1 is taken as UTC (they differ by less
than 0.9 s, 0.004 degrees) and aberration is left out (0.006 degrees), so that no Earth-orientation file is needed; altitudes agree
with astropy's ``AltAz`` to 0.01 degrees, which the tests check.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import erfa
import numpy as np
from numpy.typing import NDArray

from broker_adapters.times import MJD_ZERO_JD, tt_from_utc
from followup.records import Limits, Night, Site

Array = NDArray[np.float64]

_AU = 149597870700.0

#: Longest step of the time grid in days: 6 minutes, in which the sky turns by 1.5 degrees.
STEP = 6.0 / 1440.0

#: Days between which Sun and Moon are taken as moving on a straight line, which is right to 0.0002 and 0.002 degrees.
_SUN_KNOTS, _MOON_KNOTS = 0.25, 0.05

DEFAULT_LIMITS = Limits()


def night(site: Site, ra: Array, dec: Array, now: float, limits: Limits = DEFAULT_LIMITS) -> Night:
    """Compute the sky positions of n targets over the rest of the night; in daytime, over the coming night.

    Parameters
    ----------
    site : Site
        Observing site.
    ra, dec : ndarray, shape (n,)
        Degrees, ICRS.
    now : float
        MJD, UTC.
    limits : Limits
        Limits of observability.
    """
    times, step = _dark_time(site, now, limits.sun_altitude)
    targets = _unit_vectors(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))
    zenith, place = _site_vectors(site, times)
    moon = _directions(_moon(times) - place)
    altitude = _degrees(targets @ zenith.T)
    separation = _degrees_between(targets @ moon.T)
    moon_altitude = _degrees(np.einsum("ti,ti->t", moon, zenith))
    high = altitude >= math.degrees(math.asin(1.0 / limits.max_airmass))
    clear = (separation >= limits.moon_separation) | (moon_altitude <= 0.0)
    observable = high & clear
    for array in (times, altitude, separation, moon_altitude, observable):
        array.setflags(write=False)
    return Night(site, limits, now, times, step, altitude, separation, moon_altitude, moon_illumination(now), observable)


def ahead(tonight: Night, ra: Array, dec: Array, nights: int) -> tuple[Array, Array]:
    """Middles (MJD, UTC) of the k nights after tonight, shape (k,), and hours within the limits in each of them, shape (n, k).

    The hours are counted at full hours, for a look ahead; a night without a dark hour has NaN for its middle and none.
    """
    first = _evening(tonight.site, float(tonight.times[0]) if len(tonight.times) else tonight.now)
    grid = tonight.now + np.arange(0.0, nights + 2.0, 1.0 / 24.0)
    grid = grid[(_evening(tonight.site, grid) > first) & (_evening(tonight.site, grid) <= first + nights)]
    grid = grid[sun_altitude(tonight.site, grid) < tonight.limits.sun_altitude]
    zenith, place = _site_vectors(tonight.site, grid)
    moon = _directions(_moon(grid) - place)
    targets = _unit_vectors(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))
    up = targets @ zenith.T >= 1.0 / tonight.limits.max_airmass
    up &= (targets @ moon.T <= math.cos(math.radians(tonight.limits.moon_separation))) | (np.einsum("ti,ti->t", moon, zenith) <= 0.0)
    number = (_evening(tonight.site, grid) - first - 1).astype(np.intp)
    belongs = np.eye(nights)[number]
    count = belongs.sum(axis=0)
    middles = np.divide(grid @ belongs, count, out=np.full(nights, np.nan), where=count > 0)
    return middles, np.asarray(up.astype(np.float32) @ belongs.astype(np.float32), dtype=np.float64)


def _evening(site: Site, times: Any) -> Any:
    """Number of the day on whose evening a night begins at the site, at these times."""
    return np.floor(times + site.longitude / 360.0 - 0.5)


def hour_angle(site: Site, times: Array, ra: Array, dec: Array) -> Array:
    """Hour angles of n targets in hours, west positive, in [-12, 12), shape (n, t); ``times`` is MJD, UTC, ``ra`` and ``dec`` degrees."""
    towards = np.einsum("tij,nj->tni", _celestial_to_terrestrial(times), _unit_vectors(np.asarray(ra, float), np.asarray(dec, float)))
    east = np.degrees(np.arctan2(towards[..., 1], towards[..., 0]))
    return np.asarray((((site.longitude - east) / 15.0 + 12.0) % 24.0 - 12.0).T)


def sun_altitude(site: Site, times: Array) -> Array:
    """Altitude of the Sun's centre in degrees, no refraction, shape (t,); ``times`` is MJD, UTC."""
    zenith, place = _site_vectors(site, times)
    return _degrees(np.einsum("ti,ti->t", _directions(_sun(times) - place), zenith))


def moon_illumination(now: float) -> float:
    """Lit fraction of the Moon's disc in [0, 1] (Meeus 1998, chapter 48: half of one plus the cosine of the phase angle)."""
    time = np.array([now])
    moon, sun = _moon(time)[0], _sun(time)[0]
    to_sun = sun - moon
    cosine = -float(moon @ to_sun) / float(np.linalg.norm(moon) * np.linalg.norm(to_sun))
    return (1.0 + cosine) / 2.0


def airmass(altitude: Array) -> Array:
    """Airmass of a plane-parallel atmosphere, the same shape as ``altitude`` (degrees); infinite at and below the horizon."""
    sine = np.sin(np.radians(altitude))
    return np.divide(1.0, sine, out=np.full(np.shape(altitude), np.inf), where=sine > 1e-9)


def _dark_time(site: Site, now: float, limit: float) -> tuple[Array, float]:
    """Middles of equal steps that fill the dark time from ``now`` on, and the step; where dawn never comes, until the next noon."""
    grid = now + np.arange(0.0, 2.0, STEP)
    altitude = sun_altitude(site, grid)
    dark = altitude < limit
    within_a_day = grid < now + 1.0
    if not (dark & within_a_day).any():
        return np.empty(0), 0.0
    first = int(np.argmax(dark))
    start = _crossing(grid, altitude, first - 1, limit) if first else now
    light = ~dark[first:]
    noon = now + float(np.argmax(altitude[within_a_day])) * STEP
    if light.any() and int(np.argmax(light)) * STEP < 1.0:
        end = _crossing(grid, altitude, first + int(np.argmax(light)) - 1, limit)
    else:
        end = noon if noon > start + STEP else noon + 1.0
    n = max(1, math.ceil((end - start) / STEP))
    step = (end - start) / n
    return start + (np.arange(n) + 0.5) * step, step


def _crossing(grid: Array, altitude: Array, i: int, limit: float) -> float:
    """Time at which the Sun passes ``limit`` between samples i and i + 1, by linear interpolation: right to a few seconds."""
    part = (limit - altitude[i]) / (altitude[i + 1] - altitude[i])
    return float(grid[i] + part * STEP)


def _site_vectors(site: Site, times: Array) -> tuple[Array, Array]:
    """Zenith (unit) and place (au from the geocentre) of the site in the axes of the ICRS, each of shape (t, 3)."""
    longitude, latitude = math.radians(site.longitude), math.radians(site.latitude)
    up = np.array([math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)])
    here = erfa.gd2gc(1, longitude, latitude, site.elevation) / _AU
    celestial_to_terrestrial = _celestial_to_terrestrial(times)
    return up @ celestial_to_terrestrial, here @ celestial_to_terrestrial


def _celestial_to_terrestrial(times: Array) -> Array:
    """Matrices that turn directions of the ICRS into those of the Earth, shape (t, 3, 3).

    Precession and nutation are those of the middle: in a fortnight they change by 0.001 degrees.
    """
    if not len(times):
        return np.empty((0, 3, 3))
    middle = 0.5 * (times.min() + times.max())
    celestial_to_intermediate = erfa.c2i06a(MJD_ZERO_JD, tt_from_utc(np.array([middle]))[0])
    return np.asarray(erfa.c2tcio(celestial_to_intermediate, erfa.era00(MJD_ZERO_JD, times), np.eye(3)))


def _moon(times: Array) -> Array:
    """Geocentric position of the Moon in au, shape (t, 3)."""
    return _through_knots(lambda knots: erfa.moon98(MJD_ZERO_JD, tt_from_utc(knots))["p"], times, _MOON_KNOTS)


def _sun(times: Array) -> Array:
    """Geocentric position of the Sun in au, shape (t, 3)."""
    return _through_knots(lambda knots: -erfa.epv00(MJD_ZERO_JD, tt_from_utc(knots))[0]["p"], times, _SUN_KNOTS)


def _through_knots(position: Callable[[Array], Array], times: Array, step: float) -> Array:
    """Positions between those at knots that are so many days apart, or at the times themselves where these are fewer."""
    if not len(times):
        return np.empty((0, 3))
    knots = np.arange(times.min(), times.max() + step, step)
    if len(knots) >= len(times):
        return np.asarray(position(times))
    at_knots = np.asarray(position(knots))
    return np.stack([np.interp(times, knots, column) for column in at_knots.T], axis=-1)


def _unit_vectors(ra: Array, dec: Array) -> Array:
    return np.asarray(erfa.s2c(np.radians(ra), np.radians(dec)))


def _directions(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _degrees(sine: Array) -> Array:
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))


def _degrees_between(cosine: Array) -> Array:
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
