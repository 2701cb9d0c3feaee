"""Names of the Transient Name Server (TNS): 'AT 2026asx' for a transient, 'SN 2026asx' once a spectrum shows a supernova."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Prefix, year and letters: one capital for the first 26 of a year, then small letters. Capitals after the year alone would be an asteroid.
_NAME = re.compile(r"(SN|TDE|AT)[ _-]?((?:19|20)\d\d(?:[A-Z]|[a-z]{2,7}))")

#: Prefixes of one source, the most telling first.
PREFIXES = ("SN", "TDE", "AT")


def written(name: str) -> str | None:
    """A TNS name as it is written, 'SN 2026asx' for 'SN2026asx'; None for any other name."""
    found = _NAME.fullmatch(name.strip())
    return f"{found[1]} {found[2]}" if found else None


def spectroscopic(name: str) -> bool:
    """Whether the name says that there is a spectrum of a supernova."""
    return (written(name) or "").startswith("SN ")


def best(names: Iterable[str]) -> str | None:
    """The TNS name among some names, the one with the most telling prefix; None if there is none."""
    found = sorted({name for name in map(written, names) if name}, key=lambda name: (PREFIXES.index(name.split()[0]), name))
    return found[0] if found else None
