"""One position in the sky of all sites of a facility, over a window: a network observes where the night is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from followup.exposure import Instrument
from followup.records import Limits, Site
from followup.visibility import airmass, hour_angle, moon_illumination, night

#: Nights of a window that are looked at, from its start on.
NIGHTS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """A position in the sky of one site, in the dark hours of a window, at t moments.

    Attributes
    ----------
    site : Site
    times : ndarray, shape (t,)
        MJD, UTC: middles of steps.
    days : ndarray, shape (t,)
        Length of each step in days.
    altitude, moon_separation, moon_altitude : ndarray, shape (t,)
        Degrees.
    hour_angle : ndarray, shape (t,)
        Hours, west positive.
    moon_illumination : float
        Lit fraction of the Moon at the start of the window, in [0, 1].
    """

    site: Site
    times: NDArray[np.float64] = field(repr=False)
    days: NDArray[np.float64] = field(repr=False)
    altitude: NDArray[np.float64] = field(repr=False)
    moon_separation: NDArray[np.float64] = field(repr=False)
    moon_altitude: NDArray[np.float64] = field(repr=False)
    hour_angle: NDArray[np.float64] = field(repr=False)
    moon_illumination: float

    def high(self, max_airmass: float, camera: Instrument | None = None) -> NDArray[np.bool_]:
        """Whether it is above the largest airmass and the telescope's horizon, shape (t,)."""
        horizon = 0.0 if camera is None else camera.horizon
        return np.asarray((airmass(self.altitude) <= max_airmass) & (self.altitude >= horizon) & (self.altitude > 0.0))

    def off_moon(self, degrees: float) -> NDArray[np.bool_]:
        """Whether the Moon is down or that far away, shape (t,)."""
        return np.asarray((self.moon_separation >= degrees) | (self.moon_altitude <= 0.0))

    def reached(self, camera: Instrument | None) -> NDArray[np.bool_]:
        """Whether the telescope points to that hour angle, shape (t,)."""
        return np.asarray(np.abs(self.hour_angle) <= (12.0 if camera is None else camera.hour_angle))

    def hours(self, mask: NDArray[np.bool_]) -> float:
        """Hours of the moments in a mask of shape (t,)."""
        return float(self.days[mask].sum() * 24.0)


def skies(sites: Sequence[Site], ra: float, dec: float, start: float, end: float, sun_altitude: float = -18.0) -> tuple[Sky, ...]:
    """The sky of each site for a position (degrees, ICRS) in a window (MJD, UTC), of which the first `NIGHTS` nights are looked at."""
    return tuple(_sky(site, ra, dec, start, end, sun_altitude) for site in sites)


def observable(sky: Sky, limits: Limits, camera: Instrument) -> NDArray[np.bool_]:
    """Whether one site may observe, shape (t,): within the limits, and where the telescope points."""
    return np.asarray(sky.high(limits.max_airmass, camera) & sky.off_moon(limits.moon_separation) & sky.reached(camera))


def window(seen: Sequence[Sky], limits: Limits, camera: Instrument) -> tuple[float, float] | None:
    """First and last moment (MJD, UTC) at which any site may observe; None where none may."""
    parts = []
    for sky in seen:
        up = np.flatnonzero(observable(sky, limits, camera))
        if len(up):
            parts.append((sky.times[up[0]] - sky.days[up[0]] / 2.0, sky.times[up[-1]] + sky.days[up[-1]] / 2.0))
    return (float(min(first for first, _ in parts)), float(max(last for _, last in parts))) if parts else None


def _sky(site: Site, ra: float, dec: float, start: float, end: float, sun_altitude: float) -> Sky:
    """Night after night, joined and cut to the window."""
    here, limits = (np.array([ra]), np.array([dec])), Limits(sun_altitude=sun_altitude)
    columns: list[list[NDArray[np.float64]]] = [[], [], [], [], [], []]
    at = start
    for _ in range(NIGHTS):
        if not at < end:
            break
        dark = night(site, *here, at, limits)
        if not len(dark.times):  # the Sun does not set
            at += 1.0
            continue
        inside = dark.times < end
        steps = np.full(len(dark.times), dark.step)
        angle = hour_angle(site, dark.times, *here)[0]
        found = (dark.times, steps, dark.altitude[0], dark.moon_separation[0], dark.moon_altitude, angle)
        for column, values in zip(columns, found, strict=True):
            column.append(values[inside])
        at = float(dark.times[-1]) + dark.step
    arrays = [np.concatenate([np.zeros(0), *column]) for column in columns]
    for array in arrays:
        array.setflags(write=False)
    times, days, altitude, separation, moon_altitude, angle = arrays
    return Sky(site, times, days, altitude, separation, moon_altitude, angle, moon_illumination(start))
