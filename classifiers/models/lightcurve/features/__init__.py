"""Features of light curves: one family per module, each a function ``features(context) -> {name: value}``.

Names are ALeRCE's where the definition is (suffix ``_g`` and ``_r`` for the band family), and a name and its value stand in one
expression. A new family is a new module; there is nothing to register. Of ALeRCE's two extractors everything is here but AllWISE's
colours, which need a cross-match, and the fields of ZTF's packets on the reference image and Pan-STARRS (mean_distnr, sgscore1, ...), which
are in `classifiers.models.lightcurve.environment`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from types import ModuleType

import numpy as np

from broker_adapters import plugins
from broker_adapters.records import blank
from classifiers.models.lightcurve._arrays import Floats
from classifiers.models.lightcurve.context import Context, context
from classifiers.models.lightcurve.series import LightCurve, light_curve

#: Light curves per task of a thread.
CHUNK = 32


def one(curve: LightCurve) -> dict[str, float]:
    """All features of one light curve by name; NaN where undefined."""
    return _of(context(curve))


def matrix(curves: Sequence[LightCurve], jobs: int = 1) -> Floats:
    """Features of n light curves, shape (n, len(names())), columns in the order of `names`; no infinities."""
    return with_contexts(curves, jobs)[0]


def with_contexts(curves: Sequence[LightCurve], jobs: int = 1) -> tuple[Floats, list[Context]]:
    """Features as in `matrix`, and the context of each light curve.

    `jobs` threads run in parallel: period search and fit are compiled and release the interpreter lock.
    """
    values = np.full((len(curves), len(names())), np.nan)

    def fill(start: int) -> list[Context]:
        shared = [context(curve) for curve in curves[start : start + CHUNK]]
        for i, one in enumerate(shared, start):
            values[i] = list(_of(one).values())
        return shared

    with ThreadPoolExecutor(jobs) as pool:
        contexts = list(chain.from_iterable(pool.map(fill, range(0, len(curves), CHUNK))))  # raises the errors of the threads
    values[~np.isfinite(values)] = np.nan
    return values, contexts


@cache
def names() -> tuple[str, ...]:
    """Names of all features, in the order of the columns of `matrix`."""
    return tuple(one(light_curve(blank(0))))


def names_of(*families: str) -> tuple[str, ...]:
    """Names of the features of families, which are named by their modules."""
    empty = context(light_curve(blank(0)))
    return tuple(name for family in families for name in plugins.load(__name__, family).features(empty))


def _of(shared: Context) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in _families():
        found |= family.features(shared)
    return found


@cache
def _families() -> tuple[ModuleType, ...]:
    return tuple(plugins.load(__name__, name) for name in plugins.names(__name__))
