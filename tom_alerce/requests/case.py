"""The case of a request: all that guards know of it. A guard is a pure function of it, and asks neither the database nor a portal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from followup.asked import Asked
from followup.exposure import Instrument
from followup.network import Sky


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guard says: its name, whether the request passes, why, whether a person with the right may override it, and who has, why."""

    name: str
    passed: bool
    reason: str
    overridable: bool
    overridden: str = ""


@dataclass(frozen=True, slots=True)
class Other:
    """Another request for the same object: what it asks for, its state, and whose it is as the person sees it.

    ``joins`` says that a request which asks for the same is joined with it when it is sent, instead of being repeated; ``spectrum`` whether
    a spectrum is asked for, None where that is not known.
    """

    facility: str
    asked: Asked
    state: str
    whose: str
    joins: bool = False
    spectrum: bool | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of another person: 'spectrum by X until ...' (MJD, NaN for no end)."""

    author: str
    until: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Telescope time in hours of requests that have been sent: of the proposal in this semester, and tonight by all and by the person.

    ``rapid`` counts the rapid-response requests of tonight.
    """

    proposal: float = 0.0
    night: float = 0.0
    person: float = 0.0
    rapid: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One request, and what is known beside it.

    Attributes
    ----------
    now : float
        MJD, UTC.
    asked : Asked
        What it asks for.
    camera : Instrument or None
        None for an instrument that the plug-in does not know.
    instruments : tuple of str
        Those that the plug-in knows.
    hours : float
        Telescope time, overheads included.
    skies : tuple of Sky
        One for each site that has the instrument, over the window; empty for a telescope in space.
    in_space : bool
    by_hand : str
        Why the facility takes no requests from here; '' where it does.
    magnitude : float
        AB magnitude expected now; NaN where it is not known.
    classes : mapping of classifier to mapping of class to probability
    classified : str
        How it is known that there is a spectroscopic class; '' where there is none.
    spectra : int
        Spectra of the target in this TOM.
    others : tuple of Other
        Requests for the same object that are under way.
    claims : tuple of Claim
        Of other people.
    spent : Spent
    """

    now: float
    asked: Asked
    camera: Instrument | None
    instruments: tuple[str, ...]
    hours: float
    skies: tuple[Sky, ...] = field(repr=False)
    in_space: bool
    by_hand: str
    magnitude: float
    classes: Mapping[str, Mapping[str, float]]
    classified: str
    spectra: int
    others: tuple[Other, ...]
    claims: tuple[Claim, ...]
    spent: Spent

    @property
    def spectrum(self) -> bool:
        """Whether a spectrum is asked for."""
        return self.camera is not None and self.camera.resolution > 0.0
