"""A night plan as CSV and as iCalendar (RFC 5545)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from broker_adapters.times import datetime_from_mjd

#: Columns of the table.
COLUMNS = (
    "number", "site", "instrument", "object", "ra_deg", "dec_deg", "begin_utc", "end_utc", "exposures", "airmass", "moon_deg",
    "visible_until_utc", "worth",
)  # fmt: skip
#: Beginnings that a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Bytes of a line of a calendar at most, without the line's end.
_LINE = 75


@dataclass(frozen=True, slots=True)
class Line:
    """One observation of a plan as people read it; times are MJD, UTC, angles degrees."""

    number: int
    key: int
    name: str
    site: str
    instrument: str
    ra: float
    dec: float
    start: float
    end: float
    visible_until: float
    exposures: str
    airmass: float
    moon: float
    value: float
    price: float
    address: str


def table(lines: Iterable[Line]) -> str:
    """CSV with a line of headings; no text is a formula of a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in lines:
        times = (_iso(one.start), _iso(one.end))
        numbers = (f"{one.airmass:.2f}", f"{one.moon:.0f}", _iso(one.visible_until), f"{one.value:.3f}")
        place = (f"{one.ra:.6f}", f"{one.dec:.6f}")
        writer.writerow(
            (one.number, harmless(one.site), one.instrument, harmless(one.name), *place, *times, harmless(one.exposures), *numbers)
        )
    return out.getvalue()


def calendar(lines: Sequence[Line], made: float, host: str) -> str:
    """One event for each observation; ``made`` is the time of the plan (MJD, UTC), ``host`` the name of this TOM's server."""
    rows = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tom_alerce//night plan//EN", "CALSCALE:GREGORIAN"]
    for one in lines:
        sky = f"airmass {one.airmass:.2f}, Moon {one.moon:.0f} deg away, visible until {_iso(one.visible_until)}"
        rows += [
            "BEGIN:VEVENT",
            f"UID:alerce-{one.key}-{_stamp(one.start)}@{_text(host)}",
            f"DTSTAMP:{_stamp(made)}",
            f"DTSTART:{_stamp(one.start)}",
            f"DTEND:{_stamp(one.end)}",
            f"SUMMARY:{_text(f'{one.number}. {one.name}')}",
            f"LOCATION:{_text(f'{one.site}, {one.instrument}')}",
            "DESCRIPTION:" + _text("\n".join((one.exposures, sky, one.address))),
            f"URL:{one.address}",
            "END:VEVENT",
        ]
    return "".join(f"{_folded(row)}\r\n" for row in [*rows, "END:VCALENDAR"])


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: one that begins like one gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(text: str) -> str:
    """A text with the escapes of a calendar; other control characters become spaces."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\r\n", "\n").replace("\n", "\\n")
    return re.sub(r"[\x00-\x1f\x7f]", " ", escaped)


def _folded(row: str) -> str:
    """A line in pieces of at most 75 bytes; no character is cut."""
    pieces: list[str] = []
    piece = ""
    for character in row:
        if len((piece + character).encode()) > _LINE - bool(pieces):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])


def _moment(mjd: float) -> datetime:
    """Time of an MJD to the second."""
    return datetime_from_mjd(round(mjd * 86400.0) / 86400.0 + 1e-9).astimezone(timezone.utc)


def _iso(mjd: float) -> str:
    return f"{_moment(mjd):%Y-%m-%dT%H:%M:%SZ}"


def _stamp(mjd: float) -> str:
    return f"{_moment(mjd):%Y%m%dT%H%M%SZ}"
