"""The public table of the Transient Name Server: one download a day answers who named what, at no further call.

The file is a zip archive of one CSV file: its first line is a range of times, the second the header. The daily one has every object, an
hourly one those that have changed. Names change when an object is classified (AT to SN or TDE), and places move.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from itertools import chain
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from broker_adapters import times, tns
from broker_adapters.errors import PacketError, RateLimited
from broker_adapters.sources.http import Answer, Http
from broker_adapters.values import counted

logger = logging.getLogger(__name__)

URL = "https://www.wis-tns.org"
_TABLE = "/system/files/tns_public_objects/tns_public_objects"
_NEEDED = frozenset({"objid", "name_prefix", "name", "ra", "declination"})
_MAX_BYTES, _MAX_UNPACKED = 256 << 20, 2 << 30
#: Objects that are not optical transients.
_LEFT_OUT = frozenset({"FRB"})
_NAME_SEPARATOR = re.compile(r"\s*[,;]\s*")


class Named(NamedTuple):
    """One object of the table; '' and None where it has no value. Degrees, MJD UTC."""

    objid: int
    prefix: str
    name: str
    ra: float
    dec: float
    type: str
    redshift: float | None
    discovered: float | None
    magnitude: float | None
    filter: str
    group: str
    internal_names: tuple[str, ...]

    @property
    def digest(self) -> int:
        """A number that changes with the contents."""
        return zlib.crc32(repr(tuple(self)).encode())


def read(archive: bytes) -> Iterator[Named]:
    """The objects of a table, one after another; rows that cannot be used are left out, and the log has their number.

    Raises
    ------
    PacketError
        It is no such archive, or its table lacks a column.
    """
    try:
        with ZipFile(io.BytesIO(archive)) as opened:
            [member] = opened.infolist()
            if member.file_size > _MAX_UNPACKED:
                raise PacketError(f"the table of TNS is larger than {_MAX_UNPACKED} bytes")
            with opened.open(member) as raw, io.TextIOWrapper(raw, "utf-8", "replace", newline="") as text:
                yield from _rows(text)
    except (BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, csv.Error) as error:
        raise PacketError(f"not a table of TNS: {type(error).__name__}: {error}") from error


def _rows(text: Iterator[str]) -> Iterator[Named]:
    first = next(text, "")
    rows = csv.DictReader(text if "objid" not in first else chain([first], text))
    if missing := _NEEDED - set(rows.fieldnames or ()):
        raise PacketError(f"the table of TNS lacks: {', '.join(sorted(missing))}")
    dropped: Counter[str] = Counter()
    for row in rows:
        if row["name_prefix"] in _LEFT_OUT:
            continue
        one = _named(row)
        if isinstance(one, str):
            dropped[one] += 1
        else:
            yield one
    if dropped:
        logger.warning("rows of the table of TNS are left out: %s", counted(dropped))


def _named(row: Mapping[str, str | None]) -> Named | str:
    """An object, or why the row has none."""
    prefix, name = (row["name_prefix"] or "").strip(), (row["name"] or "").strip()
    if not (row["objid"] or "").isdecimal() or len(row["objid"] or "") > 15:
        return "no number"
    if tns.written(f"{prefix if prefix in tns.PREFIXES else 'AT'} {name}") is None:
        return "no name"
    ra, dec = _number(row["ra"]), _number(row["declination"])
    if ra is None or dec is None or not (0.0 <= ra <= 360.0 and -90.0 <= dec <= 90.0):
        return "no place"
    redshift, magnitude = _number(row.get("redshift")), _number(row.get("discoverymag"))
    return Named(
        objid=int(row["objid"] or 0),
        prefix=prefix[:8],
        name=name,
        ra=ra,
        dec=dec,
        type=_text(row, "type", 32),
        redshift=redshift if redshift is not None and -0.1 < redshift < 15.0 else None,
        discovered=_mjd(row.get("discoverydate")),
        magnitude=magnitude if magnitude is not None and 0.0 < magnitude < 40.0 else None,
        filter=_text(row, "filter", 32),
        group=_text(row, "reporting_group", 64),
        internal_names=tuple(dict.fromkeys(n[:64] for n in _NAME_SEPARATOR.split(_text(row, "internal_names", 500)) if n)),
    )


def _text(row: Mapping[str, str | None], name: str, width: int) -> str:
    text = (row.get(name) or "").replace("\x00", "").strip()
    return "" if text in ("None", "null") else text[:width]


def _number(text: str | None) -> float | None:
    """A number that is finite and no sentinel; `values.floats` is for columns, and slow for a single one."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if abs(value) < 1e30 and value not in (-999.0, -99999.0) else None


def _mjd(text: str | None) -> float | None:
    try:
        return times.mjd_from_datetime(datetime.fromisoformat((text or "").strip()[:26]).replace(tzinfo=timezone.utc))
    except (ValueError, OverflowError):
        return None


class Client:
    """TNS, for one bot; the arguments are those of ``DATA_SERVICES["TNS"]`` of tom_tns.

    Parameters
    ----------
    bot_id, bot_name, api_key : str
        Of https://www.wis-tns.org/bots.
    base_url : str
    timeout : float
        Seconds without a byte; a download may take ten times as long.
    """

    def __init__(self, *, bot_id: str, bot_name: str, api_key: str, base_url: str = URL, timeout: float = 60.0) -> None:
        marker = json.dumps({"tns_id": bot_id, "type": "bot", "name": bot_name})
        self._url, self._key = base_url.rstrip("/").removesuffix("/api"), api_key
        self._http = Http("TNS", {"User-Agent": f"tns_marker{marker}"}, timeout=timeout, retries=1, max_bytes=_MAX_BYTES)

    def table(self, hour: int | None = None) -> bytes:
        """The archive with all objects, or with those that changed until an hour (UTC, 0 to 23) of today.

        Raises
        ------
        RateLimited
            Asked too often; ``retry_after`` as TNS says it in a header of its own.
        SourceError
            As `Http.request`.
        """
        suffix = "" if hour is None else f"_{hour:02d}"
        answer = self._http.post(f"{self._url}{_TABLE}{suffix}.csv.zip", {"api_key": self._key}, accept=(429,), repeatable=True)
        if answer.status == 429:
            raise RateLimited(f"{answer.name}: asked too often", _reset(answer))
        return answer.body


def _reset(answer: Answer) -> float:
    text = answer.headers.get("x-rate-limit-reset", "").strip()
    return float(text) + 1.0 if text.isdecimal() else 60.0
