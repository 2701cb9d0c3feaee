"""What form data of a facility ask for, read back from them: a person may have edited every field since the plug-in made them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from broker_adapters.times import mjd_from_datetime
from followup.exposure import Instrument
from followup.records import Exposure, FollowupError

#: How a scheduler treats a request. Rapid response interrupts other people's observations.
NORMAL, TIME_CRITICAL, RAPID_RESPONSE = "NORMAL", "TIME_CRITICAL", "RAPID_RESPONSE"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks for.

    Attributes
    ----------
    instrument : str
        As the facility names it.
    exposures : tuple of Exposure
        Of one repetition; empty where the form data are not understood that far.
    start, end : float
        MJD, UTC: the window; NaN where there is none.
    max_airmass : float
        Infinite where there is no limit.
    min_lunar_distance : float
        Degrees.
    mode : str
        `NORMAL`, `TIME_CRITICAL` or `RAPID_RESPONSE`.
    proposal : str
        The proposal to which the time is charged, '' for none.
    repeats : int
        How often the exposures are repeated.
    lasting : float
        Seconds for which they are repeated each time, as a time series; 0 for once.
    """

    instrument: str
    exposures: tuple[Exposure, ...]
    start: float
    end: float
    max_airmass: float
    min_lunar_distance: float
    mode: str = NORMAL
    proposal: str = ""
    repeats: int = 1
    lasting: float = 0.0

    def __post_init__(self) -> None:
        """Raise a `FollowupError` for numbers with which nothing can be observed."""
        sound = all(0.0 <= e.seconds < math.inf and e.count >= 0 for e in self.exposures) and 0.0 <= self.lasting < math.inf
        if not (sound and self.repeats >= 1 and self.max_airmass >= 1.0 and 0.0 <= self.min_lunar_distance <= 180.0):
            raise FollowupError("it asks for an impossible exposure, airmass or distance from the Moon")

    def hours(self, instruments: Mapping[str, Instrument]) -> float:
        """Telescope time in hours, overheads included; 0 for an instrument that is not known, or no exposures."""
        camera = instruments.get(self.instrument)
        if camera is None or not self.exposures:
            return 0.0
        once = sum(e.count * (e.seconds + camera.overhead) for e in self.exposures)
        return (camera.setup + self.repeats * max(once, self.lasting)) / 3600.0

    def overlaps(self, other: Asked) -> bool:
        """Whether the two windows have a moment in common; a request without a window is for any time."""
        return not (self.end <= other.start or other.end <= self.start)


@contextmanager
def reading() -> Iterator[None]:
    """Read form data: what is missing or makes no sense in them is a `FollowupError`."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FollowupError(f"the form data cannot be read: {error}") from error


def exposures(listed: Iterable[Mapping[str, Any]]) -> tuple[Exposure, ...]:
    """Exposures of a list of ``{"filter", "seconds", "count"}``."""
    return tuple(Exposure(str(e["filter"]), float(e["seconds"]), int(e["count"])) for e in listed)


def mjd(text: Any) -> float:
    """MJD of a time as it stands in form data, UTC where it has no zone; NaN for none. ValueError where it is no time."""
    if not text:
        return math.nan
    moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    return mjd_from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
