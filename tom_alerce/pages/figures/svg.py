"""Geometry of small light curves and altitude curves, drawn by the template ``tom_alerce/partials/plot.html`` without a script.

Colours are left to the style sheet of each theme: a mark has its band and its survey as CSS classes. Surveys differ by symbol as well, so
that colour is never the only difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker_adapters.records import SYMBOLS, Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce.pages.figures.series import Series, series

#: Days before the latest detection, and number of points, that the small light curve shows at most.
RECENT, POINTS = 120.0, 400


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis; all text, since templates would localise numbers."""

    position: str
    label: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text in a figure, at a place in pixels."""

    x: str
    y: str
    label: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One SVG path and its CSS classes."""

    css: str
    d: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure for the template ``tom_alerce/partials/plot.html``."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    layers: tuple[Layer, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    summary: str
    quantity: str = ""
    names: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()


def circle(x: float, y: float, r: float) -> str:
    """Path of a circle."""
    return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0"


def _diamond(x: float, y: float, r: float) -> str:
    return f"M{x:.1f} {y - 1.3 * r:.1f}l{1.3 * r:.1f} {1.3 * r:.1f}l{-1.3 * r:.1f} {1.3 * r:.1f}l{-1.3 * r:.1f} {-1.3 * r:.1f}z"


