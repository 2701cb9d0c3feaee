"""The nouns of ``followup``: candidates, sites, nights, rankings and observation requests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker_adapters.times import date_from_day
from followup.candidate import Candidate as Candidate
from followup.coincidence import Coincidence as Coincidence
from followup.errors import FollowupError as FollowupError
from followup.marks import Mark as Mark
from followup.scores import Ranking as Ranking
from followup.scores import Reasons as Reasons
from followup.scores import Scores as Scores
from followup.scores import Vetoes as Vetoes

if TYPE_CHECKING:
    from followup.exposure import Instrument

#: Score of a term that cannot be known; its reason says why.
NEUTRAL = 0.5


@dataclass(frozen=True, slots=True)
class Site:
    """An observing site: degrees (east positive), metres, and the IANA name of its time zone ('' when unknown)."""

    name: str
    latitude: float
    longitude: float
    elevation: float = 0.0
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits within which a target is observable.

    ``max_airmass`` is of a plane-parallel atmosphere; the night begins when the centre of the Sun is at ``sun_altitude`` (degrees;
    -18 astronomical, -12 nautical); ``moon_separation`` (degrees) applies while the Moon is above the horizon.
    """

    max_airmass: float = 2.0
    sun_altitude: float = -18.0
    moon_separation: float = 20.0

    def __post_init__(self) -> None:
        """Raise a `FollowupError` for impossible limits."""
        if not (self.max_airmass >= 1.0 and -90.0 <= self.sun_altitude <= 90.0 and 0.0 <= self.moon_separation <= 180.0):
            raise FollowupError(f"impossible limits: {self}")


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """One night at one site, and the positions of n candidates in its sky.

    Attributes
    ----------
    site : Site
    limits : Limits
    now : float
        MJD, UTC: the moment of the ranking.
    times : ndarray, shape (t,)
        MJD, UTC: middles of t equal steps that fill the dark time left; empty when there is none.
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
        """ISO date of the evening at the site; a night begins at local mean noon."""
        middle = float(self.times[len(self.times) // 2]) if len(self.times) else self.now
        day = math.floor(middle + self.site.longitude / 360.0 - 0.5)
        return date_from_day(day).isoformat()


@dataclass(frozen=True, slots=True)
class Exposure:
    """``count`` exposures of ``seconds`` through ``filter`` (the facility's name of it)."""

    filter: str
    seconds: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class ObservationRequest:
    """A request to a facility to observe one target.

    Attributes
    ----------
    target : str
        The caller's key of the object, as in `Candidate.key`.
    name : str
    ra, dec : float
        Degrees, ICRS.
    facility : str
        A plug-in of ``followup/facilities`` or a dotted module.
    instrument : str
    exposures : tuple of Exposure
    start, end : float
        MJD, UTC: the window in which it may be observed.
    priority : float
        The ranking score, in [0, 1].
    max_airmass, min_lunar_distance : float
        Airmass; degrees.
    night : str
        ISO date of the evening at the site.
    occasion : str
        What tells it from others like it of the same night, as the round of a series; '' for nothing.
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
    occasion: str = ""

    @property
    def key(self) -> str:
        """Identity of the request, 32 hexadecimal digits: a digest of target, facility, instrument, filters, night and occasion.

        Window, priority, name, position and exposure times are left out, since a later ranking of the same night changes them
        without making it another request.
        """
        identity: Mapping[str, Any] = {
            "target": self.target,
            "facility": self.facility,
            "instrument": self.instrument,
            "filters": [e.filter for e in self.exposures],
            "night": self.night,
        } | ({"occasion": self.occasion} if self.occasion else {})
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:32]

    def title(self, length: int = 50) -> str:
        """Printable ASCII name for a facility, at most ``length`` characters: the target's name and 16 digits of the key."""
        tail = f" {self.key[:16]}"
        name = "".join(c for c in self.name if c.isascii() and (c.isalnum() or c in " +-._"))
        return (name.strip() or "target")[: length - len(tail)] + tail


Candidates = Sequence[Candidate]


class Term(Protocol):
    """A term of the ranking: a module of ``followup/terms``, or a module of your own under its dotted name."""

    def term(self, candidates: Candidates, night: Night, **parameters: Any) -> Scores:
        """Score n candidates at once; a score that cannot be known is `NEUTRAL`, and its reason says why.

        Parameters are keyword-only, have defaults and are given in the settings.
        """


class Veto(Protocol):
    """A veto of the ranking: a module of ``followup/vetoes``, or a module of your own under its dotted name."""

    def veto(self, candidates: Candidates, night: Night, **parameters: Any) -> Vetoes:
        """Say of n candidates at once which may be observed tonight; what cannot be known is no veto.

        Parameters are keyword-only, have defaults and are given in the profile.
        """


class Facility(Protocol):
    """A facility: a module of ``followup/facilities``, or a module of your own under its dotted name.

    Attributes
    ----------
    FACILITY : str
        Name of the facility in the TOM (``name`` of its class in ``TOM_FACILITY_CLASSES``).
    INSTRUMENTS : mapping of name to `followup.exposure.Instrument`

    Optional attributes
    -------------------
    DEFAULT_INSTRUMENT : str
        Instrument of requests for which none is named; the first of ``INSTRUMENTS`` where this is not given.
    NEEDED : tuple of str
        Options of ``payload`` without which the facility accepts no request: the settings must give them.
    check(data) -> sequence of str
        The problems of form data that can be found without asking the facility's portal.
    portal_problems(form, data) -> sequence of str
        The problems of form data by what the TOM's form knows from the portal, such as the filters that an instrument has now.
    credentials_refused(form) -> bool
        Whether the TOM's form shows that the portal has refused the key in the settings, where the toolkit does not say so.
    adapt(form)
        Lets the TOM's form take what the portal takes, where the toolkit's class is behind it.
    asked(data) -> `followup.asked.Asked`
        What form data ask for, which a person may have edited; FollowupError where they cannot be read.
    SITES : mapping of instrument to names of `followup.sites.SITES`
        Sites that have the instrument, none for a telescope in space; the sites of the TOM's class where this is not given.
    BY_HAND : str
        Why requests are not sent by us but in the TOM's own form of the facility alone.
    carry(sent, token) -> dict
        What is sent to the facility, from the TOM's form, with the token in it that identifies the request there.
    find(facility, data, token) -> list of list of str
        Identities at the facility (the TOM's class) of every request that carries the token. Without it a person looks up what was lost.
    STATES : mapping of str to (str, str)
        State of an observation at the facility -> our state (submitted, observed, failed, cancelled, expired), and words for it.
    failure(facility, observation_id) -> str
        What the facility says of an observation that failed.
    """

    FACILITY: str
    INSTRUMENTS: Mapping[str, Instrument]

    def payload(self, request: ObservationRequest, *, target_id: int | None = None, **options: Any) -> dict[str, Any]:
        """Return the form data of the TOM's facility as plain JSON; nothing is sent.

        It has ``observation_type``, ``name`` and ``target_id``; the name carries 16 digits of ``request.key``, and times are UTC. Options
        are keyword-only, have defaults and are given in the settings.
        """
