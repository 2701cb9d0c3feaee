"""Lists of positions and names as people keep them, read line by line: those of Lasair, of ALeRCE and ANTARES, and plain names.

Lasair writes ``RA, Dec, name`` and perhaps a radius in arcseconds, with commas or upright strokes between; ALeRCE and ANTARES a table with
a heading, ``name,ra,dec,radius``. ALeRCE's radius is in degrees, of 30 arcseconds at most, so that one below 0.01 under the heading
``radius`` is taken for degrees: no list has radii of a hundredth of an arcsecond.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from astropy.coordinates import Angle

#: Lines of a list, and radius in arcseconds (as of Lasair), at most; characters of a name and of a remark.
MOST, MAX_RADIUS, NAME, REMARK = 100_000, 1800.0, 64, 200
#: Mistakes that are told, of how many there may be.
TOLD = 50
_DEGREES_BELOW = 0.01
#: Word of a heading -> what stands below it.
_HEADINGS = {
    **dict.fromkeys(("name", "id", "oid", "object", "objectid", "target"), "name"),
    **dict.fromkeys(("ra", "raj2000", "ra_deg", "meanra"), "ra"),
    **dict.fromkeys(("dec", "decl", "dej2000", "dec_deg", "meandec"), "dec"),
    **dict.fromkeys(("radius", "r"), "radius"),
    **dict.fromkeys(("radius_arcsec", "arcsec"), "arcsec"),
    **dict.fromkeys(("comment", "remark", "text", "note"), "text"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a name, and a place (degrees, ICRS; NaN: the object of that name), a radius (arcseconds; NaN: the list's), a remark."""

    name: str
    ra: float = math.nan
    dec: float = math.nan
    radius: float = math.nan
    text: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """A list: its entries, and what is wrong with which line (``line 3: ...``); `TOLD` of them at most, ``wrong`` is the number of all."""

    entries: Sequence[Entry]
    problems: Sequence[str]
    wrong: int


class _Wrong(ValueError):
    """What is wrong with a line."""


def read(text: str) -> Read:
    """Read a list; a line that cannot be read is left out and told, and so is what is beyond `MOST` lines."""
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    wrong, heading = 0, dict[str, int]()
    for number, line in enumerate(text.replace("\ufeff", "").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(("#", "//")):
            continue
        try:
            parts = _split(line)
            if not entries and not wrong and (found := _heading(parts)):
                heading = found
                continue
            entry = _under(heading, parts) if heading else _plain(parts, line.split() == parts)
            if entry.name in entries:
                raise _Wrong(f"the name {entry.name!r} is there already")
            if len(entries) >= MOST:
                raise _Wrong(f"{MOST} lines are the most")
            entries[entry.name] = entry
        except _Wrong as error:
            wrong += 1
            problems += [f"line {number}: {error}"] if len(problems) < TOLD else []
    return Read(list(entries.values()), problems, wrong)


def _split(line: str) -> list[str]:
    """Parts between upright strokes, tabs, semicolons or commas; between spaces where there is none of these."""
    for mark in ("|", "\t", ";", ","):
        if mark in line:
            return [part.strip().strip('"').strip() for part in line.split(mark)]
    return line.split()


def _heading(parts: Sequence[str]) -> dict[str, int]:
    """What each column holds, if the line is a heading; {} if it is none."""
    found = {_HEADINGS[word.lower()]: i for i, word in enumerate(parts) if word.lower() in _HEADINGS}
    return found if {"ra", "dec"} <= found.keys() or ("name" in found and len(found) >= len(parts) / 2) else {}


def _under(heading: Mapping[str, int], parts: Sequence[str]) -> Entry:
    """The entry of a line below a heading."""
    value = {name: parts[i] if i < len(parts) else "" for name, i in heading.items()}
    radius = value.get("arcsec", "") or value.get("radius", "")
    degrees = "arcsec" not in heading and _is_small(radius)
    return _entry(value.get("name", ""), value.get("ra", ""), value.get("dec", ""), radius, value.get("text", ""), degrees)


def _plain(parts: Sequence[str], spaced: bool) -> Entry:
    """The entry of a line without a heading: place first, name first, or a name alone."""
    if len(parts) >= 2 and _is_angle(parts[0]) and _is_angle(parts[1]):
        name, rest = (parts[2] if len(parts) > 2 else ""), parts[3:]
        return _entry(name, parts[0], parts[1], *_rest(rest))
    if len(parts) >= 3 and _is_angle(parts[1]) and _is_angle(parts[2]):
        return _entry(parts[0], parts[1], parts[2], *_rest(parts[3:]))
    if len(parts) == 1 or (len(parts) == 2 and spaced):  # 'LSST 170032915988021282'
        return _entry(" ".join(parts), "", "")
    raise _Wrong("neither 'RA, Dec, name' nor 'name, RA, Dec' nor a name alone")


def _rest(parts: Sequence[str]) -> tuple[str, str]:
    """Radius and remark, of what follows name and place."""
    if parts and (not parts[0] or _number(parts[0]) is not None):
        return parts[0], " ".join(parts[1:])
    return "", " ".join(parts)


def _entry(name: str, ra: str, dec: str, radius: str = "", text: str = "", degrees: bool = False) -> Entry:
    if not ra and not dec:
        if not name:
            raise _Wrong("neither a place nor a name")
        return Entry(_named(name), text=text[:REMARK])
    place = _angle(ra, "right ascension", hours=True), _angle(dec, "declination")
    if not 0.0 <= place[0] <= 360.0:
        raise _Wrong(f"the right ascension {ra} is not from 0 to 360 degrees")
    if not -90.0 <= place[1] <= 90.0:
        raise _Wrong(f"the declination {dec} is not from -90 to 90 degrees")
    return Entry(_named(name or f"{place[0]:.5f} {place[1]:+.5f}"), place[0] % 360.0, place[1], _radius(radius, degrees), text[:REMARK])


def _named(name: str) -> str:
    if len(name) > NAME or not name.isprintable():
        raise _Wrong(f"the name has more than {NAME} characters, or odd ones")
    return name


def _radius(text: str, degrees: bool) -> float:
    if not text:
        return math.nan
    value = _number(text)
    if value is None:
        raise _Wrong(f"the radius {text[:20]!r} is no number")
    value *= 3600.0 if degrees else 1.0
    if not 0.0 < value <= MAX_RADIUS:
        raise _Wrong(f"the radius {text} is not above 0 and at most {MAX_RADIUS:g} arcseconds")
    return value


def _angle(text: str, what: str, hours: bool = False) -> float:
    """Degrees of a number of degrees, or of hours (right ascension) or degrees with colons."""
    value = _number(text)
    if value is not None:
        return value
    try:
        return float(Angle(text, "hourangle" if hours else "deg").deg) if ":" in text and len(text) < 30 else math.nan
    except ValueError:
        raise _Wrong(f"the {what} {text[:30]!r} is none") from None


def _is_angle(text: str) -> bool:
    return _number(text) is not None or re.fullmatch(r"[+-]?\d{1,3}(:\d{1,2}){1,2}(\.\d*)?", text, re.ASCII) is not None


def _is_small(text: str) -> bool:
    value = _number(text)
    return value is not None and abs(value) < _DEGREES_BELOW


def _number(text: str) -> float | None:
    try:
        value = float(text) if len(text) < 40 and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None
