"""Light-curve features of two-band light curves, on one core; the period search beside astropy and nifty-ls on the same grid and points."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

import numpy as np
from astropy.timeseries import LombScargleMultiband

from broker_adapters.records import Detections, Kind, SkyObject, blank
from classifiers.lightcurve import Model, context, features, period
from classifiers.lightcurve.series import light_curve

#: Length of the light curves in days: 0.4 / T as step gives the 105,000 frequencies of a full grid.
SPAN = 1890.0


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


def milliseconds(function: Callable[[], object], least: float = 0.5) -> float:
    """Best of the runs that fit into `least` seconds (three at least), after one to compile."""
    function()
    best, started, runs = np.inf, time.perf_counter(), 0
    while runs < 3 or time.perf_counter() - started < least:
        begin = time.perf_counter()
        function()
        best, runs = min(best, time.perf_counter() - begin), runs + 1
    return 1e3 * best


def run() -> dict[str, float]:
    """Milliseconds per light curve, objects per second end to end (features and forest, batch of 1,000) and microseconds of the forest."""
    found = {f"ms_at_{n}": milliseconds(lambda n=n: features.one(light_curve(rows(n)))) for n in (20, 100, 1000)}
    curve = light_curve(rows(100))
    bands = (context.usable(curve.g), context.usable(curve.r))
    found["period_ms_at_100"] = milliseconds(lambda: period.search(bands))
    t, m, e = (np.concatenate(c) for c in zip(*bands, strict=True))
    start, step, n = period.grid(float(np.ptp(t)))
    found["frequencies"] = float(n)
    label = np.repeat(["g", "r"], [len(b[0]) for b in bands])
    grid = start + step * np.arange(n)
    found["astropy_multiband_ms_at_100"] = milliseconds(lambda: LombScargleMultiband(t, m, label, e).power(grid, method="fast"), 0.1)
    found |= _nifty(bands, start, step, n)
    objects = [SkyObject(0.0, 0.0, 0.1, rows(30, i)) for i in range(1000)]
    model = Model()
    model.predict(objects[:2])
    begin = time.perf_counter()
    model.predict(objects)
    found["objects_per_s_batch"] = len(objects) / (time.perf_counter() - begin)
    values = np.random.default_rng(0).normal(size=(1000, len(features.names())))
    found["forest_us_per_object"] = milliseconds(lambda: model.probabilities(values))
    return found


def _nifty(bands: tuple[tuple[np.ndarray, ...], ...], start: float, step: float, n: int) -> dict[str, float]:
    """The same statistic by nifty-ls, band by band, where it is installed."""
    try:
        nifty = import_module("nifty_ls")
    except ModuleNotFoundError:
        return {}
    return {
        "nifty_ls_ms_at_100": milliseconds(
            lambda: [nifty.lombscargle(t - t[0], m, e, fmin=start, fmax=start + step * (n - 1), Nf=n, nthreads=1) for t, m, e in bands], 0.2
        )
    }
