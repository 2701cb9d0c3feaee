"""The nouns of ``broker_adapters``: surveys and their bands, and what every packet and answer is turned into.

One physical representation for all surveys (docs/decisions/001-records.md):

- flux is *difference* flux (science minus reference), signed, in nJy (AB, zero point 31.4); the flux of the reference source under
  it, where there is one, is a column of its own, so that total flux is the sum of the two;
- time is MJD, UTC, at mid-exposure;
- positions are degrees, ICRS; position errors are arcseconds, one standard deviation per axis;
- NaN means "not measured"; no sentinel of any survey survives the adapters;
- a non-detection has ``flux = NaN`` and ``flux_err = limit / n_sigma``;
- a measurement is identified by (survey, source id); ids are strings, since some exceed 2**53.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from broker_adapters.facts import (
    BAND_WIDTH,
    MAX_RADIUS,
    OBJECT_ID_WIDTH,
    SOURCE_ID_WIDTH,
    STAMPS,
    SURVEY_WIDTH,
    SYMBOLS,
    Band,
    Survey,
)

__all__ = [
    "BAND_WIDTH", "DETECTION", "MAX_RADIUS", "OBJECT_ID_WIDTH", "SOURCE_ID_WIDTH", "STAMPS", "SURVEY_WIDTH", "SYMBOLS",
    "Alert", "Band", "Broker", "BrokerLabel", "Cutouts", "Detections", "Kind", "Lifetime", "Query", "SkyObject", "Survey",
    "blank", "frozen",
]  # fmt: skip


class Kind(IntEnum):
    """Kind of measurement in a row of a light curve."""

    ALERT = 0  #: a detection that raised (or was attached to) an alert
    FORCED = 1  #: forced photometry at the object's position, significant or not
    LIMIT = 2  #: a non-detection: flux is NaN, flux_err is the limit over n_sigma


#: One measurement. ``source_id`` is ZTF's candid, Rubin's diaSourceId, ATLAS's exposure and position (see each survey's module for
#: forced rows and limits, which have no id of their own). ``reliability`` is the survey's real-bogus score in [0, 1].
DETECTION = np.dtype(
    [
        ("survey", f"U{SURVEY_WIDTH}"),
        ("source_id", f"U{SOURCE_ID_WIDTH}"),
        ("kind", "u1"),
        ("mjd", "f8"),
        ("band", f"U{BAND_WIDTH}"),
        ("flux", "f8"),
        ("flux_err", "f8"),
        ("ref_flux", "f8"),
        ("ref_flux_err", "f8"),
        ("ra", "f8"),
        ("dec", "f8"),
        ("position_err", "f8"),
        ("reliability", "f4"),
    ]
)

Detections = NDArray[np.void]


def blank(n: int) -> Detections:
    """An array of shape (n,) of dtype `DETECTION` in which every number is NaN and every text is empty."""
    rows = np.zeros(n, DETECTION)
    for name in DETECTION.names or ():
        if DETECTION[name].kind == "f":
            rows[name] = np.nan
    return rows


def frozen(rows: Detections) -> Detections:
    """The rows in time order (ties by survey, source id), without repeats of (survey, source id), read-only.

    Of repeats the row that comes first in the input is kept.
    """
    _, first = np.unique(rows[["survey", "source_id"]], return_index=True)
    rows = rows[np.sort(first)]
    rows = rows[np.lexsort((rows["source_id"], rows["survey"], rows["mjd"]))]
    rows.setflags(write=False)
    return rows


def _empty_mapping() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Cutouts:
    """The image stamps of one alert, still encoded as the survey sent them (FITS, gzipped or not).

    `broker_adapters.cutouts.images` decodes them when they are needed, which for most alerts is never.
    """

    science: bytes | None = field(default=None, repr=False)
    template: bytes | None = field(default=None, repr=False)
    difference: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BrokerLabel:
    """Class that a broker's own classifier gives an object, under the broker's name of it (`classifiers.taxonomy` maps it to ours)."""

    broker: str
    classifier: str
    version: str
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What a survey states of the whole life of one of its objects, beyond the measurements in hand; None is not stated.

    `broker_adapters.lifetime` reads, checks and merges it.

    Attributes
    ----------
    first_mjd, last_mjd : float or None
        MJD UTC, mid-exposure, of the first and latest detection.
    n_detections : int or None
        Detections until now. ZTF counts those of 3 sigma in one field and quadrant, others what raised an alert.
    n_images : int or None
        Images of the place until now.
    """

    first_mjd: float | None = None
    last_mjd: float | None = None
    n_detections: int | None = None
    n_images: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Alert:
    """Content of one message or answer about one object of one survey.

    Attributes
    ----------
    survey : str
        Name of its `Survey`: 'ztf', 'atlas', 'lsst', or a third party's.
    object_id : str
        The survey's name of the object (ZTF26aacextk, 170028526513684557, ...).
    source_id : str or None
        The measurement that raised the alert; None for an answer about a whole object.
    ra, dec, position_err : float
        Degrees, degrees, arcseconds: the best position known from this message.
    mjd : float
        Time of the measurement that raised the alert, or of the latest detection.
    detections : ndarray of DETECTION, shape (n,)
        The triggering measurement and whatever history came with it; in time order, unique, read-only.
    cutouts : Cutouts or None
    metadata : mapping
        Scalars of the triggering measurement under the survey's own names, sentinels turned into None: inputs of classifiers.
    labels : tuple of BrokerLabel
    names : tuple of str
        Other names of the object (TNS and so on).
    moving : bool
        A known solar-system object: its position is not an identity, it is never matched by position.
    broker : str
        Who relayed it: the survey's own name for a packet of its stream, else 'alerce', 'lasair', ...
    lifetime : Lifetime or None
        As the sender states it, unchecked; None for a moving object, whose place is not its own.
    withdrawn : tuple of str
        Source ids of measurements of this object that the survey has withdrawn: they are not among the detections, and leave a light
        curve that has them from before.
    dropped : mapping
        Reason -> number of rows of the history that could not be used and were left out (`broker_adapters.values.sound`).
    """

    survey: str
    object_id: str
    source_id: str | None
    ra: float
    dec: float
    position_err: float
    mjd: float
    detections: Detections = field(repr=False)
    cutouts: Cutouts | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=_empty_mapping, repr=False)
    labels: tuple[BrokerLabel, ...] = ()
    names: tuple[str, ...] = ()
    moving: bool = False
    broker: str = ""
    lifetime: Lifetime | None = None
    withdrawn: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=_empty_mapping)

    @property
    def key(self) -> tuple[str, str]:
        """(survey, object id): the identity of the survey's object."""
        return self.survey, self.object_id


