"""The nouns of ``followup``: who could be observed, from where, and what is asked for."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import Detections

_MJD_ZERO = date(1858, 11, 17)

#: What a term says when it has nothing to go by; the reason says so.
NEUTRAL = 0.5


class FollowupError(Exception):
    """Base of everything that ``followup`` raises on purpose."""


@dataclass(frozen=True, slots=True)
class Site:
    """An observing site: degrees (east positive), metres, and the IANA name of its time zone ('' when unknown)."""

    name: str
    latitude: float
    longitude: float
    elevation: float = 0.0
    timezone: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One object that could be followed up.

    Attributes
    ----------
    key : str
        Identity of the object to the caller; comes back in the ranking.
    name : str
        What a person calls it.
    ra, dec : float
        Degrees, ICRS.
    detections : ndarray of DETECTION
    probabilities : mapping of classifier name to mapping of class to probability
        The latest word of each classifier; classifiers that cannot say are left out.
    classified : bool
        A spectroscopic class is already known.
    oddness : float
        Share of what a classifier learnt from that is less odd, in [0, 1]; NaN where none has said so.
    """

    key: str
    name: str
    ra: float
    dec: float
    detections: Detections = field(repr=False)
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    classified: bool = False
    oddness: float = math.nan


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as observable.

    ``max_airmass`` is that of a plane-parallel atmosphere; ``sun_altitude`` is where the night begins (degrees, centre of the Sun:
    -18 astronomical, -12 nautical); ``moon_separation`` is kept (degrees) while the Moon is above the horizon.
    """

    max_airmass: float = 2.0
    sun_altitude: float = -18.0
    moon_separation: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be, with a `FollowupError`."""
        if not (self.max_airmass >= 1.0 and -90.0 <= self.sun_altitude <= 90.0 and 0.0 <= self.moon_separation <= 180.0):
            raise FollowupError(f"limits that cannot be: {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """One night at one site, and where n candidates stand in it.

    Attributes
    ----------
    site : Site
    limits : Limits
    now : float
        MJD, UTC: the moment for which the ranking is made.
    times : ndarray, shape (t,)
        MJD, UTC: middles of t equal steps that fill the dark time that is left; empty when there is none.
    step : float
        Length of a step in days, 0 when there is no dark time left.
    altitude : ndarray, shape (n, t)
        Degrees above the horizon, no refraction.
    moon_separation : ndarray, shape (n, t)
        Degrees.
    moon_altitude : ndarray, shape (t,)
        Degrees.
    moon_illumination : float
        Lit fraction of the Moon at ``now``, in [0, 1].
    observable : ndarray of bool, shape (n, t)
        Within the limits.
    """

    site: Site
    limits: Limits
    now: float
    times: NDArray[np.float64] = field(repr=False)
    step: float
    altitude: NDArray[np.float64] = field(repr=False)
    moon_separation: NDArray[np.float64] = field(repr=False)
    moon_altitude: NDArray[np.float64] = field(repr=False)
    moon_illumination: float
    observable: NDArray[np.bool_] = field(repr=False)

    @property
    def hours(self) -> NDArray[np.float64]:
        """Hours left tonight in which each candidate is observable, shape (n,)."""
        return np.asarray(self.observable.sum(axis=1) * self.step * 24.0, dtype=np.float64)

    @property
    def date(self) -> str:
        """ISO date of the evening at the site: the night belongs to the local mean noon before it."""
        middle = float(self.times[len(self.times) // 2]) if len(self.times) else self.now
        day = math.floor(middle + self.site.longitude / 360.0 - 0.5)
        return (_MJD_ZERO + timedelta(days=day)).isoformat()


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """What one term says of n candidates: values in [0, 1], shape (n,), 0 being a veto, and one short reason each."""

    values: NDArray[np.float64]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """n candidates in order of merit, best first, with the whole table of terms.

    Attributes
    ----------
    keys : tuple of str, length n
    scores : ndarray, shape (n,)
        Weighted geometric mean of the terms; 0 where one of them vetoes.
    terms : mapping of term name to `Scores`
        In the same order as ``keys``.
    weights : mapping of term name to float
    hours : ndarray, shape (n,)
        Observable hours left tonight.
    """

    keys: tuple[str, ...]
    scores: NDArray[np.float64]
    terms: Mapping[str, Scores]
    weights: Mapping[str, float]
    hours: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """``count`` exposures of ``seconds`` through ``filter`` (the name that the facility gives it)."""

    filter: str
    seconds: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class ObservationRequest:
    """What is asked of a facility for one target.

    Attributes
    ----------
    target : str
        The caller's key of the object, as in `Candidate.key`.
    name : str
    ra, dec : float
        Degrees, ICRS.
    facility : str
        A plug-in of ``followup/facilities``.
    instrument : str
    exposures : tuple of Exposure
    start, end : float
        MJD, UTC: the window in which it may be observed.
    priority : float
        The ranking score, in [0, 1].
    max_airmass, min_lunar_distance : float
        Airmass; degrees.
    night : str
        ISO date of the evening at the site: with the target it says for what the request is made.
    """

    target: str
    name: str
    ra: float
    dec: float
    facility: str
    instrument: str
    exposures: tuple[Exposure, ...]
    start: float
    end: float
    priority: float
    max_airmass: float
    min_lunar_distance: float
    night: str

    @property
    def key(self) -> str:
        """Identity of the request, 32 hexadecimal digits: the same wish (target, facility, instrument, filters, night) has the same key.

        Window, priority, name, position and exposure times do not enter, since a later ranking of the same night moves them
        without making it another request.
        """
        wish: Mapping[str, Any] = {
            "target": self.target,
            "facility": self.facility,
            "instrument": self.instrument,
            "filters": [e.filter for e in self.exposures],
            "night": self.night,
        }
        return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()[:32]


Candidates = Sequence[Candidate]
