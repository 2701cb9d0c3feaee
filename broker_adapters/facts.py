"""What is true of one survey alone: its record, and those of its bands.

Whatever depends on the survey (association, light curves, figures, names, links) reads these records and keeps no table of its own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Longest texts, in characters, of `DETECTION` and of the database's columns alike.
SURVEY_WIDTH, BAND_WIDTH, SOURCE_ID_WIDTH, OBJECT_ID_WIDTH = 12, 8, 48, 64
#: Images that an alert may come with, in the order of `Cutouts`.
STAMPS = ("science", "template", "difference")
#: Marks of light curves, under plotly's names of them.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross")
#: No survey's positions are worse, arcsec: neighbours are looked for within one pixel of the index of positions (52 arcsec).
MAX_RADIUS = 30.0


@dataclass(frozen=True, slots=True)
class Band:
    """One band of a survey.

    Colours of our own surveys are those of Okabe & Ito 2008, which colour-blind people can distinguish.

    Attributes
    ----------
    name : str
        A letter and up to seven more letters or digits.
    wavelength : float
        Effective wavelength in nm; NaN where it is not known.
    colour, red : str
        ``#rrggbb`` on light and dark pages and on red ones; 'quiet' is the grey of secondary text, '' that of the text. Bands of
        the same name have the colour of the survey that comes first in `broker_adapters.surveys.known`.
    ink : float
        Share of the text's colour that is mixed into ``colour``, for contrast on any background.
    line : bool
        A filter of a spectral line, which compares with no broad band.
    """

    name: str
    wavelength: float = math.nan
    colour: str = ""
    red: str = ""
    ink: float = 0.15
    line: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[A-Za-z][A-Za-z0-9]{{0,{BAND_WIDTH - 1}}}", self.name):
            raise ValueError(f"band {self.name!r}: a name is a letter and up to {BAND_WIDTH - 1} letters or digits")
        for colour in (self.colour, self.red):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}|quiet|", colour):
                raise ValueError(f"band {self.name!r}: a colour is '#rrggbb', 'quiet' or '', not {colour!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is true of one survey alone: ``SURVEY`` of its module in ``broker_adapters/surveys``.

    Attributes
    ----------
    name : str
        The module's file name, such as 'ztf': `Alert.survey`, and ``survey`` of `DETECTION`.
    bands : tuple of Band
    object_id : str
        Regular expression of a whole object id.
    label, title : str
        In names of bands and objects ('LSST-r', 'LSST 1702...'), and in forms ('Rubin/LSST'); the name in capitals unless given.
    telescope, instrument : str
        As photometry of targets has them; the label unless given.
    radius : float
        Arcseconds. Two survey objects can be one source within the larger radius of their surveys.
    coarse : bool
        Positions are too coarse to distinguish neighbours.
    catalogued : bool
        The reference flux is that of a catalogued source, so that none given means that there is none.
    bare : bool
        An object id alone identifies the survey; otherwise the label must stand before it ('ATLAS 1032...').
    stamps : tuple of str
        Which of `STAMPS` its alerts have.
    noon : float or None
        Fraction of a day (UTC) at which one night ends and the next begins; None for telescopes around the globe.
    began : float or None
        MJD before which it has no image; a first detection that is earlier is not believed.
    counts_places : bool
        The number of detections that it states is of the place: two of its objects at one place state the same detections.
    precedence : int
        Objects without a TNS name are called by that of the survey with the lowest: names that a person can say come first.
    symbol : str
        One of `SYMBOLS`.
    pages : tuple of (title, address)
        Pages about an object, with ``{}`` for its id.
    """

    name: str
    bands: tuple[Band, ...] = ()
    object_id: str = r"\S+"
    label: str = ""
    title: str = ""
    telescope: str = ""
    instrument: str = ""
    radius: float = 1.5
    coarse: bool = False
    catalogued: bool = False
    bare: bool = True
    stamps: tuple[str, ...] = STAMPS
    noon: float | None = None
    began: float | None = None
    counts_places: bool = False
    precedence: int = 9
    symbol: str = SYMBOLS[0]
    pages: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(rf"[a-z][a-z0-9_]{{0,{SURVEY_WIDTH - 1}}}", self.name):
            raise ValueError(f"survey {self.name!r}: a name is a small letter and up to {SURVEY_WIDTH - 1} small letters, digits or '_'")
        for field_, default in (("label", self.name.upper()), ("title", ""), ("telescope", ""), ("instrument", "")):
            object.__setattr__(self, field_, getattr(self, field_) or default or self.label)
        problems = {
            f"radius is {self.radius}, not between 0 and {MAX_RADIUS} arcsec": 0.0 < self.radius <= MAX_RADIUS,
            f"symbol {self.symbol!r} is none of {', '.join(SYMBOLS)}": self.symbol in SYMBOLS,
            f"stamps {self.stamps} are not among {', '.join(STAMPS)}": set(self.stamps) <= set(STAMPS),
            "two bands have one name": len({band.name for band in self.bands}) == len(self.bands),
            f"noon is {self.noon}, not a fraction of a day": self.noon is None or 0.0 <= self.noon < 1.0,
        }
        for problem, fine in problems.items():
            if not fine:
                raise ValueError(f"survey {self.name!r}: {problem}")

    def object_id_of(self, name: str) -> str | None:
        """The object id in a name as people write it, with or without the label before it; None if it is not one of this survey's."""
        found = re.fullmatch(rf"((?i:{re.escape(self.label)})\s*)?({self.object_id})", name)
        return found[2] if found and (self.bare or found[1]) else None
