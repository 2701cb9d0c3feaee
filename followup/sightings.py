"""How often n candidates were seen in their places, by any survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker_adapters import surveys
from broker_adapters.lifetime import day
from followup.batch import Batch
from followup.reduction import APART
from followup.states import States


@dataclass(frozen=True, eq=False)
class Sightings:
    """Sightings of n candidates until a moment.

    Attributes
    ----------
    count : ndarray of int64, shape (n,)
        Detections at least an hour apart; 0 without a detection.
    total : ndarray of int64, shape (n,)
        Detections.
    first : ndarray, shape (n,)
        MJD of the first, NaN without one.
    states : States
    """

    count: NDArray[np.int64]
    total: NDArray[np.int64]
    first: NDArray[np.float64]
    states: States

    def __getitem__(self, i: int) -> str:
        """Words for candidate i."""
        count, here = int(self.count[i]), int(self.states.count("n")[i])
        if not count:
            return "no detection yet"
        who = ", ".join(sorted(surveys.about(name).label for name in self.states.seen_by(i))) if here else "surveys"
        if count == 1:
            seen = "once only" if here <= 1 else f"{here} times, all within an hour"
            return f"seen {seen}, by {who}: may be moving"
        if self.total[i] > here:
            return f"seen {self.total[i]} times since {day(float(self.first[i]))} by {who}"
        nights = int(self.states.count("nights")[i])
        apart = f" ({count} times an hour or more apart)" if count < here else ""
        return f"seen {here} times in {nights} night{'s' if nights > 1 else ''} by {who}{apart}"


def sightings(batch: Batch, now: float) -> Sightings:
    """Sightings until ``now`` (MJD, UTC), worked out once."""
    return batch.once(("sightings", now), lambda: _sightings(batch, now))


def _sightings(batch: Batch, now: float) -> Sightings:
    states, first, total = batch.at(now), batch.first_seen(now), batch.n_seen(now)
    here, apart = states.count("n"), states.count("apart")
    hours = np.floor(np.nan_to_num((np.where(here > 0, states.latest, now) - first) / APART)).astype(np.int64)
    more = np.maximum(apart, np.minimum(apart + total - here, 1 + hours))
    count = np.where(total > here, more, apart)
    return Sightings(np.where(np.isnan(first), 0, np.maximum(count, 1)), total, first, states)
