"""Figures of two objects that may be one source: both light curves on one axis, and a map of their positions.

The objects differ by colour and by mark: ``first`` is a circle, ``second`` a diamond (alerce.css has the colours of each theme).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from broker_adapters.records import Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce.pages.figures.series import Series, series
from tom_alerce.pages.figures.svg import MARKS, RECENT, Layer, Plot, Tick, circle, minus, nice, time_range, triangle, value_range

#: Marks of the two objects, names of CSS classes too.
MARK = {"first": MARKS["circle"], "second": MARKS["diamond"]}
#: Pixels: side of the map.
SIDE = 230


class Place(NamedTuple):
    """A position to draw: its object ('first' or 'second'), offsets to the east and north and one standard deviation (arcseconds)."""

    owner: str
    east: float
    north: float
    error: float


def light_curves(first: Detections, second: Detections, now: float, width: int = 560, height: int = 210) -> Plot | None:
    """Draw the light curves of two objects, in difference magnitudes, or in flux if any significant flux is negative; None without points.

    Only the days are drawn in which the later of the two was seen, and `RECENT` before.
    """
    both = {"first": first, "second": second}
    seen = [rows["mjd"][significant(rows, SHOWN)].max(initial=-np.inf) for rows in both.values()]
    since = max(seen) - RECENT if np.isfinite(max(seen)) else -np.inf
    both = {name: rows[rows["mjd"] >= since] for name, rows in both.items()}
    negative = any(np.any(significant(rows, SHOWN) & (rows["flux"] < 0)) for rows in both.values())
    drawn = [(name, one) for name, rows in both.items() for one in series(rows, "flux" if negative else "difference")]
    if not drawn:
        return None
    y_low, y_high = value_range([one for _, one in drawn])
    x_low, x_high = time_range(np.concatenate([one.rows["mjd"] for _, one in drawn]), now)
    left, right, top, bottom = 34, width - 6, 6, height - 17

    def x(mjd: float) -> float:
        return left + (mjd - x_low) / (x_high - x_low) * (right - left)

    def y(value: float) -> float:
        share = min(max((value - y_low) / (y_high - y_low), 0.0), 1.0)
        return top + (bottom - top) * (1 - share if negative else share)

    layers = [layer for name, one in drawn for layer in _points(name, one, x, y)]
    y_ticks = tuple(Tick(f"{y(v):.1f}", minus(f"{v:g}")) for v in nice(y_low, y_high, 5))
    x_ticks = tuple(Tick(f"{x(now + d):.1f}", "now" if d == 0 else minus(f"{d:g} d")) for d in nice(x_low - now, x_high - now, 6))
    unit = "difference flux in µJy" if negative else "difference magnitude"
    summary = f"Light curves of both, {unit}; circles: the first object, diamonds: the second"
    return Plot(width, height, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary, unit)


def _points(name: str, one: Series, x: Callable[[float], float], y: Callable[[float], float]) -> list[Layer]:
    """The bars and marks of one series; limits are faint triangles, forced points hollow."""
    mark = triangle if one.style == "limit" else MARK[name]
    places = [(x(float(mjd)), y(float(value))) for mjd, value in zip(one.rows["mjd"], one.values, strict=True)]
    bars = [
        f"M{px:.1f} {y(float(value - error)):.1f}V{y(float(value + error)):.1f}"
        for (px, _), value, error in zip(places, one.values, one.errors, strict=True)
        if np.isfinite(error)
    ]
    marks = Layer(f"{one.style} {name}", "".join(mark(px, py, 3.0) for px, py in places))
    return [Layer(f"bar {name}", "".join(bars)), marks] if bars else [marks]


def sky_map(places: Sequence[Place], radius: float) -> Plot:
    """Draw positions around that of the second object, north up and east to the left.

    Dashed: the ``radius`` (arcseconds) within which the two could be one source; small circles: the errors of the positions.
    """
    reach = 1.15 * max(radius, *(np.hypot(p.east, p.north) + p.error for p in places))
    left, right, top, bottom = 24, SIDE - 6, 6, SIDE - 24
    centre_x, centre_y, scale = (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top) / 2 / reach
    layers = [Layer("radius", circle(centre_x, centre_y, round(radius * scale, 1)))]
    for p in places:
        px, py = centre_x - p.east * scale, centre_y - p.north * scale
        layers.append(Layer(f"error {p.owner}", circle(px, py, round(max(p.error * scale, 1.0), 1))))
        layers.append(Layer(f"detection {p.owner}", MARK[p.owner](px, py, 3.5)))
    offsets = nice(-reach, reach, 4)
    x_ticks = tuple(Tick(f"{centre_x - v * scale:.1f}", minus(f"{v:g}″")) for v in offsets)
    y_ticks = tuple(Tick(f"{centre_y - v * scale:.1f}", minus(f"{v:g}″")) for v in offsets)
    apart = max(np.hypot(p.east, p.north) for p in places if p.owner == "first")
    summary = f"Map, north up, east left: {apart:.2f}″ apart; dashed: the match radius, {radius:g}″; small circles: position errors"
    return Plot(SIDE, SIDE, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary)
