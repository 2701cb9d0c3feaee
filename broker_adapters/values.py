"""Check numbers, ids, names and rows from packets and answers before they are stored: bytes from outside are not to be trusted.

Columns become arrays with a mark wherever a value cannot be used (NaN, or an empty text), and rows are judged one by one: `sound` leaves
out the bad ones and counts them, so that one bad row of a history costs nothing but itself. The measurement that raised an alert must be
sound: `require` refuses it otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from broker_adapters import times
from broker_adapters.crossmatch import ERROR_UNKNOWN
from broker_adapters.errors import PacketError
from broker_adapters.records import BAND_WIDTH, SOURCE_ID_WIDTH, Alert, Detections, Kind, Survey, blank, frozen

Floats = NDArray[np.float64]

_IDENTIFIER = re.compile(rf"[0-9A-Za-z_.:+-]{{1,{SOURCE_ID_WIDTH}}}")
#: MJD of 1990: no survey of ours observed before, and damaged bytes do.
_FIRST_MJD = 47892.0
#: Days by which a clock or a time zone may be wrong; what was measured later than this from now was not.
_AHEAD = 1.0
#: Squares of smaller numbers are finite, and so are they in single precision.
_ABSURD = 1e30
#: Reasons for which a row cannot be used, with the column of `DETECTION` that is to blame.
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "unknown filter": "band",
        "no time": "mjd",
        "impossible time": "mjd",
        "no id": "source_id",
        "no flux": "flux",
        "impossible position": "ra",
    }
)


def floats(values: ArrayLike | Sequence[Any] | None) -> Floats:
    """Numbers as float64, shape kept; None, sentinels (-999, -99999), what is no number and what no survey measures (1e30) become NaN."""
    try:
        numbers = np.asarray(values, float)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        numbers = np.asarray(None, float)
    if isinstance(values, (list, tuple)) and numbers.shape != (len(values),):
        numbers = np.array([_number(value) for value in values], float)
    return np.where((np.abs(numbers) < _ABSURD) & (numbers != -999.0) & (numbers != -99999.0), numbers, np.nan)


def number(value: Any) -> float:
    """One number, as `floats`; a list or an object is none."""
    return float(floats([value])[0])


def _number(value: Any) -> float:
    try:
        return nan if isinstance(value, (list, tuple, Mapping)) else float(value)
    except (TypeError, ValueError, OverflowError):
        return nan


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
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _ABSURD:
        value = str(value)
    if isinstance(value, str) and _IDENTIFIER.fullmatch(value):
        return value
    raise PacketError(f"not an identifier: {shown(value)}")


def shown(value: Any) -> str:
    """The beginning of a value in a message; of a number with thousands of digits, which Python does not print, only its kind."""
    try:
        return f"{value!r:.60}"
    except (ValueError, RecursionError):
        return f"a {type(value).__name__}"


def identifiers(values: Iterable[Any]) -> NDArray[np.str_]:
    """Ids as an array of text, shape (n,), '' for what is none; see `identifier`."""
    return np.array([_identifier(v) for v in values], f"U{SOURCE_ID_WIDTH}")


def _identifier(value: Any) -> str:
    try:
        return identifier(value)
    except PacketError:
        return ""


def known_bands(names: Iterable[Any], bands: Mapping[Any, str]) -> NDArray[np.str_]:
    """Names of `Survey.bands`, shape (n,), from the survey's own names of filters; '' for a filter that the survey does not have."""
    return np.array([bands.get(n, "") if isinstance(n, (str, int, float, np.number)) else "" for n in names], f"U{BAND_WIDTH}")


def column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """One field of n records, None where a record lacks it."""
    return [row.get(name) for row in rows]


def sane(mjd: ArrayLike) -> NDArray[np.bool_]:
    """Whether each time (MJD) is one at which a survey can have observed: since 1990, and not later than now and a day."""
    mjd = np.asarray(mjd, float)
    mask: NDArray[np.bool_] = (mjd > _FIRST_MJD) & (mjd < times.now() + _AHEAD)
    return mask


def start(survey: Survey, kind: Kind, band: NDArray[np.str_], mjd: Floats) -> Detections:
    """New rows of `DETECTION`, shape (n,), with survey, kind, bands and times (MJD UTC, mid-exposure); the other columns are empty."""
    rows = blank(len(band))
    rows["survey"], rows["kind"], rows["band"], rows["mjd"] = survey.name, kind, band, mjd
    return rows


def with_flux(rows: Detections) -> Detections:
    """The rows that have a flux (or are limits) and a positive error."""
    kept: Detections = rows[(rows["flux_err"] > 0.0) & ((rows["kind"] == Kind.LIMIT) | np.isfinite(rows["flux"]))]
    return kept


def dated(rows: Detections) -> NDArray[np.bool_]:
    """Rows that have a band and a sane time, shape (n,): from these an id can be made, where a survey gives none."""
    mask: NDArray[np.bool_] = (rows["band"] != "") & sane(rows["mjd"])
    return mask


