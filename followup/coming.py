"""The coming nights of candidates that have an outlook: on which is the chance to see them near their peak the best, and are they up?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from broker_adapters.times import date_from_day
from followup.batch import Batch
from followup.classes import SUPERNOVAE
from followup.records import Night, Site
from followup.visibility import ahead

Floats = NDArray[np.float64]

#: Nights after tonight that are looked at.
NIGHTS = 14
#: Hours for which a candidate is up on a night on which it can be observed.
_LEAST = 0.5

#: Every class of supernova counts alike.
ANY: Mapping[str, float] = MappingProxyType(dict.fromkeys(SUPERNOVAE, 1.0))

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, eq=False)
class Coming:
    """Chances of k candidates on tonight and the nights after it.

    Attributes
    ----------
    mjd : ndarray, shape (1 + NIGHTS,)
        Middle of each night; NaN of one without darkness.
    chance : ndarray, shape (k, 1 + NIGHTS)
        Probability of being near the peak then, in [0, 1].
    up : ndarray of bool, shape (k, 1 + NIGHTS)
        Whether it is within the limits for half an hour; tonight always.
    """

    mjd: Floats
    chance: Floats
    up: NDArray[np.bool_]

    @property
    def tonight(self) -> Floats:
        """Chance tonight, shape (k,)."""
        return self.chance[:, 0]

    @property
    def later(self) -> Floats:
        """Chance on each later night, 0 where it is not up, shape (k, NIGHTS)."""
        return np.where(self.up[:, 1:], self.chance[:, 1:], 0.0)


def coming(batch: Batch, night: Night, within: float, classes: Mapping[str, float]) -> Coming:
    """Chances of those that have an outlook (`Batch.has_outlook`) to be within so many days of their peak, given one of ``classes``."""
    worth = tuple(float(classes.get(name, 0.0)) for name in SUPERNOVAE)
    key = ("coming", night.site, night.limits, night.now, within, worth)
    return batch.once(key, lambda: _coming(batch, night, within, worth))


def middle(night: Night) -> float:
    """Middle of the dark time left tonight (MJD, UTC), or now where there is none."""
    return float(night.times[len(night.times) // 2]) if len(night.times) else night.now


def _coming(batch: Batch, night: Night, within: float, worth: tuple[float, ...]) -> Coming:
    has = batch.has_outlook
    mjd, hours = batch.once(("ahead", night.site, night.limits, night.now), lambda: ahead(night, batch.ra[has], batch.dec[has], NIGHTS))
    shares = batch.shares() * np.array(worth)
    whole = shares.sum(axis=1, keepdims=True)
    weights = np.divide(shares, whole, out=np.zeros_like(shares), where=whole > 0.0)
    times = np.concatenate([[middle(night)], mjd])
    chance = np.zeros((len(has), len(times)))
    if len(has):
        known = np.isfinite(times)
        chance[:, known] = np.clip(batch.outlooks.near_peak(times[known], within, weights), 0.0, 1.0)
    up = np.concatenate([np.ones((len(has), 1), bool), hours >= _LEAST], axis=1)
    return Coming(times, chance, up)


def evening(site: Site, mjd: float) -> str:
    """Day on whose evening the night of a time begins at a site, for people: ``Thu 26 Nov``."""
    day = date_from_day(math.floor(mjd + site.longitude / 360.0 - 0.5))
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"
