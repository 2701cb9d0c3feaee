"""How bright it is and was, and how fast that changes."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.filters.measured import Floats, seen
from followup.filters.records import Argument, Field

#: Bands whose magnitudes are kept, with the pairs of them that make colours.
BANDS = ("u", "g", "c", "r", "o", "i", "z", "y")
COLOURS = (("g", "r"), ("r", "i"), ("i", "z"), ("c", "o"))
#: Days between the two magnitudes of a colour at most.
TOGETHER = 1.0


def _brightest(batch: Batch, at: float) -> Floats:
    found, least = seen(batch, at), np.full(len(batch), np.inf)
    np.minimum.at(least, found.owner, found.magnitude)
    return np.where(np.isfinite(least), least, np.nan)


def _absolute(batch: Batch, at: float) -> Floats:
    """Brightest magnitude at 10 pc, without extinction."""
    return np.asarray(_brightest(batch, at) - 5.0 * np.log10(batch.places.distance) - 25.0, float)


def _by_band(batch: Batch, at: float) -> list[dict[str, float]]:
    return batch.once(("magnitudes by band", at), lambda: _bands(batch, at))


def _bands(batch: Batch, at: float) -> list[dict[str, float]]:
    """Of each object: latest and brightest magnitude by band, and colours of magnitudes at most `TOGETHER` apart, the latest."""
    found = seen(batch, at)
    own: list[dict[str, float]] = [{} for _ in range(len(batch))]
    times: list[dict[str, float]] = [{} for _ in range(len(batch))]
    names = [found.bands[band] for band in found.band.tolist()]
    for i, band, mjd, magnitude in zip(found.owner.tolist(), names, found.mjd.tolist(), found.magnitude.tolist(), strict=True):
        if band in BANDS:
            own[i][f"last:{band}"], times[i][band] = magnitude, mjd
            own[i][f"brightest:{band}"] = min(own[i].get(f"brightest:{band}", magnitude), magnitude)
            for blue, red in COLOURS:
                if band in (blue, red) and abs(times[i].get(blue, np.inf) - times[i].get(red, -np.inf)) <= TOGETHER:
                    own[i][f"{blue}-{red}"] = own[i][f"last:{blue}"] - own[i][f"last:{red}"]
    return own


_WHICH = Argument("the latest, or the brightest of all", ("last", "brightest"), "last")

FIELDS = {
    "magnitude": Field(
        "magnitude",
        "AB magnitude of the latest detection that has one, in any band: of the difference, or of the total flux where it has been below "
        "its reference",
        values=lambda batch, at: batch.at(at).number("latest"),
        column="magnitude",
        low=-30.0,
        high=40.0,
    ),
    "brightest": Field(
        "brightest magnitude",
        "the least AB magnitude of all detections, in any band",
        values=_brightest,
        column="brightest",
        low=-30.0,
        high=40.0,
    ),
    "band_magnitude": Field(
        "magnitude in",
        "AB magnitude in one band",
        values=_by_band,
        column="magnitudes",
        low=-30.0,
        high=40.0,
        arguments={"band": Argument("the filter", BANDS), "which": _WHICH},
        key=lambda given: f"{given['which']}:{given['band']}",
    ),
    "colour": Field(
        "colour",
        "difference of two magnitudes that are at most a day apart, the latest such pair",
        values=_by_band,
        column="magnitudes",
        low=-20.0,
        high=20.0,
        arguments={"bands": Argument("the two filters", tuple(f"{blue}-{red}" for blue, red in COLOURS), "g-r")},
        key=lambda given: given["bands"],
    ),
    "rise": Field(
        "rise rate",
        "magnitudes a day by which it has become brighter over the last ten days, in the band of its latest detection; below 0 it fades",
        values=lambda batch, at: -batch.at(at).number("slope"),
        column="rise",
        unit="mag/d",
        low=-100.0,
        high=100.0,
    ),
    "absolute": Field(
        "absolute magnitude",
        "the brightest magnitude at the distance of TNS or of a host that is sure enough, without extinction",
        values=_absolute,
        column="absolute",
        low=-40.0,
        high=40.0,
    ),
}
