"""Features of light curves: one family per module, each a function ``features(context) -> {name: value}``.

Names are ALeRCE's where the definition is (suffix ``_g`` and ``_r`` for the band family), and a name and its value stand in one
expression. A new family is a new module: it is found because it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from types import ModuleType

import numpy as np

from broker_adapters import plugins
from broker_adapters.records import blank

from .._arrays import Floats
from ..context import context
from ..series import LightCurve, light_curve

#: Light curves that a process gets at a time.
CHUNK = 256


def one(curve: LightCurve) -> dict[str, float]:
    """Every feature of one light curve by name; NaN where it is not defined."""
    shared = context(curve)
    found: dict[str, float] = {}
    for family in _families():
        found |= family.features(shared)
    return found


def matrix(curves: Sequence[LightCurve], jobs: int = 1) -> Floats:
    """Features of n light curves, shape (n, len(names())), columns in the order of `names`; no infinities; `jobs` processes."""
    if jobs > 1 and len(curves) > CHUNK:
        chunks = [curves[i : i + CHUNK] for i in range(0, len(curves), CHUNK)]
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            return np.concatenate(list(pool.map(matrix, chunks)))
    values = np.full((len(curves), len(names())), np.nan)
    for i, curve in enumerate(curves):
        values[i] = list(one(curve).values())
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
