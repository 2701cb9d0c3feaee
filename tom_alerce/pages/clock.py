"""The clock of the board: the night at a site, from which the page's script shows UTC, local and sidereal time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from broker_adapters.times import datetime_from_mjd
from followup import sites
from followup.records import FollowupError, Site
from followup.visibility import sun_altitude
from tom_alerce import conf

#: Altitudes of the Sun's centre (degrees) that begin and end a night, with refraction and radius for the first.
TWILIGHTS = (("sunset", -0.833), ("civil", -6.0), ("nautical", -12.0), ("astronomical", -18.0))
#: Days between samples of the Sun's altitude, between which it is taken as a straight line: right to some seconds.
STEP = 10.0 / 1440.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of one site: Greenwich's sidereal time is worked out by the page, ``longitude`` is in degrees, ``offset`` in minutes."""

    site: str
    longitude: float
    zone: str
    offset: float
    twilights: tuple[tuple[str, float | None, float | None], ...]

    def as_dict(self) -> dict[str, Any]:
        """For the page's script."""
        return {"site": self.site, "longitude": self.longitude, "zone": self.zone, "offset": self.offset, "twilights": self.twilights}


def clock(name: str, now: float) -> Clock | None:
    """Clock of the site of that name, or of the settings' site of that name, at a time (MJD, UTC); None where nothing is known of it."""
    place = _site(name)
    if place is None:
        return None
    zone, offset = _zone(place, now)
    return Clock(place.name, place.longitude, zone, offset, _twilights(place, math.floor(now + place.longitude / 360.0 - 0.5)))


def _site(name: str) -> Site | None:
    for where in (conf.get("SITE"), name):
        try:
            found = sites.site(where)
        except FollowupError:
            continue
        if found.name == name:
            return found
    return None


def _zone(place: Site, now: float) -> tuple[str, float]:
    """Name of the time zone and minutes east of UTC; mean local time where there is no zone."""
    moment = datetime_from_mjd(now)
    try:
        local = moment.astimezone(ZoneInfo(place.timezone)) if place.timezone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local = None
    offset = None if local is None else local.utcoffset()
    if local is None or offset is None:
        return "mean local time", place.longitude * 4.0
    return str(local.tzname()), offset.total_seconds() / 60.0


@lru_cache(maxsize=64)
def _twilights(place: Site, day: int) -> tuple[tuple[str, float | None, float | None], ...]:
    """Each of `TWILIGHTS` with its evening and morning (MJD, UTC) in the night that begins at the local mean noon of a day."""
    noon = day + 0.5 - place.longitude / 360.0
    times = noon + np.arange(0.0, 1.0 + STEP, STEP)
    altitude = sun_altitude(place, times)
    return tuple((name, *_crossings(times, altitude - limit)) for name, limit in TWILIGHTS)


def _crossings(times: np.ndarray[Any, Any], height: np.ndarray[Any, Any]) -> tuple[float | None, float | None]:
    """When it first gets negative, and when it last stops being so; None where it does not."""
    down = np.flatnonzero((height[:-1] >= 0.0) & (height[1:] < 0.0))
    up = np.flatnonzero((height[:-1] < 0.0) & (height[1:] >= 0.0))

    def at(i: int) -> float:
        return float(times[i] + (times[i + 1] - times[i]) * height[i] / (height[i] - height[i + 1]))

    return (at(int(down[0])) if len(down) else None, at(int(up[-1])) if len(up) else None)
