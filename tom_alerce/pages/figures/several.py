"""Light curves of several objects on one axis, each with its colour (alerce.css) and its mark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from broker_adapters.records import Detections
from broker_adapters.significance import SHOWN, significant
from tom_alerce.pages.figures.series import Series, series
from tom_alerce.pages.figures.svg import MARKS, Layer, Plot, Tick, minus, nice, value_range

#: Pixels of the figure.
WIDTH, HEIGHT = 980, 360


def curves(objects: Sequence[Detections], origins: Sequence[float], shifts: Sequence[float] | None = None) -> Plot | None:
    """Draw the difference magnitudes of n objects against days since an origin (MJD) of each; None where there is nothing to draw.

    ``shifts`` are subtracted from the magnitudes of each: a distance modulus makes them absolute.
    """
    drawn: list[tuple[int, Series, float]] = []
    moved: list[Series] = []
    for i, rows in enumerate(objects):
        bright = rows[significant(rows, SHOWN) & (rows["flux"] > 0)]
        shift = 0.0 if shifts is None else float(shifts[i])
        for one in series(bright, "difference") if len(bright) and np.isfinite(shift) else ():
            drawn.append((i, one, origins[i]))
            moved.append(Series(one.survey, one.band, one.style, one.rows, one.values - shift, one.errors))
    if not drawn:
        return None
    days = [one.rows["mjd"] - origin for _, one, origin in drawn]
    x_low, x_high = float(min(d.min() for d in days)), float(max(d.max() for d in days))
    x_low, x_high = x_low - max(0.03 * (x_high - x_low), 0.5), x_high + max(0.03 * (x_high - x_low), 0.5)
    y_low, y_high = value_range(moved)
    left, right, top, bottom = 40, WIDTH - 6, 6, HEIGHT - 20
    marks = list(MARKS.values())
    layers = []
    for (i, _, _), one, day in zip(drawn, moved, days, strict=True):
        x = left + (day - x_low) / (x_high - x_low) * (right - left)
        y = top + (bottom - top) * np.clip((one.values - y_low) / (y_high - y_low), 0.0, 1.0)
        path = "".join(marks[i % len(marks)](px, py, 3.2) for px, py in zip(x.tolist(), y.tolist(), strict=True))
        layers.append(Layer(f"{one.style} beside-{i}", path))
    x_ticks = tuple(Tick(f"{left + (d - x_low) / (x_high - x_low) * (right - left):.1f}", minus(f"{d:g}")) for d in nice(x_low, x_high, 9))
    y_ticks = tuple(Tick(f"{top + (bottom - top) * (v - y_low) / (y_high - y_low):.1f}", minus(f"{v:g}")) for v in nice(y_low, y_high, 6))
    summary = f"Light curves of {len(objects)} objects, {'difference' if shifts is None else 'absolute'} magnitude against days"
    return Plot(WIDTH, HEIGHT, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary)
