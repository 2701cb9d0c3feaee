"""Compilation of the functions of this classifier: all at once, always in the same order, with a message if it takes time.

What is compiled is cached (`broker_adapters.kernels`), so that this happens once on a machine: in ``python -m classifiers compile`` after
an installation, or in the first process that classifies. Later processes load the cache.
"""

from __future__ import annotations

import math

import numpy as np

from broker_adapters.kernels import announced
from broker_adapters.records import Detections, Kind, blank
from classifiers.models.lightcurve import features, forecast, periodogram
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.hierarchy import Hierarchy
from classifiers.models.lightcurve.series import light_curve

#: Message that is logged before anything is compiled.
MESSAGE = "compiling the light-curve functions, once on this machine (about a minute)"


def prepare(model: Hierarchy) -> int:
    """Load the compiled functions of a model, and compile those that are not cached; returns how many were compiled.

    Four light curves together call every function with every kind of array: a variable star in two bands and in one, a supernova, and
    one point in each band.
    """
    n = 60
    star, supernova = 1e4 * np.sin(np.arange(n)), 1e4 * np.exp(-((np.arange(n) - 20.0) ** 2) / 200)
    rows = (_rows(star, 1e5), _rows(supernova), _rows(star, 1e5)[::2], _rows(supernova[20:22]))
    with announced(MESSAGE) as compiled:
        curves = [light_curve(r) for r in rows]
        t, m, w = (np.tile(x, 1 + periodogram.LONG // n) for x in (np.arange(float(n)), star, np.ones(n)))
        periodogram.scanned(t, m, w, 0.01, 0.01, 64)
        x = features.matrix(curves)
        forecast.forecast(curves[1], curves[1].g.t)
        model.anomaly_score(x, features.names(), model.probabilities(x, features.names()))
    return compiled.count


def _rows(flux: Floats, reference: float = math.nan) -> Detections:
    """Detections of one object in g and r in turn; each tenth is a limit."""
    rows = blank(len(flux))
    rows["survey"], rows["band"], rows["kind"] = "ztf", np.where(np.arange(len(flux)) % 2, "r", "g"), Kind.ALERT
    rows["source_id"] = np.arange(len(flux)).astype(str)
    rows["mjd"], rows["flux"], rows["flux_err"], rows["ref_flux"] = 60000 + 1.37 * np.arange(len(flux)), flux, 5e2, reference
    rows["kind"][9::10], rows["flux"][9::10] = Kind.LIMIT, np.nan
    return rows
