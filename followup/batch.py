"""Candidates together: what terms, vetoes, plan and store ask of all of them is worked out once, for every site and profile."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from followup.classes import Opinions
from followup.curves import Curves
from followup.places import Places
from followup.records import Candidate
from followup.states import States

if TYPE_CHECKING:
    from classifiers.posterior.records import Outlooks

Floats = NDArray[np.float64]
Made = TypeVar("Made")

#: Objects whose light curves are laid side by side at a time, so that memory does not grow with the number of candidates.
_CHUNK = 1000


class Batch(Sequence[Candidate]):
    """n candidates, and columns about them, shape (n,) each; terms get one from `Batch.of`.

    Attributes
    ----------
    ra, dec : ndarray
        Degrees, ICRS.
    classified : ndarray of bool
    oddness, observed : ndarray
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._all = candidates
        self._made: dict[Hashable, Any] = {}
        self.ra, self.dec = self.column("ra"), self.column("dec")
        self.oddness, self.observed = self.column("oddness"), self.column("observed")
        self.classified = np.array([c.classified for c in candidates], bool)

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> Batch:
        """The candidates as a batch; themselves if they are one."""
        return candidates if isinstance(candidates, Batch) else cls(candidates)

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, i: int) -> Candidate: ...

    @overload
    def __getitem__(self, i: slice) -> Sequence[Candidate]: ...

    def __getitem__(self, i: int | slice) -> Candidate | Sequence[Candidate]:
        return self._all[i]

    def column(self, name: str) -> Floats:
        """A number of every candidate."""
        return np.array([getattr(c, name) for c in self._all], dtype=np.float64)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` gives, made at the first call with this key."""
        if key not in self._made:
            self._made[key] = make()
        return cast(Made, self._made[key])

    def at(self, now: float) -> States:
        """States of the light curves at ``now`` (MJD, UTC)."""
        return self.once(("states", now), lambda: States.joined([self._states(low, now) for low in range(0, len(self), _CHUNK)], now))

    def _states(self, low: int, now: float) -> States:
        return States.of(self.curves(low, low + _CHUNK), now)

    def curves(self, low: int, high: int) -> Curves:
        """Light curves of the candidates from one place to before another."""
        return Curves.of([c.detections for c in self._all[low:high]])

    def first_seen(self, now: float) -> Floats:
        """MJD of the first detection by any survey until ``now``; NaN where none is known."""
        stated = self.once("first_seen", lambda: self.column("first_seen"))
        return np.fmin(self.at(now).number("first"), np.where(stated <= now, stated, np.nan))

    def n_seen(self, now: float) -> NDArray[np.int64]:
        """Number of detections by all surveys until ``now``; of those here alone where some are later, since counts have no dates."""
        states, stated = self.at(now), self.once("n_seen", lambda: self.column("n_seen").astype(np.int64))
        here = states.count("n")
        return np.where(states.count("later") > 0, here, np.maximum(here, stated))

    @property
    def marked(self) -> NDArray[np.intp]:
        """Places of the candidates of which somebody has said something, ascending."""
        return self.once("marked", lambda: np.array([i for i, c in enumerate(self._all) if c.marks], np.intp))

    @property
    def places(self) -> Places:
        """What catalogues have at the places of all."""
        nothing = Places.unknown(1)
        return self.once("places", lambda: Places.stack([c.place or nothing for c in self._all]))

    @property
    def opinions(self) -> Opinions:
        """What the classifiers say."""
        return self.once("opinions", lambda: Opinions.of([c.probabilities for c in self._all]))

    @property
    def has_outlook(self) -> NDArray[np.intp]:
        """Places of the candidates that have an outlook, ascending, shape (k,)."""
        return self.once("has_outlook", lambda: np.array([i for i, c in enumerate(self._all) if c.outlook is not None], np.intp))

    @property
    def outlooks(self) -> Outlooks:
        """Their outlooks, k of them."""
        return self.once("outlooks", self._stacked)

    def _stacked(self) -> Outlooks:
        from classifiers.posterior.records import Outlooks  # heavy, and not needed where there is none

        return Outlooks.stack([c.outlook for c in self._all if c.outlook is not None])

    def shares(self) -> Floats:
        """Probability of each class of supernova, given one, of those that have an outlook, shape (k, 4): by classifiers, else by that."""
        said = self.once("shares", self.opinions.among_supernovae)[self.has_outlook]
        return np.where(np.isnan(said), self.outlooks.classes, said)
