"""What form data of a facility ask for, read back from them: a person may have edited every field since the plug-in made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from followup.exposure import Instrument
from followup.records import Exposure

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

    def hours(self, instruments: Mapping[str, Instrument]) -> float:
        """Telescope time in hours, overheads included; 0 for an instrument that is not known, or no exposures."""
        camera = instruments.get(self.instrument)
        if camera is None or not self.exposures:
            return 0.0
        return (camera.setup + self.repeats * sum(e.count * (e.seconds + camera.overhead) for e in self.exposures)) / 3600.0

    def overlaps(self, other: Asked) -> bool:
        """Whether the two windows have a moment in common; a request without a window is for any time."""
        return not (self.end <= other.start or other.end <= self.start)
