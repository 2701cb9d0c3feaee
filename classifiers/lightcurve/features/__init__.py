"""Features of light curves: one family per module, each a function ``features(context) -> {name: value}``.

Names are ALeRCE's where the definition is (suffix ``_g`` and ``_r`` for the band family), and a name and its value stand in one
expression. A new family is a new module: it is found because it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import ModuleType

import numpy as np

from broker_adapters import plugins
from broker_adapters.records import blank

from .._arrays import Floats
from ..context import context
from ..series import LightCurve, light_curve

#: Light curves that a thread gets at a time.
CHUNK = 32


def one(curve: LightCurve) -> dict[str, float]:
    """Every feature of one light curve by name; NaN where it is not defined."""
    shared = context(curve)
    found: dict[str, float] = {}
    for family in _families():
        found |= family.features(shared)
    return found


def matrix(curves: Sequence[LightCurve], jobs: int = 1) -> Floats:
    """Features of n light curves, shape (n, len(names())), columns in the order of `names`; no infinities.

    With `jobs` threads: what takes long (period, fit) is compiled and leaves the interpreter to the others.
    """
    values = np.full((len(curves), len(names())), np.nan)

    def fill(start: int) -> None:
        for i, curve in enumerate(curves[start : start + CHUNK], start):
            values[i] = list(one(curve).values())

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(fill, range(0, len(curves), CHUNK)):  # an error of a thread is raised here
            pass
    values[~np.isfinite(values)] = np.nan
    return values


@cache
def names() -> tuple[str, ...]:
    """Names of all features, in the order of the columns of `matrix`."""
    return tuple(one(light_curve(blank(0))))


def names_of(*families: str) -> tuple[str, ...]:
    """Names of the features of some families (names of modules)."""
    empty = context(light_curve(blank(0)))
    return tuple(name for family in families for name in plugins.load(__name__, family).features(empty))


@cache
def _families() -> tuple[ModuleType, ...]:
    return tuple(plugins.load(__name__, name) for name in plugins.names(__name__))
