"""Light-curve classifier: a hierarchical model of the features of merged light curves and of the environment of the object.

Objects with fewer than `MINIMUM` detections in the g-like and r-like bands together are not classified (an all-NaN row).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from broker_adapters.records import SkyObject
from classifiers.models.lightcurve import compilation, cycle, environment, features, forecast, hierarchy
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context
from classifiers.models.lightcurve.series import FAMILIES, MINIMUM, light_curve
from classifiers.records import Classification
from classifiers.taxonomy import LIGHTCURVE, LIGHTCURVE_CLASSES

#: Threads that extract the features of a batch; more do not help.
THREADS = min(4, os.cpu_count() or 1)

#: Days after the last detection for which a forecast is made: one a night for two weeks.
DAYS = np.arange(0.0, 15.0)

_PERIODIC = [LIGHTCURVE_CLASSES.index(c) for c in LIGHTCURVE["Periodic"]]
_TRANSIENT = [LIGHTCURVE_CLASSES.index(c) for c in LIGHTCURVE["Transient"]]


class Model:
    """The shipped model, or that of a folder with ``model.npz`` and ``card.json``; its functions are compiled if they are not yet.

    Raises
    ------
    WeightsError
        A file is missing, damaged or changed since its card was written.
    """

    name = "lightcurve"
    classes = LIGHTCURVE_CLASSES

    def __init__(self, weights: Path | None = None) -> None:
        self._model, card = hierarchy.load(weights or hierarchy.SHIPPED)
        self.version: str = card["version"]
        compilation.prepare(self._model)

    def predict(self, objects: Sequence[SkyObject]) -> Classification:
        """Classify n objects from their merged detections; row i belongs to object i.

        Details of an object: the ``surveys`` that were used, ``oddness`` (anomaly score within its branch, in [0, 1]) and, if a transient
        is more probable than not, a ``forecast`` (`forecast.Forecast.as_dict`) for the `DAYS` after its last detection; if a periodic
        star is, its ``cycle`` (`cycle.cycle`).
        """
        curves = [light_curve(o.detections) for o in objects]
        enough = np.flatnonzero([c.n_detections >= MINIMUM for c in curves])
        probabilities = np.full((len(objects), len(self.classes)), np.nan)
        details: list[dict[str, Any]] = [{"surveys": list(c.surveys)} for c in curves]
        if enough.size:
            values, contexts = features.with_contexts([curves[i] for i in enough], THREADS)
            probabilities[enough] = self.probabilities(values, environment.of_objects([objects[i] for i in enough]))
            anomaly = self._model.anomaly_score(values, features.names(), probabilities[enough])
            transient = probabilities[enough][:, _TRANSIENT].sum(axis=1) > 0.5
            periodic = probabilities[enough][:, _PERIODIC].sum(axis=1) > 0.5
            kinds = zip(transient.tolist(), periodic.tolist(), strict=True)
            for i, score, (explodes, repeats), shared in zip(enough.tolist(), anomaly.tolist(), kinds, contexts, strict=True):
                details[i]["oddness"] = round(score, 4)
                details[i] |= {"cycle": found} if repeats and (found := cycle.cycle(shared)) else {}
                details[i] |= {"forecast": ahead} if explodes and (ahead := _ahead(shared)) else {}
        return Classification(self.name, self.version, self.classes, probabilities, details)

    def probabilities(self, values: Floats, known: Floats | None = None) -> Floats:
        """Probabilities, shape (n, 15), of features of shape (n, len(features.names())) and, if known, of `environment.of_objects`."""
        return self._model.probabilities(values, features.names(), known)


def _ahead(shared: Context) -> dict[str, Any] | None:
    """Forecast in the band families that have detections; None without a fit."""
    if shared.fit is None:
        return None
    seen = {family: series.t[-1] for family, series in zip(FAMILIES, shared.curve.series, strict=True) if len(series.t)}
    return forecast.of_fit(shared.fit, max(seen.values()) + DAYS).as_dict(seen)
