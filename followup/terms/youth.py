"""Age: a source that has just appeared changes fastest and fades first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from broker_adapters.lifetime import TOLERANCE
from followup.batch import Batch
from followup.expected import believed
from followup.records import NEUTRAL, Candidates, FollowupError, Night, Reasons, Scores
from followup.states import States

#: Lowest score, of an old source.
_LEAST = 0.05


def term(candidates: Candidates, night: Night, *, half: float = 10.0, since: str = "explosion") -> Scores:
    """Halves every ``half`` days of age, down to a floor, shape (n,).

    The age counts from the first detection by any survey or, with ``since="explosion"``, from the explosion where an outlook of a likely
    supernova knows it and it was before; ``since="detection"`` leaves that out. The reason adds since when it is here, if that is later;
    else the time since the last non-detection before, in the same band and deep enough.
    """
    if since not in ("explosion", "detection"):
        raise FollowupError(f"term 'youth' counts since 'explosion' or 'detection', not {since!r}")
    batch = Batch.of(candidates)
    states, first = batch.at(night.now), batch.first_seen(night.now)
    began = _explosions(batch) if since == "explosion" else np.full(len(batch), np.nan)
    age = night.now - np.fmin(first, began)
    values = np.where(np.isfinite(first), np.maximum(_LEAST, 0.5 ** (np.maximum(age, 0.0) / half)), NEUTRAL)
    return Scores(values, Reasons(len(batch), lambda i: _reason(states, i, float(first[i]), float(began[i]))))


def _explosions(batch: Batch) -> NDArray[np.float64]:
    """MJD of the explosion by the outlooks that are believed; NaN elsewhere, shape (n,)."""
    began = np.full(len(batch), np.nan)
    if len(batch.has_outlook):
        began[batch.has_outlook] = np.where(believed(batch), batch.outlooks.mjd + batch.outlooks.explosion[:, 1], np.nan)
    return began


def _reason(states: States, i: int, first: float, began: float) -> str:
    now, here, gap = states.moment, float(states.number("first")[i]), float(states.number("gap")[i])
    if not np.isfinite(first):
        return "no detection yet, age unknown"
    text = f"first seen {now - first:.1f} d ago"
    if not np.isfinite(here):
        return f"{text}, nothing of it here"
    if first < here - TOLERANCE:
        return f"{text}, here since {now - here:.1f} d"
    if np.isfinite(gap):
        text += f", not {f'{gap:.1f} d' if gap >= 1.0 else f'{gap * 24.0:.1f} h'} before"
    return f"{text}, exploded {now - began:.1f} d ago" if began < first else text
