"""Check numbers, ids and names from packets and answers before they become rows: bytes from outside are not to be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters.errors import PacketError
from broker_adapters.records import BAND_WIDTH, SOURCE_ID_WIDTH, Detections, Kind, Survey, blank

Floats = NDArray[np.float64]

_IDENTIFIER = re.compile(rf"[0-9A-Za-z_.:+-]{{1,{SOURCE_ID_WIDTH}}}")
#: MJD of 1990 and of 2090: no survey of ours observes outside, and damaged bytes do.
_FIRST_MJD, _LAST_MJD = 47892.0, 84000.0
#: Squares of smaller numbers are finite, and so are they in single precision.
_ABSURD = 1e30


def floats(values: ArrayLike | Sequence[Any] | None) -> Floats:
    """Numbers as float64, shape kept; None, sentinels (-999, -99999) and what no survey can measure (1e30 and more) become NaN."""
    try:
        numbers = np.asarray(values, float)  # None becomes NaN
    except (TypeError, ValueError, OverflowError) as error:
        raise PacketError(f"not numbers: {error}") from error
    return np.where((np.abs(numbers) < _ABSURD) & (numbers != -999.0) & (numbers != -99999.0), numbers, np.nan)


def magnitudes(values: ArrayLike) -> Floats:
    """Magnitudes as float64; what no telescope measures (sentinels such as 100 or 0) becomes NaN."""
    numbers = floats(values)
    return np.where((numbers > 0.0) & (numbers < 40.0), numbers, np.nan)


def identifier(value: Any) -> str:
    """An id as text: an integer, or letters, digits and ``_.:+-``.

    Raises
    ------
    PacketError
        It is missing, hostile, or a float, which cannot hold an id above 2**53.
    """
    if isinstance(value, np.integer):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        value = str(value)
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    raise PacketError(f"not an identifier: {value!r:.60}")


def identifiers(values: Iterable[Any]) -> NDArray[np.str_]:
    """Ids as an array of text, shape (n,); see `identifier`."""
    return np.array([identifier(v) for v in values], f"U{SOURCE_ID_WIDTH}")


def known_bands(names: Iterable[Any], bands: Mapping[Any, str], survey: Survey) -> NDArray[np.str_]:
    """Names of `Survey.bands`, shape (n,), from the survey's own names of filters.

    Raises
    ------
    PacketError
        The survey has no such filter.
    """
    try:
        return np.array([bands[n] for n in names], f"U{BAND_WIDTH}")
    except (KeyError, TypeError) as error:
        raise PacketError(f"unknown {survey.label} filter {error.args[0]!r:.40}") from error


def sane(mjd: Floats) -> NDArray[np.bool_]:
    """Whether each time (MJD) is one at which a survey can have observed."""
    return (mjd > _FIRST_MJD) & (mjd < _LAST_MJD)


def start(survey: Survey, kind: Kind, band: NDArray[np.str_], mjd: Floats) -> Detections:
    """New rows of `DETECTION`, shape (n,), with survey, kind, bands and times (MJD UTC, mid-exposure); the other columns are empty.

    Raises
    ------
    PacketError
        A time is not one at which a survey can have observed.
    """
    if not sane(mjd).all():
        raise PacketError("a time is missing or absurd")
    rows = blank(len(band))
    rows["survey"], rows["kind"], rows["band"], rows["mjd"] = survey.name, kind, band, mjd
    return rows


def with_flux(rows: Detections) -> Detections:
    """The rows that have a flux (or are limits) and a positive error."""
    kept: Detections = rows[(rows["flux_err"] > 0.0) & ((rows["kind"] == Kind.LIMIT) | np.isfinite(rows["flux"]))]
    return kept


def check(ra: float, dec: float) -> None:
    """Raise `PacketError` unless this is a position on the sky, in degrees."""
    if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
        raise PacketError(f"no position on the sky: ra {ra}, dec {dec}")


def scalars(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The texts, numbers and booleans among the fields, read-only, with every sentinel turned into None."""
    return MappingProxyType({k: _plain(v) for k, v in fields.items() if v is None or isinstance(v, (str, int, float, bool))})


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return None if value in {"null", "None", "nan", ""} else value
    if value is None or value in (-999, -99999) or not isfinite(value):
        return None
    return value


def stamp(cutout: Any) -> bytes | None:
    """The file in a cutout record (``fileName``, ``stampData``) of ZTF and ATLAS, None where there is none."""
    data = cutout.get("stampData") if isinstance(cutout, Mapping) else None
    return data if isinstance(data, bytes) and data else None
