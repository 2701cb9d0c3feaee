"""Geometry of a night plan as a timeline, one row for each telescope, drawn by the template ``tom_alerce/partials/timeline.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from followup.night import NightPlan
from tom_alerce.pages.figures.svg import Tick, clock

LEFT, RIGHT, TOP, ROW, FOOT, WIDTH = 4, 6, 4, 58, 18, 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """An observation: its number, a text for who points at it, and its place in pixels, as text since templates would localise numbers."""

    number: int
    title: str
    x: str
    y: str
    width: str
    middle: str
    css: str


@dataclass(frozen=True, slots=True)
class Row:
    """A telescope: its name, and its dark time in pixels."""

    name: str
    y: str
    label: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A figure for the template."""

    width: int
    height: int
    bottom: int
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    now: str
    summary: str


def timeline(plan: NightPlan, names: Sequence[str], now: float) -> Timeline | None:
    """Draw a plan whose targets have these names; None if no telescope has any dark time."""
    edges = [t.night.times[[0, -1]] + t.night.step / 2.0 * np.array([-1.0, 1.0]) for t in plan.telescopes if len(t.night.times)]
    if not edges:
        return None
    start, end = float(min(e[0] for e in edges)), float(max(e[1] for e in edges))

    def x(mjd: float) -> float:
        return LEFT + (mjd - start) / (end - start) * (WIDTH - LEFT - RIGHT)

    rows, bars = [], []
    for m, telescope in enumerate(plan.telescopes):
        y, times, half = TOP + m * ROW, telescope.night.times, telescope.night.step / 2.0
        dark = (x(float(times[0]) - half), x(float(times[-1]) + half)) if len(times) else (LEFT, LEFT)
        rows.append(Row(telescope.name, f"{y + 16}", f"{y + 11}", f"{dark[0]:.1f}", f"{dark[1] - dark[0]:.1f}"))
    for number, block in enumerate(plan.blocks, 1):
        left, right, y = x(block.start), x(block.end), TOP + block.telescope * ROW + 20
        title = f"{number}. {names[block.target]}, {clock(block.start)} to {clock(block.end)} UTC"
        wide = "wide" if right - left >= 16 else "narrow"
        bars.append(Bar(number, title, f"{left:.1f}", f"{y}", f"{max(right - left - 0.8, 1.5):.1f}", f"{(left + right) / 2:.1f}", wide))
    height = TOP + len(rows) * ROW + FOOT
    hours = np.arange(np.ceil(start * 24.0), end * 24.0, max(1.0, np.ceil((end - start) * 24.0 / 14.0))) / 24.0
    ticks = tuple(Tick(f"{x(float(t)):.1f}", clock(float(t))) for t in hours if x(float(t)) < WIDTH - 20)
    summary = f"{len(bars)} observations with {len(rows)} telescope{'s' if len(rows) > 1 else ''}, {clock(start)} to {clock(end)} UTC"
    return Timeline(WIDTH, height, height - FOOT, tuple(rows), tuple(bars), ticks, f"{x(now):.1f}" if start < now < end else "", summary)
