"""Writes a figure as SVG: a template with a loop for each mark takes ten times as long as the text itself."""

from __future__ import annotations

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tom_alerce.pages.figures.svg import Plot


def draw(plot: Plot, css: str = "") -> SafeString:
    """SVG of a figure, with a class for the style sheet; whatever text a survey gave is escaped."""
    summary, left, right = escape(plot.summary), plot.left, plot.right
    parts = [
        f'<svg class="plot {escape(css)}" viewBox="0 0 {plot.width} {plot.height}" width="{plot.width}" height="{plot.height}" role="img" '
        f'aria-label="{summary}"><title>{summary}</title>'
    ]
    parts += [
        f'<path class="grid" d="M{left} {tick.position}H{right}"/><text class="y" x="{left}" y="{tick.position}" dx="-3" dy="3">'
        f"{escape(tick.label)}</text>"
        for tick in plot.y_ticks
    ]
    parts += [
        f'<path class="grid" d="M{tick.position} {plot.top}V{plot.bottom}"/><text class="x" x="{tick.position}" y="{plot.height}" dy="-3">'
        f"{escape(tick.label)}</text>"
        for tick in plot.x_ticks
    ]
    parts += [f'<path class="{escape(layer.css)}" d="{layer.d}"/>' for layer in plot.layers]
    parts += [f'<text class="note x" x="{note.x}" y="{note.y}">{escape(note.label)}</text>' for note in plot.notes]
    return mark_safe("".join(parts) + "</svg>")  # numbers of our own, and texts that are escaped above
