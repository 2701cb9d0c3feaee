"""Which rows of a light curve are of one exposure: an alert and its forced photometry, or two survey objects of one source."""

from __future__ import annotations

import numpy as np

from broker_adapters.correction import series
from broker_adapters.records import Detections

#: Days (8.6 s): rows of one survey and band that are nearer in time are of one exposure. Brokers round times to 1e-5 d, and no survey
#: begins another exposure of a field within 30 s.
SAME_EXPOSURE = 1e-4


def once(rows: Detections) -> Detections:
    """One row per exposure of each survey and band, in time order: of several that whose kind is least, an alert before forced photometry.

    ``rows`` of `DETECTION` with finite times, shape (n,), in any order; the result has shape (m,), m ≤ n.
    """
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    if not (np.diff(rows["mjd"]) <= SAME_EXPOSURE).any():
        return rows
    number = series(rows, None)
    order = np.argsort(number, kind="stable")
    rows, number = rows[order], number[order]
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(rows["mjd"]) > SAME_EXPOSURE) | (np.diff(number) != 0)
    rows = rows[np.lexsort((rows["kind"], np.cumsum(new)))][new]
    ordered: Detections = rows[np.argsort(rows["mjd"], kind="stable")]
    return ordered
