"""Positions as people type them, in a search field: decimal degrees, hours and degrees with colons, spaces or units, and a radius."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

#: Longest text that can be a position; a longer one is a name.
LONGEST = 100
#: Radius of a cone search by default, and the largest one, arcseconds.
RADIUS, MAX_RADIUS = 5.0, 600.0


class Cone(NamedTuple):
    """Right ascension and declination (degrees) and radius (arcseconds)."""

    ra: float
    dec: float
    radius: float


class PositionError(ValueError):
    """The text is meant as a position, and is none; the message is for the person who typed it."""


_N = r"(?:\d+(?:\.\d*)?|\.\d+)"
_MINUTES, _SECONDS = r"(?:m(?:in)?|['′])", r"(?:s(?:ec)?|\"|″|'')"
#: Arcseconds in a unit of the radius.
_UNITS = {"": 1.0, "as": 1.0, "arcsec": 1.0, '"': 1.0, "''": 1.0, "am": 60.0, "arcmin": 60.0, "'": 60.0, "d": 3600.0, "deg": 3600.0}
_UNIT = "|".join(map(re.escape, sorted(filter(None, _UNITS), key=len, reverse=True)))

#: What is rewritten before the text is split at spaces: (pattern, replacement).
_REWRITTEN = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[−‒–—]", "-"),
        (r"[″”“]", '"'),
        (r"[′’‘]", "'"),
        (r"\b(?:j2000(?:\.0)?|icrs|fk5)\b|[()/]", " "),
        (r"^j(\d\d)(\d\d)(\d\d(?:\.\d*)?)([+-]\d\d)(\d\d)(\d\d(?:\.\d*)?)$", r"\1:\2:\3 \4:\5:\6"),
        (r"(?<=[\d.])(?=[+-][\d.])", " "),
        (r"\b(?:ra|dec?)\s*[=:]?\s*(?=[-+.\d])", " "),
        (r"([+-])\s+(?=\d)", r"\1"),
        # 10h00m00s and 2d12m00s; the degrees keep their unit, since a right ascension with colons is in hours
        (rf"({_N})\s*h\s*({_N})\s*{_MINUTES}(?:\s*({_N})\s*{_SECONDS}?)?", r"\1:\2:\3 "),
        (rf"({_N})\s*(?:d(?:eg)?|[°º])\s*({_N})\s*{_MINUTES}(?:\s*({_N})\s*{_SECONDS})?", r"\1:\2:\3d "),
        (rf"({_N}(?:e[+-]?\d+)?)\s*(?:d(?:eg(?:rees?)?)?|[°º])(?![\w:])", r"\1d "),
        (rf"({_N})\s*h(?:ours?)?(?![\w:])", r"\1h "),
        (rf"({_N})\s+({_UNIT})(?!\w)", r"\1\2 "),
    )
]
_RADIUS = re.compile(rf"(?<!\w)(?:r|rad|radius)\s*[=:]\s*([^\s,;]+?)\s*({_UNIT})?(?=[\s,;]|$)")
_NUMERIC = re.compile(rf"[+-]?(?:inf(?:inity)?|nan|[\d.][\d.:]*(?:e[+-]?\d+)?)(?:h|{_UNIT})?")


def parse(text: str) -> Cone | None:
    """Parse a position with an optional radius in arcseconds; None if the text is a name.

    ``150.25 2.2``, ``10:01:00 +02:12:00 10``, ``10 01 00 +02 12 00 r=10``, ``10h01m00s +02d12m00s 1'``, ``150.25 deg, 2.2 deg``.

    Raises
    ------
    PositionError
        All of it is numbers, but they are no place on the sky.
    """
    text = text.strip().lower()
    if len(text) > LONGEST:
        return None
    for pattern, replacement in _REWRITTEN[:3]:
        text = pattern.sub(replacement, text)
    radius = RADIUS
    if named := _RADIUS.search(text):
        text = text[: named.start()] + " " + text[named.end() :]
    for pattern, replacement in _REWRITTEN[3:]:
        text = pattern.sub(replacement, text)
    parts = [part for part in re.split(r"[\s,;]+", text) if part]
    if len(parts) < 2 or not all(_NUMERIC.fullmatch(part) for part in parts):
        return None
    if named:
        radius = _radius(named[1] + (named[2] or ""))
    ra, dec, rest = _split(parts, bool(named))
    return Cone(_right_ascension(ra), _declination(dec), _radius(rest[0]) if rest else radius)


def _split(parts: Sequence[str], has_radius: bool) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Parts of right ascension, declination and radius: a declination has its sign, or as many parts as the right ascension."""
    sign = next((i for i, part in enumerate(parts) if i and part[0] in "+-"), None)
    if sign is not None:
        n = sign
    elif any(":" in part or part[-1] in "dh" for part in parts[:2]):
        n = 1
    else:
        n = {2: 1, 3: 1, 4: 2, 6: 3, 7: 3}.get(len(parts), 0)
    ra, dec, rest = parts[:n], parts[n : 2 * n], parts[2 * n :]
    if not 1 <= n <= 3 or len(dec) != n or len(rest) > (0 if has_radius else 1):
        raise PositionError(f"not understood as a position: {' '.join(parts)!r}; write it as 150.25 +2.2, or 10:01:00 +02:12:00, with r=10")
    return ra, dec, rest


def _right_ascension(parts: Sequence[str]) -> float:
    hours = len(parts) > 1 or parts[0].endswith("h") or (":" in parts[0] and not parts[0].endswith("d"))
    value = _angle(parts, "right ascension")
    degrees = 15.0 * value if hours else value
    if not (0.0 <= value <= 24.0 if hours else -180.0 <= degrees <= 360.0):
        raise PositionError(f"no right ascension: {' '.join(parts)} is not from 0 to {'24 hours' if hours else '360 degrees'}")
    return degrees % 360.0


def _declination(parts: Sequence[str]) -> float:
    value = _angle(parts, "declination")
    if parts[0].endswith("h") or not -90.0 <= value <= 90.0:
        raise PositionError(f"no declination: {' '.join(parts)} is not from -90 to 90 degrees")
    return value


def _angle(parts: Sequence[str], what: str) -> float:
    """Value of one number, or of whole units, minutes and seconds."""
    numbers = parts[0].rstrip("dh").rstrip(":").split(":") if len(parts) == 1 else list(parts)
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        raise PositionError(f"no {what}: {' '.join(parts)}") from None
    if len(values) > 3 or not all(map(math.isfinite, values)) or any(not 0.0 <= v <= 60.0 for v in values[1:]):
        raise PositionError(f"no {what}: {' '.join(parts)}")
    size = sum(abs(value) / 60.0**i for i, value in enumerate(values))
    return -size if numbers[0].startswith("-") else size


def _radius(text: str) -> float:
    unit = next((unit for unit in sorted(_UNITS, key=len, reverse=True) if text.endswith(unit)), "")
    try:
        value = float(text.removesuffix(unit)) * _UNITS[unit]
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise PositionError(f"no radius: {text} is not a number of arcseconds above 0")
    return min(value, MAX_RADIUS)