def sound(rows: Detections, dropped: Counter[str] | None = None) -> Detections:
    """The rows that can be used, shape (m,), m ≤ n; the others are added to ``dropped`` by reason (one of `FAULTS`)."""
    fine = dated(rows) & (rows["source_id"] != "") & ~_misplaced(rows)
    fine &= np.isfinite(rows["flux"]) | (rows["kind"] == Kind.LIMIT)
    if fine.all():
        return rows
    if dropped is not None:
        dropped.update(Counter(_fault(row) for row in rows[~fine]))
    kept: Detections = rows[fine]
    return kept


def counted(dropped: Mapping[str, int]) -> str:
    """Reasons and numbers of rows that were left out, in a line, the most frequent first."""
    return ", ".join(f"{n} ({reason})" for reason, n in sorted(dropped.items(), key=lambda item: (-item[1], item[0])))


def require(rows: Detections, given: Mapping[str, Any], *, flux: bool = True) -> None:
    """Raise `PacketError` unless the first of n rows, the measurement that raised an alert, is sound; without a flux if that is not asked.

    ``given`` has what the packet says under names of columns of `DETECTION`, for the message.
    """
    fault = _fault(rows[0])
    if fault and (flux or fault != "no flux"):
        raise PacketError(f"the measurement that raised the alert has an {fault}: {shown(given.get(FAULTS[fault]))}".replace("an no", "no"))


def _misplaced(rows: Detections) -> NDArray[np.bool_]:
    """Rows with a position that is not on the sky; one without a position is not among them."""
    ra, dec = rows["ra"], rows["dec"]
    mask: NDArray[np.bool_] = (ra < 0.0) | (ra > 360.0) | (np.abs(dec) > 90.0)
    return mask


def _fault(row: Any) -> str:
    """The first reason for which a row cannot be used, '' for a sound one."""
    mjd = float(row["mjd"])
    faulty = {
        "unknown filter": row["band"] == "",
        "no time": not isfinite(mjd),
        "impossible time": isfinite(mjd) and not sane(mjd),
        "no id": row["source_id"] == "",
        "no flux": not isfinite(row["flux"]) and row["kind"] != Kind.LIMIT,
        "impossible position": bool(row["ra"] < 0.0 or row["ra"] > 360.0 or abs(row["dec"]) > 90.0),
    }
    return next((reason for reason, is_so in faulty.items() if is_so), "")


def checked(alert: Alert) -> Alert:
    """An alert as it may be stored, whoever made it: its rows are sound, and its time, place and position error are finite.

    Raises
    ------
    PacketError
        It has no place, or no time at which a survey can have observed.
    """
    check(alert.ra, alert.dec)
    changes: dict[str, Any] = {}
    dropped = Counter(alert.dropped)
    rows = sound(alert.detections, dropped)
    if len(rows) < len(alert.detections):
        changes |= {"detections": frozen(rows), "dropped": dropped}
    if not sane(alert.mjd):
        seen = rows["mjd"][rows["kind"] == Kind.ALERT]
        if alert.source_id is not None or not len(seen):
            raise PacketError(f"the time of the alert is impossible: MJD {alert.mjd}")
        changes["mjd"] = float(seen.max())
    if not 0.0 <= alert.position_err < np.inf:
        changes["position_err"] = ERROR_UNKNOWN
    return replace(alert, **changes) if changes else alert


def check(ra: float, dec: float) -> None:
    """Raise `PacketError` unless this is a position on the sky, in degrees."""
    if not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
        raise PacketError(f"no position on the sky: ra {ra}, dec {dec}")


def record(value: Any, what: str) -> Mapping[str, Any]:
    """A record of a packet or an answer; `PacketError` where there is none."""
    if not isinstance(value, Mapping):
        raise PacketError(f"no {what}: {shown(value)}")
    return value


def records(value: Any, dropped: Counter[str]) -> list[Mapping[str, Any]]:
    """The records in a list, which may be absent; items that are none are counted in ``dropped``, as is a value that is no list."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        dropped["no record"] += 1
        return []
    kept = [item for item in value if isinstance(item, Mapping)]
    if len(kept) < len(value):
        dropped["no record"] += len(value) - len(kept)
    return kept


def scalars(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The texts, numbers and booleans among the fields, read-only, with every sentinel turned into None."""
    return MappingProxyType({k: _plain(v) for k, v in fields.items() if v is None or isinstance(v, (str, int, float, bool))})


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return None if value in {"null", "None", "nan", ""} else value
    if value is None or value in (-999, -99999) or not -_ABSURD < value < _ABSURD:
        return None
    return value


def stamp(cutout: Any) -> bytes | None:
    """The file in a cutout record (``fileName``, ``stampData``) of ZTF and ATLAS, None where there is none."""
    data = cutout.get("stampData") if isinstance(cutout, Mapping) else None
    return data if isinstance(data, bytes) and data else None
