"""What catalogues have at its place: host, distance, stars."""

from __future__ import annotations

import numpy as np

from classifiers.hosts import expansion
from followup.batch import Batch
from followup.filters.measured import Floats
from followup.filters.records import Field, Kind, joined

#: Redshifts of the table by which distances become redshifts, to 0.1 %.
_REDSHIFTS = np.geomspace(1e-5, 2.0, 4000)
#: Probability from which a galaxy counts as the host, and arcseconds within which a star is at its place.
LIKELY, AT = 0.5, 1.5


def _redshift(batch: Batch, at: float) -> Floats:
    distance = batch.places.distance
    return np.asarray(np.interp(distance, expansion(_REDSHIFTS), _REDSHIFTS, left=np.nan, right=np.nan), float)


def _matches(batch: Batch, at: float) -> list[str]:
    places = batch.places
    with np.errstate(invalid="ignore"):
        near = {"galaxy": places.host >= LIKELY, "star": places.star_separation <= AT, "spectrum": batch.classified}
    return [joined([kind for kind, mask in near.items() if mask[i]]) for i in range(len(batch))]


FIELDS = {
    "host_probability": Field(
        "host probability",
        "probability that it belongs to a galaxy of the catalogues",
        values=lambda batch, at: batch.places.host,
        column="host_probability",
        low=0.0,
        high=1.0,
    ),
    "host_offset": Field(
        "host offset",
        "arcseconds from the centre of the likeliest galaxy",
        values=lambda batch, at: batch.places.separation,
        column="host_offset",
        unit="″",
        low=0.0,
        high=3600.0,
    ),
    "distance": Field(
        "distance",
        "luminosity distance, by TNS or by a host that is sure enough",
        values=lambda batch, at: batch.places.distance,
        column="distance",
        unit="Mpc",
        low=0.0,
        high=1e5,
    ),
    "redshift": Field(
        "redshift", "that of the distance, by TNS or by a host that is sure enough", values=_redshift, column="redshift", low=0.0, high=20.0
    ),
    "star_offset": Field(
        "star offset",
        "arcseconds from the nearest star of the catalogues; missing where none is within ten",
        values=lambda batch, at: batch.places.star_separation,
        column="star_offset",
        unit="″",
        low=0.0,
        high=3600.0,
    ),
    "crossmatch": Field(
        "cross-match",
        f"galaxy: it belongs to one with a probability of {LIKELY:g} or more; star: one lies within {AT:g}″; spectrum: its "
        "spectroscopic class is known",
        Kind.WORDS,
        values=_matches,
        column="crossmatch",
        choices=("galaxy", "star", "spectrum"),
    ),
}
