"""Map of the whole sky in equatorial coordinates, with the plane of the Galaxy and the ecliptic: an equal-area projection of Hammer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tom_alerce.pages.figures.svg import Tick

Floats = NDArray[np.float64]

#: Pixels of the ellipse, and around it.
WIDTH, HEIGHT, MARGIN = 720.0, 360.0, 12.0
#: Mean obliquity of the ecliptic at J2000, radians (IAU 2006).
_OBLIQUITY = float(erfa.obl06(2451545.0, 0.0))


@dataclass(frozen=True, slots=True)
class Dot:
    """A place on the map that is a link: pixels, key of the object and its name."""

    x: str
    y: str
    key: int
    name: str


@dataclass(frozen=True, slots=True)
class Map:
    """A map for the template ``tom_alerce/partials/skymap.html``: paths, labels and places."""

    width: float
    height: float
    outline: str
    grid: str
    galaxy: str
    ecliptic: str
    dots: str
    links: tuple[Dot, ...]
    labels: tuple[tuple[str, Tick], ...]


def skymap(ra: ArrayLike, dec: ArrayLike, links: Sequence[tuple[int, str, float, float]]) -> Map:
    """Draw positions (degrees) as dots, and those of ``links`` (key, name, position) as links; east is left."""
    x, y = project(ra, dec)
    dots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    px, py = project([one[2] for one in links], [one[3] for one in links])
    linked = tuple(Dot(f"{a:.1f}", f"{b:.1f}", key, name) for (key, name, *_), a, b in zip(links, px.tolist(), py.tolist(), strict=True))
    turn = np.linspace(0.0, 360.0, 181)
    return Map(
        WIDTH + 2 * MARGIN,
        HEIGHT + 2 * MARGIN,
        f"M{MARGIN} {MARGIN + HEIGHT / 2}a{WIDTH / 2} {HEIGHT / 2} 0 1 0 {WIDTH} 0a{WIDTH / 2} {HEIGHT / 2} 0 1 0 {-WIDTH} 0z",
        _grid(),
        _line(*(np.degrees(each) for each in erfa.g2icrs(np.radians(turn), 0.0))),
        _line(*_ecliptic(turn)),
        dots,
        linked,
        _labels(),
    )


def project(ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
    """Pixels of positions (degrees), shape (n,) each: 12 h is in the middle of the map, east is left."""
    longitude = np.radians((np.asarray(ra, float) % 360.0) - 180.0)
    latitude = np.radians(np.asarray(dec, float))
    share = np.sqrt(1.0 + np.cos(latitude) * np.cos(longitude / 2.0))
    x = -np.cos(latitude) * np.sin(longitude / 2.0) / share
    y = np.sin(latitude) / share
    return MARGIN + WIDTH / 2 * (1.0 + x), MARGIN + HEIGHT / 2 * (1.0 - y)


def _ecliptic(longitude: Floats) -> tuple[Floats, Floats]:
    turn = np.radians(longitude)
    ra = np.arctan2(np.sin(turn) * np.cos(_OBLIQUITY), np.cos(turn))
    return np.degrees(ra), np.degrees(np.arcsin(np.sin(turn) * np.sin(_OBLIQUITY)))


def _line(ra: Floats, dec: Floats) -> str:
    """Path through positions, cut where it leaves the map on one side and comes back on the other."""
    x, y = project(ra, dec)
    pieces, last = [], np.inf
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        pieces.append(f"{'M' if abs(a - last) > WIDTH / 4 else 'L'}{a:.1f} {b:.1f}")
        last = a
    return "".join(pieces)


def _grid() -> str:
    lines = [_line(np.linspace(0.01, 359.99, 91), np.full(91, dec)) for dec in (-60.0, -30.0, 0.0, 30.0, 60.0)]
    lines += [_line(np.full(37, ra), np.linspace(-90.0, 90.0, 37)) for ra in (60.0, 120.0, 180.0, 240.0, 300.0)]
    return "".join(lines)


def _labels() -> tuple[tuple[str, Tick], ...]:
    """Vertical place and tick of each label of right ascension and declination."""
    hours = ((4.0, 0.0), (8.0, 0.0), (12.0, 0.0), (16.0, 0.0), (20.0, 0.0))
    made = [(15.0 * hour, dec, f"{hour:g} h") for hour, dec in hours]
    made += [(180.0, dec, f"{dec:+g}°".replace("-", "−")) for dec in (-60.0, -30.0, 30.0, 60.0)]
    x, y = project([one[0] for one in made], [one[1] for one in made])
    return tuple((f"{b - 3:.1f}", Tick(f"{a + 3:.1f}", text)) for a, b, (_, _, text) in zip(x.tolist(), y.tolist(), made, strict=True))
