"""Figure of the drift of a classifier by night, for the template ``tom_alerce/partials/plot.html``."""

from __future__ import annotations

from collections.abc import Sequence

from tom_alerce.models import Drift
from tom_alerce.pages.figures.svg import MARKS, Layer, Note, Plot, Tick, circle, nice

#: Group of quantities -> CSS class of its line.
GROUPS = {"answers": "band-r", "images": "band-g", "embedding": "band-c", "metadata": "band-o"}
#: Values above this are triangles at the upper edge, with the largest one of the night as a number.
HIGHEST = 2.0


def group(quantity: str) -> str:
    """Group of a quantity of `classifiers.models.stamp.drift`, one of `GROUPS`."""
    if quantity == "confidence" or quantity.startswith("p("):
        return "answers"
    if quantity.endswith((" noise", " background")):
        return "images"
    return "embedding" if quantity.startswith("embedding") else "metadata"


def worst(row: Drift) -> dict[str, float]:
    """Largest index of each group in a night."""
    largest: dict[str, float] = {}
    for name, psi in row.psi.items():
        largest[group(name)] = max(largest.get(group(name), 0.0), psi)
    return largest


def drift(rows: Sequence[Drift], alarm: float, width: int = 900, height: int = 220) -> Plot | None:
    """Draw the largest index of each group by night, with the alarm; None without nights. ``rows`` are in time order."""
    if not rows:
        return None
    left, right, top, bottom = 34, width - 6, 6, height - 18
    by_night = [worst(row) for row in rows]
    high = min(max(2 * alarm, *(v for night in by_night for v in night.values())) * 1.05, HIGHEST)
    span = max((rows[-1].night - rows[0].night).days, 1)

    def x(row: Drift) -> float:
        return (left + right) / 2 if len(rows) == 1 else left + 8 + (row.night - rows[0].night).days / span * (right - left - 16)

    def y(value: float) -> float:
        return bottom - (bottom - top) * min(max(value, 0.0), high) / high

    layers = [Layer("limit-line", f"M{left} {y(alarm):.1f}H{right}")]
    names = []
    for name, css in GROUPS.items():
        points = [(x(row), y(night[name])) for row, night in zip(rows, by_night, strict=True) if name in night]
        if points:
            layers.append(Layer(f"line {css}", "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in points)))
            shown = [(px, py, night[name]) for (px, py), night in zip(points, (n for n in by_night if name in n), strict=True)]
            inside = "".join(circle(px, py, 3.0) for px, py, value in shown if value <= high)
            beyond = "".join(MARKS["triangle-up"](px, top + 4.0, 4.0) for px, _, value in shown if value > high)
            layers += [Layer(f"detection {css}", path) for path in (inside, beyond) if path]
            names.append((name, css))
    notes = tuple(
        Note(f"{min(max(x(row), left + 14), right - 14):.1f}", f"{top + 17.0:.1f}", f"{max(night.values()):.1f}")
        for row, night in zip(rows, by_night, strict=True)
        if max(night.values(), default=0.0) > high
    )
    step = -(-len(rows) // 7)
    x_ticks = tuple(Tick(f"{x(row):.1f}", f"{row.night:%b %d}") for row in rows[::-1][::step])
    y_ticks = tuple(Tick(f"{y(v):.1f}", f"{v:g}") for v in nice(0.0, high, 4))
    summary = f"Drift of {len(rows)} nights, alarm at {alarm:g}"
    if notes:
        summary += f"; {len(notes)} beyond the scale, up to {max(v for night in by_night for v in night.values()):.1f}"
    return Plot(width, height, left, right, top, bottom, tuple(layers), x_ticks, y_ticks, summary, "psi", tuple(names), notes)
