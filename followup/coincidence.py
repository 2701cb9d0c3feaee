"""An object in the region of an event, in time: how well they agree, and how many objects would agree as well by chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from followup.errors import FollowupError
from followup.regions.distances import Distances

Floats = NDArray[np.float64]

#: Errors of the distance of a host: a share of it, and Mpc, of its motion of 350 km/s.
SHARE, MOTION = 0.1, 5.0
#: Of what is not known to agree, as a distance that nobody has measured.
UNKNOWN = 0.5


@dataclass(frozen=True, slots=True)
class Search:
    """Which objects may be counterparts of an event.

    Attributes
    ----------
    before, after : float
        Days of the first detection, before and after the event.
    level : float
        Credible level of the region that is searched, above 0 and below 1.
    largest : float
        Square degrees: events whose region of 90 % is larger are shown and not searched.
    mocks : bool
        Whether mock and test events are searched, too; they never count in a ranking.
    """

    before: float = 1.0
    after: float = 31.0
    level: float = 0.95
    largest: float = 5000.0
    mocks: bool = False

    def __post_init__(self) -> None:
        """Raise a `FollowupError` for an impossible search."""
        if not (0.0 <= self.before < inf and 0.0 < self.after < inf and 0.0 < self.level < 1.0 and self.largest > 0.0):
            raise FollowupError(f"impossible search: {self}")


@dataclass(frozen=True, slots=True)
class Coincidence:
    """One object and one event.

    Attributes
    ----------
    event : str
        Name of the event.
    mjd : float
        MJD, UTC, of the event.
    until : float
        MJD, UTC, after which it counts no more.
    level : float
        Credible level of the object's place.
    mu, sigma, norm : float
        Distance of the event there (`followup.regions.Distances`); NaN where it is not known.
    delay : float
        Days from the event to the first detection; below -``before`` where the object was there already, which rules it out.
    expected : float
        Unrelated objects expected in as good a place, in the time that has gone by; NaN where it is not known.
    early : bool
        Seen before the event, by more than the search allows.
    status : str
        What people say: 'pending', 'confirmed' or 'rejected'.
    """

    event: str
    mjd: float
    until: float
    level: float
    delay: float
    mu: float = nan
    sigma: float = nan
    norm: float = nan
    expected: float = nan
    early: bool = False
    status: str = "pending"


def host_error(distance: ArrayLike) -> Floats:
    """Error of the distance of a host, Mpc."""
    return np.asarray(np.hypot(SHARE * np.asarray(distance, float), MOTION))


def agreement(here: Distances, distance: ArrayLike) -> Floats:
    """How well n distances of hosts (Mpc) agree with the event's there, in [0, 1], shape (n,).

    1 where the event has none to disagree with; `UNKNOWN`, and not 0, where the object has none.
    """
    value = here.agreement(distance, host_error(distance))
    return np.where(np.isfinite(here.norm), np.where(np.isfinite(value), value, UNKNOWN), 1.0)


def worth(level: ArrayLike, agreement: ArrayLike) -> Floats:
    """Rank of n objects in the region, in [0, 1], shape (n,): what is left outside their level, times the agreement of the distances."""
    return np.asarray(np.clip((1.0 - np.asarray(level, float)) * np.asarray(agreement, float), 0.0, 1.0))
