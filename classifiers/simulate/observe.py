"""Observation of simulated sources by the surveys: cadence, depth, noise and astrometry as published."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from broker_adapters.photometry import flux_error_from_limit
from broker_adapters.records import Detections, Kind, blank
from classifiers.simulate.instruments import INSTRUMENTS
from classifiers.simulate.sources import Source

Array = NDArray[np.float64]

#: Least signal to noise of an alert; limits are at the same level.
THRESHOLD = 5.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Observing parameters of a survey.

    Attributes
    ----------
    depth : mapping of band to float
        Limiting AB magnitude of one visit at five sigma.
    cadence : float
        Nights between visits of the same field.
    pattern : tuple of tuple of str
        Bands of the visits of one night; one of these patterns is drawn.
    pause : float
        Days between the visits of a night.
    midnight : float
        Local midnight as a fraction of a UTC day.
    floor : float
        Relative error of a flux however bright the source.
    astrometry : float
        Arcseconds per axis for a bright source.
    declination : (float, float)
        Degrees.
    bright : float
        Sources brighter than this are saturated and raise no alert.
    """

    depth: MappingProxyType[str, float]
    cadence: float
    pattern: tuple[tuple[str, ...], ...]
    pause: float
    midnight: float
    floor: float
    astrometry: float
    declination: tuple[float, float]
    bright: float


SURVEYS = MappingProxyType(
    {
        # Bellm et al. 2019 (PASP 131, 018002 and 068003): depths, g and r in a night, every two nights. Astrometry: Masci et al. 2019
        "ztf": Survey(
            MappingProxyType({"g": 20.8, "r": 20.6}), 2.0, (("g", "r"), ("r", "g")), 0.04, 0.325, 0.015, 0.06, (-30.0, 90.0), 12.5
        ),
        # Tonry et al. 2018 (PASP 130, 064505) and Smith et al. 2020 (PASP 132, 085002): four visits in an hour, two nights, o and c
        "atlas": Survey(
            MappingProxyType({"o": 19.4, "c": 19.7}), 2.0, (("o",) * 4, ("o",) * 4, ("c",) * 4), 0.011, 0.43, 0.02, 0.1, (-90.0, 90.0), 12.5
        ),
        # Ivezic et al. 2019 (ApJ 873, 111): depths of one visit (table 2) less 0.5 for the template's noise; pairs half an hour apart,
        # every three nights in some filter
        "lsst": Survey(
            MappingProxyType({"u": 23.4, "g": 24.5, "r": 24.2, "i": 23.5, "z": 22.8, "y": 21.6}),
            3.0, (("g", "r"), ("r", "i"), ("i", "z"), ("z", "y"), ("u", "g")), 0.023, 0.197, 0.01, 0.01, (-75.0, 12.0), 16.5,
        ),
    }
)  # fmt: skip


def visits(survey: str, now: float, days: float, random: np.random.Generator) -> tuple[Array, NDArray[np.str_]]:
    """Times (MJD UTC, mid-exposure, ascending, before ``now``) and bands of the visits of one field in the last ``days``, each (n,)."""
    how = SURVEYS[survey]
    times: list[float] = []
    bands: list[str] = []
    tonight = np.floor(now - how.midnight) + how.midnight
    night = tonight - int(random.integers(0, int(how.cadence)))
    while night > now - days:
        start = night + random.uniform(-0.12, 0.12 - how.pause * 3)
        pattern = how.pattern[int(random.integers(len(how.pattern)))]
        times.extend(start + how.pause * np.arange(len(pattern)) * random.uniform(0.9, 1.1))
        bands.extend(pattern)
        night -= how.cadence
    order = np.argsort(times)
    mjd, band = np.array(times)[order], np.array(bands, "U2")[order]
    return mjd[mjd < now], band[mjd < now]


def covers(survey: str, source: Source) -> bool:
    """Whether the survey observes the position and the source is not too bright for it."""
    how = SURVEYS[survey]
    low, high = how.declination
    total = np.nanmax(list(source.reference.values()) or [0.0])
    return low <= source.dec <= high and bool(total < flux_error_from_limit(how.bright, 1.0))


def observe(source: Source, survey: str, mjd: Array, band: NDArray[np.str_], random: np.random.Generator) -> Detections:
    """Simulate the measurements of a source at n visits, shape (2 n,): alerts and limits, then forced photometry of every visit.

    Ids of the measurements are set when packets are written. A bogus source is light in the latest visit alone.
    """
    how = SURVEYS[survey]
    true = _difference(source, mjd, band)
    sigma = np.array([flux_error_from_limit(how.depth[str(b)] + random.normal(0.0, 0.15), THRESHOLD) for b in band])
    reference = np.array([source.reference.get(str(b), np.nan) for b in band])
    error = np.hypot(sigma, how.floor * np.abs(true + np.nan_to_num(reference)))
    rows = blank(2 * len(mjd))
    rows["survey"], rows["mjd"], rows["band"] = survey, np.tile(mjd, 2), np.tile(band, 2)
    flux = true + error * random.standard_normal(len(mjd))
    seen = np.abs(flux) > THRESHOLD * error
    rows["kind"][: len(mjd)] = np.where(seen, Kind.ALERT, Kind.LIMIT)
    rows["kind"][len(mjd) :] = Kind.FORCED
    rows["flux"][: len(mjd)] = np.where(seen, flux, np.nan)
    rows["flux"][len(mjd) :] = true + error * random.standard_normal(len(mjd))
    rows["flux_err"] = np.tile(error, 2)
    rows["flux_err"][: len(mjd)][~seen] = sigma[~seen]
    rows["ref_flux"], rows["ref_flux_err"] = np.tile(reference, 2), np.tile(reference * 0.02, 2)
    _place(rows[: len(mjd)], source, survey, random)
    return rows


def _difference(source: Source, mjd: Array, band: NDArray[np.str_]) -> Array:
    """True difference flux at each visit, nJy."""
    total = np.array([float(source.light(np.array([t]), str(b))[0]) for t, b in zip(mjd, band, strict=True)])
    if source.label == "bogus":
        sign = -1.0 if source.index % 3 == 0 else 1.0
        return np.where(np.arange(len(mjd)) == len(mjd) - 1, sign * total, 0.0)
    return np.asarray(total - np.array([source.reference.get(str(b), 0.0) for b in band]))


def _place(rows: Detections, source: Source, survey: str, random: np.random.Generator) -> None:
    """Measured positions and their errors: the floor of the survey, and the seeing over 2.355 times the signal to noise."""
    noise = INSTRUMENTS[survey].seeing[0] / 2.355 * rows["flux_err"] / np.abs(rows["flux"])
    error = np.hypot(SURVEYS[survey].astrometry, noise)
    along = np.cos(np.radians(source.dec))
    east = source.motion[0] * (rows["mjd"] - source.epoch) + error / 3600.0 * random.standard_normal(len(rows))
    north = source.motion[1] * (rows["mjd"] - source.epoch) + error / 3600.0 * random.standard_normal(len(rows))
    rows["ra"], rows["dec"] = (source.ra + east / along) % 360.0, np.clip(source.dec + north, -90.0, 90.0)
    rows["position_err"] = error
