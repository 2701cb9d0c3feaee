"""Too faint for the telescope, both when last detected and tonight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followup.batch import Batch
from followup.coming import evening
from followup.expected import Expected, believed, expected
from followup.records import Candidates, Night, Reasons, Vetoes
from followup.states import States


def veto(candidates: Candidates, night: Night, *, limit: float = 20.5) -> Vetoes:
    """Against what is fainter than magnitude ``limit``, both when last detected and tonight, shape (n,).

    Tonight's brightness is that of the term `brightness`. The date is that on which an outlook of a likely supernova says that it will be
    brighter.
    """
    batch = Batch.of(candidates)
    states, tonight = batch.at(night.now), expected(batch, night)
    with np.errstate(invalid="ignore"):
        against = np.fmin(states.number("latest"), tonight.magnitude) > limit
    until = np.where(against, np.inf, np.nan)
    waits = against[batch.has_outlook]
    if waits.any():
        until[batch.has_outlook[waits]] = _from_when(batch, np.flatnonzero(waits), night.now, limit)
    return Vetoes(until, Reasons(len(batch), lambda i: _reason(states, tonight, night, i, float(until[i]), limit)))


def _from_when(batch: Batch, which: NDArray[np.intp], now: float, limit: float) -> NDArray[np.float64]:
    """First day (MJD) after now on which these, of those with an outlook, are brighter than ``limit``; infinity where none is known."""
    days, outlooks = now + np.arange(1.0, 15.0), batch.outlooks[which]
    with np.errstate(invalid="ignore"):
        bright = (np.fmin(outlooks.at(days, "g")[:, 1], outlooks.at(days, "r")[:, 1]) <= limit) & believed(batch)[which, None]
    return np.where(bright.any(axis=1), days[np.argmax(bright, axis=1)], np.inf)


def _reason(states: States, tonight: Expected, night: Night, i: int, until: float, limit: float) -> str:
    if tonight.family[i]:
        text = tonight[i]
    elif states.counts[i, 0] and np.isfinite(states.trend(i).latest):
        text = str(states.trend(i))
    else:
        return "brightness unknown"
    if np.isnan(until):
        return f"{text}, within the limit of {limit:.1f}"
    return f"{text}, beyond the limit of {limit:.1f}" + (f" until {evening(night.site, until)}" if np.isfinite(until) else "")
