"""Nearness to the peak: probability that the light is about its brightest tonight."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from classifiers.posterior.records import DOUBTFUL
from followup.batch import Batch
from followup.coming import ANY, coming
from followup.records import Candidates, Night, Reasons, Scores

#: Lowest score: outlooks err.
_LEAST = 0.01


def term(candidates: Candidates, night: Night, *, within: float = 4.0, classes: Mapping[str, float] = ANY, unknown: float = 0.25) -> Scores:
    """Probability that the peak in r is within so many days of tonight, given that it is one of ``classes``, shape (n,).

    ``classes`` maps classes of supernovae to their weights; how probable they are is weighed by the term `probability`. A candidate without
    an outlook scores ``unknown``.
    """
    batch = Batch.of(candidates)
    values = np.full(len(batch), unknown)
    place = np.full(len(batch), -1)
    if len(batch.has_outlook):
        nights = coming(batch, night, within, classes)
        values[batch.has_outlook] = np.maximum(nights.tonight, _LEAST)
        place[batch.has_outlook] = np.arange(len(batch.has_outlook))
    return Scores(values, Reasons(len(batch), lambda i: _reason(batch, night, int(place[i]), float(values[i]), within)))


def _reason(batch: Batch, night: Night, k: int, value: float, within: float) -> str:
    if k < 0:
        return "no forecast of its peak"
    low, mid, high = (batch.outlooks[k].peak(batch.shares()[k : k + 1])[0] - night.now).tolist()
    if not np.isfinite(mid):
        return f"{value:.0%} within {within:g} d of its peak"
    when = f"in {mid:.1f} d ({low:.1f} to {high:.1f})" if mid >= 0.0 else f"{-mid:.1f} d ago ({-high:.1f} to {-low:.1f})"
    doubt = ", not reliable" if batch.outlooks.doubt[k] > DOUBTFUL else ""
    return f"peak {when}, {value:.0%} within {within:g} d{doubt}"
