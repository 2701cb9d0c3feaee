"""Speed of light-curve features, and of the period search against P4J, astropy and nifty-ls on the same points and grid.

Recovery: the share of sinusoidal stars (60 points in two bands, amplitude 0.08 mag, errors 0.05 mag, nightly windows over `SPAN` days)
whose frequency is found to within 1 / `SPAN`, by range of period in days; P4J, which is slow, gets the shortest and the longest range.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from astropy.timeseries import LombScargleMultiband

from broker_adapters.records import Detections, Kind, SkyObject, blank
from classifiers.models.lightcurve import Model, context, features, forecast, period
from classifiers.models.lightcurve.series import light_curve

#: Length of the light curves in days; a step of 0.4 / T gives the 105,000 frequencies of a full grid.
SPAN = 1890.0

#: Ranges of periods in days, and stars in each.
RANGES = ((0.046, 0.06), (0.06, 0.1), (0.1, 1.0), (1.0, 10.0), (10.0, 100.0))
STARS = 40

#: Times, magnitudes and errors of each of two bands.
Bands = tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]


def rows(n: int, seed: int = 0) -> Detections:
    """A pulsating star of n points, half of them in either band."""
    rng = np.random.default_rng(seed)
    found = blank(n)
    found["survey"], found["source_id"], found["kind"] = "ztf", [str(i) for i in range(n)], Kind.ALERT
    found["mjd"] = 58300 + np.sort(np.concatenate([[0, SPAN], rng.uniform(0, SPAN, n - 2)]))
    found["band"] = rng.choice(["g", "r"], n)
    found["flux"] = 3e4 * np.sin(2 * np.pi * found["mjd"] / 0.5413) + rng.normal(0, 1e3, n)
    found["flux_err"], found["ref_flux"] = 1e3, 2e5
    return found


def supernova(n: int) -> Detections:
    """A young supernova of n points, rising over 15 days."""
    found = rows(n)
    found["mjd"], found["ref_flux"] = 59000 + np.linspace(0, 15, n), np.nan
    found["flux"] = 4e4 / (1 + np.exp(-(found["mjd"] - 59008) / 3)) + np.random.default_rng(0).normal(0, 1e3, n)
    return found


def star(p: float, rng: np.random.Generator, n: int = 60) -> Bands:
    """Star of period p for the recovery test."""
    t = 58300 + np.sort(np.floor(rng.uniform(0, SPAN, n)) + rng.uniform(0.1, 0.4, n))
    m = 18 + 0.08 * np.sin(2 * np.pi * (t / p + rng.random())) + rng.normal(0, 0.05, n)
    g, e = rng.random(n) < 0.5, np.full(n, 0.05)
    return (t[g], m[g] + 0.3, e[g]), (t[~g], m[~g], e[~g])


def milliseconds(function: Callable[[], object], least: float = 0.5) -> float:
    """Milliseconds of the fastest run within `least` seconds (three runs at least), after one to compile."""
    function()
    best, started, runs = np.inf, time.perf_counter(), 0
    while runs < 3 or time.perf_counter() - started < least:
        begin = time.perf_counter()
        function()
        best, runs = min(best, time.perf_counter() - begin), runs + 1
    return 1e3 * best


def run() -> dict[str, float]:
    """Milliseconds per light curve and per forecast, objects per second end to end (a batch of 1,000), recovered shares of periods."""
    model = Model()  # as in a worker: without such arrays memory is returned to the system after each light curve
    stars = {n: rows(n) for n in (20, 100, 1000)}
    found = {f"ms_at_{n}": milliseconds(lambda one=one: features.one(light_curve(one))) for n, one in stars.items()}
    curve = light_curve(rows(100))
    bands = (context.usable(curve.g), context.usable(curve.r))
    found["period_ms_at_100"] = milliseconds(lambda: period.search(bands))
    found |= _others(bands)
    young = light_curve(supernova(20))
    found["forecast_ms"] = milliseconds(lambda: forecast.forecast(young, 59016.0 + np.arange(8.0)))
    return found | _batch(model) | _recovery()


def _batch(model: Model) -> dict[str, float]:
    """Objects per second of a model, and microseconds of its trees and networks alone."""
    objects = [SkyObject(0.0, 0.0, 0.1, rows(30, i)) for i in range(1000)]
    values = np.random.default_rng(0).normal(size=(1000, len(features.names())))
    return {
        "objects_per_s_batch": len(objects) / milliseconds(lambda: model.predict(objects)) * 1e3,
        "forest_us_per_object": milliseconds(lambda: model.probabilities(values)),
    }


def _others(bands: Bands) -> dict[str, float]:
    """Milliseconds of the same search by other packages, where installed, and their ratio to ours, which also holds on a busy machine."""
    t, m, e = (np.concatenate(c) for c in zip(*bands, strict=True))
    start, step, n = period.grid(float(np.ptp(t)))
    label, grid = np.repeat(["g", "r"], [len(b[0]) for b in bands]), start + step * np.arange(n)
    found = {"frequencies": float(n), "astropy": milliseconds(lambda: LombScargleMultiband(t, m, label, e).power(grid, method="fast"), 0.1)}
    if nifty := _optional("nifty_ls"):
        last = start + step * (n - 1)
        found["nifty_ls"] = milliseconds(
            lambda: [nifty.lombscargle(b[0] - b[0][0], *b[1:], fmin=start, fmax=last, Nf=n, nthreads=1) for b in bands], 0.2
        )
    if _optional("P4J"):
        found["p4j"] = milliseconds(lambda: p4j(bands), 0.1)
    ours = milliseconds(lambda: period.search(bands))
    times = {f"{name}_ms_at_100": found.pop(name) for name in ("astropy", "nifty_ls", "p4j") if name in found}
    return found | times | {name.replace("_ms_at_100", "_over_ours"): value / ours for name, value in times.items()}


def p4j(bands: Bands) -> float:
    """The period by P4J as ALeRCE calls it."""
    t, m, e = (np.concatenate(c) for c in zip(*bands, strict=True))
    start, step, n = period.grid(float(np.ptp(t)))
    search = import_module("P4J").MultiBandPeriodogram(method="MHAOV")
    search.set_data(t, m, e, np.repeat(["g", "r"], [len(b[0]) for b in bands]))
    search.frequency_grid_evaluation(fmin=start, fmax=start + step * n, fresolution=step)
    search.finetune_best_frequencies(fresolution=step / period.FINER, n_local_optima=period.PEAKS)
    return float(1 / search.get_best_frequencies()[0][0])


def _recovery() -> dict[str, float]:
    found, rng = {}, np.random.default_rng(1)
    for low, high in RANGES:
        periods = np.exp(rng.uniform(np.log(low), np.log(high), STARS))
        stars = [star(p, rng) for p in periods]

        def share(search: Callable[[Bands], float], periods: Any = periods, stars: Any = stars) -> float:
            return float(np.mean([abs(1 / search(bands) - 1 / p) < 1 / SPAN for bands, p in zip(stars, periods, strict=True)]))

        found[f"recovered_{low:g}_{high:g}"] = share(lambda bands: period.search(bands).period)
        if (low, high) in (RANGES[0], RANGES[-1]) and _optional("P4J"):
            found[f"recovered_{low:g}_{high:g}_p4j"] = share(p4j)
    return found


def _optional(name: str) -> Any:
    """A module, or None where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError:
        return None
