"""Figures of the region of an event: the whole sky by Mollweide, and the place by Lambert's projection of equal areas.

Contours are those of the credible levels on a raster; colours are left to the style sheet, and candidates have the numbers of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import ArrayLike, NDArray

from followup.regions import Region
from tom_alerce.pages.figures.svg import Layer, Note, circle

Floats = NDArray[np.float64]
#: From coordinates (degrees) to pixels, NaN where they are not in the figure; and back.
Project = Callable[[ArrayLike, ArrayLike], tuple[Floats, Floats]]

LEVELS = (0.9, 0.5)
#: Pixels of the sky and of the square, and of their rasters' steps; degrees of the smallest and of the largest square from its middle.
WIDTH, SIDE, STEP, SMALLEST, LARGEST = 640, 360, 3, 0.01, 45.0
_ROOT = float(np.sqrt(2.0))


class Place(NamedTuple):
    """A candidate in a figure: its number, place (degrees) and CSS class."""

    number: int
    ra: float
    dec: float
    css: str


@dataclass(frozen=True, slots=True)
class SkyFigure:
    """A figure for the template ``tom_alerce/partials/sky.html``."""

    width: int
    height: int
    frame: str
    layers: tuple[Layer, ...]
    notes: tuple[Note, ...]
    summary: str


def whole(region: Region, places: Sequence[Place]) -> SkyFigure:
    """The whole sky, the best place on the middle meridian, east left; with numbers where there is no figure of the place alone."""
    width, height = WIDTH, WIDTH // 2
    centre, scale = region.best[0], (WIDTH / 2 - 4) / (2.0 * _ROOT)
    x, y = np.meshgrid(np.arange(0.0, width + STEP, STEP), np.arange(0.0, height + STEP, STEP))
    with np.errstate(invalid="ignore", divide="ignore"):
        theta = np.arcsin((height / 2 - y) / scale / _ROOT)
        dec = np.degrees(np.arcsin((2.0 * theta + np.sin(2.0 * theta)) / np.pi))
        east = -(x - width / 2) / scale * np.pi / (2.0 * _ROOT * np.cos(theta))
    inside = np.isfinite(dec) & (np.abs(east) <= np.pi)

    def project(ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
        away = np.radians((np.asarray(ra, float) - centre + 180.0) % 360.0 - 180.0)
        angle = _auxiliary(np.radians(np.asarray(dec, float)))
        return width / 2 - scale * 2.0 * _ROOT / np.pi * away * np.cos(angle), height / 2 - scale * _ROOT * np.sin(angle)

    a, b = 2.0 * _ROOT * scale, _ROOT * scale
    frame = f"M{width / 2 - a:.1f} {height / 2:.1f}a{a:.1f} {b:.1f} 0 1 0 {2 * a:.1f} 0a{a:.1f} {b:.1f} 0 1 0 {-2 * a:.1f} 0z"
    level = _levels(region, centre + np.degrees(east), dec, inside)
    grid = [(np.full(61, ra), np.linspace(-90.0, 90.0, 61)) for ra in np.arange(0, 360, 30)]
    grid += [(centre + np.linspace(-179.99, 179.99, 91), np.full(91, dec)) for dec in (-60, -30, 0, 30, 60)]
    notes = [_note(project, ra, 0.0, f"{ra:.0f}°") for ra in np.arange(0, 360, 60)] + [
        _note(project, centre + 178, d, f"{d:+d}°") for d in (-60, -30, 30, 60)
    ]
    return _figure(
        width,
        height,
        frame,
        _contours(x, y, level),
        grid,
        notes,
        region.best,
        places,
        project,
        "The whole sky",
        numbered=region.extent(0.95) * 1.15 > LARGEST,
    )


def near(region: Region, places: Sequence[Place]) -> SkyFigure | None:
    """The sky around the best place, as far as the region of 95 % reaches; None for a region too large for it. North is up, east left."""
    reach = region.extent(0.95) * 1.15
    if reach > LARGEST:
        return None
    size, reach = SIDE, max(reach, SMALLEST)
    half = 2.0 * np.sin(np.radians(reach) / 2.0)
    scale, (ra0, dec0) = size / 2 / half, np.radians(region.best)
    x, y = np.meshgrid(np.arange(0.0, size + STEP, STEP), np.arange(0.0, size + STEP, STEP))
    east, north = -(x - size / 2) / scale, (size / 2 - y) / scale
    rho = np.hypot(east, north)
    c = 2.0 * np.arcsin(np.minimum(rho / 2.0, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        dec = np.arcsin(np.clip(np.cos(c) * np.sin(dec0) + np.where(rho > 0, north * np.sin(c) * np.cos(dec0) / rho, 0.0), -1.0, 1.0))
    ra = ra0 + np.arctan2(east * np.sin(c), rho * np.cos(dec0) * np.cos(c) - north * np.sin(dec0) * np.sin(c))

    def project(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        away, latitude = np.radians(np.asarray(lon, float)) - ra0, np.radians(np.asarray(lat, float))
        cosine = np.sin(dec0) * np.sin(latitude) + np.cos(dec0) * np.cos(latitude) * np.cos(away)
        k = np.sqrt(2.0 / np.maximum(1.0 + cosine, 1e-9))
        px = size / 2 - scale * k * np.cos(latitude) * np.sin(away)
        py = size / 2 - scale * k * (np.cos(dec0) * np.sin(latitude) - np.sin(dec0) * np.cos(latitude) * np.cos(away))
        inside = (px >= 0) & (px <= size) & (py >= 0) & (py <= size) & (cosine > 0.0)
        return np.where(inside, px, np.nan), np.where(inside, py, np.nan)

    level = _levels(region, np.degrees(ra), np.degrees(dec), np.ones_like(ra, bool))
    step = next((one for one in (10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005) if one < reach * 0.8), 0.002)
    bar = scale * np.radians(step)
    ruler = Layer("ruler", f"M12 {size - 12}h{bar:.1f}")
    notes = [Note("12", f"{size - 18}", _angle(step)), Note(f"{size / 2:.0f}", "14", "N"), Note("8", f"{size / 2:.0f}", "E")]
    frame = f"M.5 .5h{size - 1}v{size - 1}h-{size - 1}z"
    layers = [*_contours(x, y, level), ruler]
    return _figure(
        size, size, frame, layers, [], notes, region.best, places, project, f"{_angle(round(2 * reach, 2))} around the best place"
    )


def _figure(
    width: int,
    height: int,
    frame: str,
    layers: Sequence[Layer],
    grid: Sequence[tuple[Floats, Floats]],
    notes: Sequence[Note | None],
    best: tuple[float, float],
    places: Sequence[Place],
    project: Project,
    title: str,
    numbered: bool = True,
) -> SkyFigure:
    lines = Layer("grid", "".join(_line(*project(ra, dec)) for ra, dec in grid))
    shown, marks = 0, [Layer("best", _cross(*project(*best)))]
    for place in places:
        x, y = (float(value) for value in project(place.ra, place.dec))
        if np.isfinite(x):
            shown += 1
            marks += [Layer(f"candidate {place.css}", circle(x, y, 4.0))]
            if numbered:
                notes = [*notes, Note(f"{min(x + 7.0, width - 14.0):.1f}", f"{y + 3.5:.1f}", str(place.number))]
    said = f"{title}: the regions of 90 % and 50 %, and {shown} candidate{'' if shown == 1 else 's'}"
    return SkyFigure(width, height, frame, (*((lines,) if grid else ()), *layers, *marks), tuple(one for one in notes if one), said)


def _cross(x: Floats, y: Floats) -> str:
    return f"M{x - 6:.1f} {y:.1f}h12M{x:.1f} {y - 6:.1f}v12"


def _levels(region: Region, ra: Floats, dec: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Credible levels on a raster, NaN outside the sky."""
    level = np.full(ra.shape, np.nan)
    level[inside] = region.level(ra[inside] % 360.0, dec[inside])
    return level


