"""The next minimum of a periodic star, such as an eclipse: whether it comes tonight while the star is up."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from broker_adapters.times import datetime_from_mjd
from followup.batch import Batch
from followup.cycles import Cycle
from followup.records import Candidates, Night, Reasons, Scores

#: Lowest score: a period may be wrong.
_LEAST = 0.01
#: Share of the period below which the error of a minimum must be for it to be foretold.
_SURE = 0.25
#: Shortest period (days) that is looked at minimum by minimum: of a shorter one there is always one.
_SHORTEST = 0.02


def term(candidates: Candidates, night: Night, *, unknown: float = 0.1) -> Scores:
    """Probability that a minimum comes while the star is observable tonight, of the likeliest one, shape (n,).

    ``unknown`` where no period is known, or no minimum can be foretold.
    """
    batch = Batch.of(candidates)
    found = [_chance(batch[i].cycle, night, i) for i in range(len(batch))]
    values = np.array([unknown if value is None else max(value, _LEAST) for value in found])
    return Scores(values, Reasons(len(batch), lambda i: _reason(batch[i].cycle, night, found[i])))


def _chance(cycle: Cycle | None, night: Night, i: int) -> float | None:
    """Probability of the likeliest minimum in the steps in which candidate i is observable; None where none can be foretold."""
    if cycle is None or cycle.next(night.now)[1] > _SURE * cycle.period:
        return None
    up = night.observable[i]
    if not up.any():
        return 0.0
    if cycle.period < _SHORTEST:
        return 1.0
    edge, best = 0.5 * night.step, 0.0
    for mjd, error in cycle.minima(night.times[0] - cycle.period, night.times[-1] + cycle.period):
        error = max(error, 1e-6)
        within = ndtr((night.times[up] + edge - mjd) / error) - ndtr((night.times[up] - edge - mjd) / error)
        best = max(best, float(within.sum()))
    return min(best, 1.0)


def _reason(cycle: Cycle | None, night: Night, chance: float | None) -> str:
    if cycle is None:
        return "no period is known"
    mjd, error = cycle.next(night.now)
    if chance is None:
        return f"period {cycle.period:.4g} d, its next minimum cannot be foretold"
    unit, size = ("min", 1440.0) if error * 1440.0 < 120.0 else ("h", 24.0)
    return f"next minimum {datetime_from_mjd(mjd):%b %d %H:%M} UTC ± {error * size:.0f} {unit}, {chance:.0%} that one is seen tonight"