def _square(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z"


def triangle(x: float, y: float, r: float) -> str:
    """Path of the mark of an upper limit."""
    return f"M{x - r:.1f} {y - r / 2:.1f}h{2 * r}l{-r} {1.5 * r:.1f}z"


def _triangle_up(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y + r / 2:.1f}h{2 * r}l{-r} {-1.5 * r:.1f}z"


def _cross(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f} {y - r / 2:.1f}h{2 * r}v{r}h{-2 * r}zM{x - r / 2:.1f} {y - r:.1f}h{r}v{2 * r}h{-r}z"


#: Symbol of a survey -> the path of its mark.
MARKS: dict[str, Callable[[float, float, float], str]] = dict(zip(SYMBOLS, (circle, _diamond, _square, _triangle_up, _cross), strict=True))


def light_curve(rows: Detections, now: float, width: int = 230, height: int = 84, recent: float | None = RECENT) -> Plot | None:
    """Draw a light curve up to ``now`` (MJD); None without measurements.

    The axis is the difference magnitude, or the difference flux if any significant flux is negative. ``recent`` limits the days shown.
    """
    clear = significant(rows, SHOWN)
    negative = bool(np.any(clear & (rows["flux"] < 0)))
    detected = rows["mjd"][clear]
    if recent is not None and detected.size:
        rows = rows[rows["mjd"] >= detected.max() - recent][-POINTS:]
    quantity = "flux" if negative else "difference"
    drawn = series(rows, quantity)
    if not drawn:
        return None
    y_low, y_high = value_range(drawn)
    x_low, x_high = time_range(rows["mjd"], now)
    left, right, top, bottom = 30, width - 6, 5, height - 15

    def x(mjd: float) -> float:
        return left + (mjd - x_low) / (x_high - x_low) * (right - left)

    def y(value: float) -> float:
        share = (value - y_low) / (y_high - y_low)
        return top + (bottom - top) * min(max(share if not negative else 1 - share, 0.0), 1.0)

    radius = 2.2 if width < 400 else 3.5
    layers = [layer for one in drawn for layer in _layers(one, x, y, radius)]
    if negative:
        layers.insert(0, Layer("zero", f"M{left} {y(0.0):.1f}H{right}"))
    y_ticks = tuple(Tick(f"{y(v):.1f}", minus(f"{v:g}")) for v in nice(y_low, y_high, 3 if height < 200 else 6))
    days = nice(x_low - now, x_high - now, 3 if width < 400 else 7)
    x_ticks = tuple(Tick(f"{x(now + d):.1f}", "now" if d == 0 else minus(f"{d:g} d")) for d in days)
    names = tuple(dict.fromkeys((one.name, f"{one.survey} band-{one.band}") for one in drawn))
    unit = "difference flux in µJy" if negative else "difference magnitude"
    summary = f"Light curve, {unit}, {sum(one.values.size for one in drawn)} points in {', '.join(name for name, _ in names)}"
    return Plot(width, height, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary, quantity, names)


def time_range(mjd: NDArray[np.float64], now: float) -> tuple[float, float]:
    """Limits of the time axis: up to now, unless the latest measurement is older than `RECENT`."""
    first, last = float(mjd.min()), float(mjd.max())
    if now - last > RECENT:
        margin = max(0.05 * (last - first), 1.0)
        return first - margin, last + margin
    return min(first, now - 3.0), max(last, now)


def minus(text: str) -> str:
    """A number with the sign of a minus instead of a hyphen."""
    return text.replace("-", "−")


def value_range(drawn: list[Series]) -> tuple[float, float]:
    """Limits of the vertical axis: those of the measured points, extended to upper limits near them."""
    measured = [one for one in drawn if one.style != "limit"] or drawn
    low, high = min(float(one.values.min()) for one in measured), max(float(one.values.max()) for one in measured)
    span = max(high - low, 0.6 if low > 5 else 1e-3)
    for one in drawn:
        if one.style == "limit":
            near = one.values[(one.values > low - span) & (one.values < high + span)]
            low, high = min([low, *near]), max([high, *near])
    margin = 0.08 * (high - low) + 0.04 * span + 0.1 * (high == low)
    return low - margin, high + margin


def _layers(one: Series, x: Callable[[float], float], y: Callable[[float], float], radius: float) -> Iterator[Layer]:
    css = f"{one.style} survey-{one.survey} band-{one.band}"
    mark = triangle if one.style == "limit" else MARKS[one.symbol]
    points = [(x(float(mjd)), y(float(v))) for mjd, v in zip(one.rows["mjd"], one.values, strict=True)]
    bars = [
        f"M{px:.1f} {y(float(v - e)):.1f}V{y(float(v + e)):.1f}"
        for (px, _), v, e in zip(points, one.values, one.errors, strict=True)
        if np.isfinite(e)
    ]
    if bars:
        yield Layer(f"bar {css}", "".join(bars))
    yield Layer(css, "".join(mark(px, py, radius) for px, py in points))


def nice(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers in [low, high]."""
    raw = (high - low) / count
    if not raw > 0:
        return [low]
    step = min((float(m * 10.0 ** np.floor(np.log10(raw))) for m in (1, 2, 5, 10)), key=lambda s: abs(s - raw))
    first = np.ceil(low / step - 1e-9) * step
    return [round(float(v), 10) + 0.0 for v in np.arange(first, high + 1e-9 * step, step)]


def altitude(visibility: Mapping[str, Any], limit: float, now: float | None = None, width: int = 190, height: int = 84) -> Plot | None:
    """Draw the altitude for the rest of the night, with the limit and the Moon; None if no night is left.

    ``visibility`` is that of `tom_alerce.models.Rank`: ``times`` (MJD), ``altitude`` and, where known, ``moon_altitude`` (degrees).
    """
    times = np.asarray(visibility.get("times") or [], float)
    curve = np.asarray(visibility.get("altitude") or [], float)
    moon = np.asarray(visibility.get("moon_altitude") or [], float)
    if times.size < 2 or curve.shape != times.shape:
        return None
    left, right, top, bottom = 24, width - 6, 5, height - 15
    start, end = float(times[0]), float(times[-1])

    def x(mjd: float) -> float:
        return left + (mjd - start) / (end - start) * (right - left)

    def y(degrees: float) -> float:
        return bottom - (bottom - top) * min(max(degrees, 0.0), 90.0) / 90.0

    across = [f"{place:.1f}" for place in (left + (times - start) / (end - start) * (right - left)).tolist()]

    def places(values: NDArray[np.float64]) -> list[str]:
        down = bottom - (bottom - top) * np.clip(values, 0.0, 90.0) / 90.0
        return [f"{px} {py:.1f}" for px, py in zip(across, down.tolist(), strict=True)]

    layers = [Layer("too-low", f"M{left} {y(limit):.1f}H{right}V{bottom}H{left}z"), Layer("limit-line", f"M{left} {y(limit):.1f}H{right}")]
    if moon.shape == times.shape and (moon > 0).any():
        layers.append(Layer("moon", _parts(places(moon), moon >= 0.0)))
    drawn = places(curve)
    layers += [Layer("altitude", "M" + "L".join(drawn)), Layer("altitude up", _parts(drawn, curve >= limit))]
    if now is not None and times[0] < now < times[-1]:
        layers.append(Layer("now", f"M{x(now):.1f} {top}V{bottom}"))
    best = int(np.argmax(curve))
    x_ticks = tuple(Tick(f"{x(t):.1f}", label) for t, label in _hours(times[0], times[-1], 3 if width < 400 else 10))
    y_ticks = tuple(Tick(f"{y(v):.1f}", f"{v:g}°") for v in ((limit, 90.0) if height < 200 else (0.0, limit, 60.0, 90.0)))
    summary = f"Altitude tonight, highest {curve[best]:.0f}° at {clock(times[best])} UTC; limit {limit:g}°"
    return Plot(width, height, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary)


def _parts(places: list[str], shown: NDArray[np.bool_]) -> str:
    """Path of the parts of a curve that are shown."""
    parts, pen = [], "M"
    for place, is_shown in zip(places, shown.tolist(), strict=True):
        if is_shown:
            parts.append(f"{pen}{place}")
        pen = "L" if is_shown else "M"
    return "".join(parts)


def clock(mjd: float) -> str:
    """Hours and minutes (UTC) of an MJD."""
    minutes = round((mjd % 1.0) * 1440) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _hours(start: float, end: float, count: int) -> list[tuple[float, str]]:
    """About ``count`` whole hours (UTC) between two MJD."""
    step = max(1, round((end - start) * 24 / count)) / 24
    return [(float(t), clock(float(t))) for t in np.arange(np.ceil(start / step) * step, end, step)]
