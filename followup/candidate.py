"""One object that could be followed up."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker_adapters.records import Detections
from followup.brightness import History, history
from followup.coincidence import Coincidence
from followup.cycles import Cycle
from followup.marks import Mark
from followup.places import Places

if TYPE_CHECKING:
    from classifiers.posterior.records import Outlooks


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One object that could be followed up.

    Attributes
    ----------
    key : str
        The caller's key of the object, repeated in the ranking.
    name : str
        Name for people.
    ra, dec : float
        Degrees, ICRS.
    detections : ndarray of DETECTION
    probabilities : mapping of classifier name to mapping of class to probability
        The latest classification by each classifier; those without a result are left out.
    classified : bool
        Whether a spectroscopic class is known.
    first_seen : float
        MJD, UTC, of the first detection by any survey, among ``detections`` or long before them; NaN where none is known.
    n_seen : int
        Detections by all surveys, among ``detections`` or not.
    oddness : float
        Anomaly score: the share of a classifier's training set that is less anomalous, in [0, 1]; NaN where there is none.
    cycle : Cycle, optional
        Of a periodic star; None for all else.
    outlook : Outlooks of one, optional
        The posterior of its light curve (`classifiers.posterior`); None where it has not been worked out.
    marks : tuple of Mark
        What people say of it, expired or not.
    observed : float
        MJD, UTC, of our own latest observation of it; NaN without one.
    place : Places of one, optional
        What catalogues have at its place; None where they were not read.
    coincidences : tuple of Coincidence
        Events in whose regions it lies, those that count no more too.
    """

    key: str
    name: str
    ra: float
    dec: float
    detections: Detections = field(repr=False)
    probabilities: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)
    classified: bool = False
    oddness: float = math.nan
    first_seen: float = math.nan
    n_seen: int = 0
    cycle: Cycle | None = None
    outlook: Outlooks | None = field(default=None, repr=False)
    marks: tuple[Mark, ...] = ()
    observed: float = math.nan
    place: Places | None = field(default=None, repr=False)
    coincidences: tuple[Coincidence, ...] = ()
    _histories: dict[float, History | None] = field(default_factory=dict, init=False, repr=False)
    _load: Mapping[str, Callable[[], Any]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def deferred(cls, load: Mapping[str, Callable[[], Any]], **known: Any) -> Candidate:
        """A candidate of which some fields, such as ``detections``, are loaded when they are first read."""
        unread: Any = dict.fromkeys(load)
        one = cls(**unread, **known)
        object.__setattr__(one, "_load", load)
        for name in load:
            object.__delattr__(one, name)
        return one

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Load a field that is not here yet."""
            if name == "_load" or name not in self._load:
                raise AttributeError(name)
            object.__setattr__(self, name, self._load[name]())
            return getattr(self, name)

    def history(self, now: float) -> History | None:
        """Detections and trend at ``now`` (MJD, UTC), worked out at the first call; None without a detection until then."""
        if now not in self._histories:
            self._histories[now] = history(self.detections, now)
        return self._histories[now]
