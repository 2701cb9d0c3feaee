"""Age and count of a candidate at a moment: of its whole life, whether the measurements are here or not."""

from __future__ import annotations

import numpy as np

from followup.records import Candidate


def first_seen(candidate: Candidate, now: float) -> float:
    """MJD of the first detection by any survey until ``now``; NaN where none is known."""
    here = candidate.history(now)
    stated = candidate.first_seen if candidate.first_seen <= now else np.nan
    return float(np.fmin(np.nan if here is None else here.times[0], stated))


def n_seen(candidate: Candidate, now: float) -> int:
    """Number of detections by all surveys until ``now``; of those here alone where some are later, since counts have no dates."""
    here = candidate.history(now)
    n = 0 if here is None else len(here.times)
    return n if (candidate.detections["mjd"] > now).any() else max(n, candidate.n_seen)
