"""Distance: nearer first, by the redshift at TNS or by that of a host which is sure enough."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.places import Places
from followup.records import NEUTRAL, Candidates, FollowupError, Night, Reasons, Scores

_WORDS = {"host": ", by its host", "TNS": ", by its redshift at TNS", "person": ", by the host that a person chose"}


def term(candidates: Candidates, night: Night, *, half: float = 100.0) -> Scores:
    """1 / (1 + distance / half), shape (n,), with luminosity distances in Mpc; `NEUTRAL`, as at ``half``, where it is not known.

    Raises
    ------
    FollowupError
        ``half`` is not above 0.
    """
    if not half > 0.0:
        raise FollowupError(f"term 'distance': half is {half}; it must be above 0 Mpc")
    places = Batch.of(candidates).places
    known = places.distance > 0.0
    values = np.where(known, 1.0 / (1.0 + np.where(known, places.distance, half) / half), NEUTRAL)
    return Scores(values, Reasons(len(places), lambda i: _reason(places, i) if known[i] else "distance not known"))


def _reason(places: Places, i: int) -> str:
    return f"{places.distance[i]:.0f} Mpc{_WORDS.get(str(places.told_by[i]), '')}"
