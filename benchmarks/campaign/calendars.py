"""Calendars: on which night each object begins, where it stands in the sky, and who is up and bright enough on each evening."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import erfa
import numpy as np
from numpy.typing import NDArray

from benchmarks.campaign.evenings import EVENING, LIMIT, Ints, States
from benchmarks.campaign.subjects import Floats
from broker_adapters.times import MJD_ZERO_JD
from followup import visibility
from followup.records import Night
from followup.sites import SITES

SITE = SITES["Palomar"]

#: New objects a night; the first night (MJD); nights before the first that counts.
BEGINNING, START, BURN_IN = 18, 59200, 30

#: Hours that the right ascension may differ from that of midnight when an object is brightest, range of declinations, least hours up.
AWAY, DECLINATIONS, LEAST = 5.0, (-25.0, 80.0), 0.5

Pools: TypeAlias = "list[Pool]"


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Who may be observed on one night: k objects.

    Attributes
    ----------
    number : int
        Number of the night in its calendar, from 0.
    night : Night
        Of these objects.
    subject, state : shape (k,)
        Places in the lists of subjects and states.
    shift : shape (k,)
        Days by which the light curves were moved.
    ra, dec : shape (k,)
        Degrees.
    """

    number: int
    night: Night
    subject: Ints
    state: Ints
    shift: Ints
    ra: Floats
    dec: Floats


def calendar(
    states: States, brightest: Floats, seed: int, beginning: int = BEGINNING, limit: float = LIMIT, among: Ints | None = None
) -> Pools:
    """Pools of every night of one calendar until the last objects have begun.

    Parameters
    ----------
    states : States
        Of all objects.
    brightest : ndarray, shape (n,)
        MJD at which each object is brightest.
    seed : int
        Of the order of the objects and of their places.
    beginning : int
        Objects that begin a night.
    limit : float
        Magnitude of the faintest that may be observed.
    among : ndarray, optional
        Places of the objects that take part; all by default.
    """
    own = np.arange(len(states.day0)) if among is None else among
    random, n = np.random.default_rng(seed), len(own)
    begins = np.empty(n, np.int64)
    begins[random.permutation(n)] = np.arange(n) // beginning
    shift = START + begins - states.day0[own]
    crowd = Crowd(own, begins, shift, states.start[own], np.diff(states.start)[own], *_places(brightest[own] + shift, random))
    return [_pool(number, states, crowd, limit) for number in range(int(begins.max()) + 1)]


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """The n objects of a calendar: places, first nights, shifts in days, first states, numbers of states; positions in degrees."""

    subject: Ints
    begins: Ints
    shift: Ints
    start: Ints
    lasts: Ints
    ra: Floats
    dec: Floats


def _places(brightest: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Right ascensions and declinations in degrees: about the meridian of midnight at the site when an object is brightest."""
    midnight = np.floor(brightest + SITE.longitude / 360.0 + 0.5) - SITE.longitude / 360.0
    meridian = np.degrees(erfa.gmst06(MJD_ZERO_JD, midnight, MJD_ZERO_JD, midnight)) + SITE.longitude
    low, high = np.sin(np.radians(DECLINATIONS))
    ra = (meridian + 15.0 * random.uniform(-AWAY, AWAY, len(brightest))) % 360.0
    return ra, np.degrees(np.arcsin(random.uniform(low, high, len(brightest))))


def _pool(number: int, states: States, crowd: Crowd, limit: float) -> Pool:
    """Those of a night that are recent, bright enough and up."""
    old = number - crowd.begins
    alive = np.flatnonzero((old >= 0) & (old < crowd.lasts))
    rows = crowd.start[alive] + old[alive]
    bright = states.magnitude[rows] <= limit
    alive, rows = alive[bright], rows[bright]
    ra, dec = crowd.ra[alive], crowd.dec[alive]
    night = visibility.night(SITE, ra, dec, START + number + EVENING)
    up = np.flatnonzero(night.hours > LEAST)
    return Pool(number, of_some(night, up), crowd.subject[alive[up]], rows[up], crowd.shift[alive[up]], ra[up], dec[up])


def of_some(night: Night, which: NDArray[np.intp] | NDArray[np.bool_]) -> Night:
    """The night of some of its objects."""
    tables = {name: getattr(night, name)[which] for name in ("altitude", "moon_separation", "observable")}
    return replace(night, **tables)
