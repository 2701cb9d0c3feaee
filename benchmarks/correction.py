"""Speed of reference-flux correction and magnitude statistics of one light curve of 350 detections, in microseconds."""

from __future__ import annotations

from timeit import repeat

import numpy as np

from broker_adapters import correction, magstats
from broker_adapters.records import Detections, blank

DETECTIONS = 350


def light_curve(n: int, seed: int = 1) -> Detections:
    """Rows of `DETECTION`, shape (n,), of one ZTF object in three bands with a reference source."""
    random = np.random.default_rng(seed)
    rows = blank(n)
    rows["survey"], rows["band"] = "ztf", random.choice(["g", "r", "i"], n)
    rows["mjd"] = np.sort(random.uniform(58000.0, 60000.0, n))
    rows["flux"], rows["flux_err"] = random.normal(0.0, 1e4, n), 1e3
    rows["ref_flux"], rows["ref_flux_err"] = 5e4, 500.0
    rows["ra"], rows["dec"], rows["position_err"] = 10.0, 1.0, 0.1
    return rows


def run() -> dict[str, float]:
    """Best of many: times in microseconds."""
    rows = light_curve(DETECTIONS)
    best = {
        name: min(repeat(lambda f=function: f(rows), number=50, repeat=20)) / 50 * 1e6
        for name, function in (("correct_us", correction.correct), ("by_band_us", magstats.by_band), ("by_object_us", magstats.by_object))
    }
    return {"detections": DETECTIONS, **best}