def _contours(x: Floats, y: Floats, level: Floats) -> list[Layer]:
    """Areas of the levels, the larger first."""
    found: Any = contour_generator(x, y, level, fill_type=FillType.OuterOffset)  # of many kinds of result
    layers = []
    for limit in LEVELS:
        points, offsets = found.filled(-1.0, limit)
        rings = [part[low:high] for part, ends in zip(points, offsets, strict=True) for low, high in pairwise(ends)]
        path = "".join(_line(ring[:, 0], ring[:, 1]) + "z" for ring in rings)
        layers.append(Layer(f"level-{100 * limit:.0f}", path))
    return [layer for layer in layers if layer.d]


def _line(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in zip(x.tolist(), y.tolist(), strict=True))


def _note(project: Project, ra: float, dec: float, label: str) -> Note | None:
    x, y = (float(value) for value in project(ra, dec))
    return Note(f"{x:.1f}", f"{y - 2.0:.1f}", label) if np.isfinite(x) else None


def _auxiliary(latitude: Floats) -> Floats:
    """Mollweide's angle t of latitudes (radians): 2 t + sin 2 t = pi sin(latitude), by Newton's method."""
    wanted, t = np.pi * np.sin(latitude), np.array(latitude, float)
    for _ in range(30):
        t = t - (2.0 * t + np.sin(2.0 * t) - wanted) / np.maximum(2.0 + 2.0 * np.cos(2.0 * t), 1e-9)
    return np.asarray(np.clip(t, -np.pi / 2, np.pi / 2))


def _angle(degrees: float) -> str:
    return f"{degrees:g}°" if degrees >= 1.0 else f"{degrees * 60:g}′" if degrees * 60 >= 1.0 else f"{degrees * 3600:g}″"
