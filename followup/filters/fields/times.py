"""When and how often it was seen."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.filters.measured import Floats
from followup.filters.records import Field, Kind


def _duration(batch: Batch, at: float) -> Floats:
    return np.asarray(batch.at(at).latest - batch.first_seen(at), float)


FIELDS = {
    "age": Field(
        "age",
        "days since the first detection by any survey, whether that measurement is here or not",
        Kind.SINCE,
        values=lambda batch, at: batch.first_seen(at),
        column="first_seen",
        unit="d",
        low=0.0,
        high=1e5,
    ),
    "last_seen": Field(
        "last seen",
        "days since the latest detection",
        Kind.SINCE,
        values=lambda batch, at: batch.at(at).latest,
        column="last_seen",
        unit="d",
        low=0.0,
        high=1e5,
    ),
    "duration": Field(
        "duration",
        "days between the first detection by any survey and the latest",
        values=_duration,
        column="duration",
        unit="d",
        low=0.0,
        high=1e5,
    ),
    "detections": Field(
        "detections",
        "number of detections by all surveys, whether the measurements are here or not",
        values=lambda batch, at: batch.n_seen(at).astype(float),
        column="detections",
        low=0.0,
        high=1e6,
    ),
    "nights": Field(
        "nights",
        "number of nights with a detection here",
        values=lambda batch, at: batch.at(at).count("nights").astype(float),
        column="nights",
        low=0.0,
        high=1e5,
    ),
}
