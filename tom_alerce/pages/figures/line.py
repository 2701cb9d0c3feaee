"""The terms of a score in one line: a bar for each, and in words the one that lowers it most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

#: Pixels of a bar with the gap beside it, and of the highest.
STEP, HEIGHT = 9, 22


@dataclass(frozen=True, slots=True)
class Line:
    """Bars as SVG, and the term that costs most: its ``name`` and ``reason``, '' without one."""

    bars: SafeString
    name: str
    reason: str


def line(terms: Mapping[str, Mapping[str, Any]]) -> Line:
    """One line of terms (`tom_alerce.models.Rank.terms`); the largest weight times -log of its value lowers the score most."""
    if not terms:
        return Line(mark_safe(""), "", "")
    cost = {name: -term["weight"] * float(np.log(max(term["score"], 1e-9))) for name, term in terms.items()}
    worst = max(cost, key=lambda name: cost[name])
    label = escape(", ".join(f"{name} {term['score']:.2f}" for name, term in terms.items()))
    parts = [
        f'<svg class="bars" viewBox="0 0 {STEP * len(terms)} {HEIGHT}" width="{STEP * len(terms)}" height="{HEIGHT}" role="img" '
        f'aria-label="{label}">'
    ]
    for i, (name, term) in enumerate(terms.items()):
        high = max(round(HEIGHT * term["score"], 1), 1.0)
        text = escape(f"{name} {term['score']:.2f}: {term['reason']}")
        parts.append(
            f'<g><title>{text}</title><rect class="back" x="{STEP * i}" y="0" width="{STEP - 2}" height="{HEIGHT}"/>'
            f'<rect class="{"worst" if name == worst else "value"}" x="{STEP * i}" y="{HEIGHT - high:.1f}" width="{STEP - 2}" '
            f'height="{high}"/></g>'
        )
    bars = mark_safe("".join(parts) + "</svg>")  # numbers of our own, and texts that are escaped above
    return Line(bars, worst, str(terms[worst]["reason"]))