@dataclass(frozen=True, slots=True, eq=False)
class SkyObject:
    """One source on the sky, merged from every survey that saw it.

    Attributes
    ----------
    ra, dec, position_err : float
        Weighted mean position in degrees, and its error in arcseconds.
    detections : ndarray of DETECTION, shape (n,)
        The union of all members' light curves; in time order, unique by (survey, source id), read-only.
    alerts : tuple of Alert
        The alerts that carry stamps, metadata or labels, earliest first.
    members : tuple of (survey, object id)
        Sorted.
    """

    ra: float
    dec: float
    position_err: float
    detections: Detections = field(repr=False)
    alerts: tuple[Alert, ...] = field(default=(), repr=False)
    members: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a broker; a field that is None does not restrict the answer.

    ``radius`` is in arcseconds, ``since`` and ``until`` bound the latest detection (MJD, UTC), ``limit`` bounds the answer.
    """

    survey: str = "ztf"
    object_ids: tuple[str, ...] = ()
    ra: float | None = None
    dec: float | None = None
    radius: float | None = None
    since: float | None = None
    until: float | None = None
    classifier: str | None = None
    label: str | None = None
    probability: float | None = None
    limit: int = 100


class Broker(Protocol):
    """A client of one broker: the class ``Client`` of a module in ``broker_adapters/brokers``; its arguments are the broker's settings."""

    #: Names of the surveys that it can be asked about; () for a service that has no objects.
    surveys: tuple[str, ...]
    #: (object id, error) of objects in the latest `search` or `fetch` of which something is missing: a `PacketError` where the answer could
    #: not be read, a `SourceError` where the service did not give it, or not all of it, and any other error where we made a mistake.
    rejected: Sequence[tuple[str, Exception]]

    def search(self, query: Query) -> Iterator[Alert]:
        """Yield one complete `Alert` for each object that answers the query, at most ``query.limit``."""

    def fetch(self, survey: str, object_ids: Sequence[str]) -> Iterator[Alert]:
        """Yield one complete `Alert` for each object that the broker knows; unknown ids are left out."""
