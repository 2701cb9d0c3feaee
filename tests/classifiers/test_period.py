"""The period search: equal to a brute-force Lomb-Scargle, right where float32 is not, and ALeRCE's periods."""

import math

import numpy as np
import pandas as pd
import pytest
from astropy.timeseries import LombScargle

from classifiers.models.lightcurve import nufft, period, periodogram


def star(p, n=60, seed=0, amplitude=0.08, span=900.0):
    rng = np.random.default_rng(seed)
    t = np.sort(np.floor(rng.uniform(0, span, n)) + rng.uniform(0.1, 0.4, n)) + 58300
    return t, 18 + amplitude * np.sin(2 * np.pi * t / p) + rng.normal(0, 0.02, n), np.full(n, 0.02)


def test_statistic_is_that_of_astropys_floating_mean():
    t, y, e = star(0.5)
    zero, shifted, w = periodogram.prepared(t, y, e, t.mean())
    start, step, n = 0.1, 0.003, 2000
    ours = periodogram.explained(zero, shifted, w, np.array([start]), step, n)[0] / (w * shifted**2).sum()
    theirs = LombScargle(t - t.mean(), y, e, fit_mean=True, center_data=True).power(start + step * np.arange(n), method="slow")
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize(("n", "frequencies"), [(11, 1000), (16, 256), (61, 20001), (203, 5000), (periodogram.LONG + 1, 5001)])
def test_the_fast_scan_is_the_exact_one(n, frequencies):
    t, y, e = star(0.0613, n, seed=n)
    series = periodogram.prepared(t, y, e, t.mean())
    exact = periodogram.explained(*series, np.array([0.002]), 0.0011, frequencies)[0]
    assert periodogram.scanned(*series, 0.002, 0.0011, frequencies) == pytest.approx(exact, abs=1e-5 * exact.max(), rel=1e-5)


@pytest.mark.parametrize("n", [1, 2, 999, 1000])
def test_sums_by_fft_are_the_sums(n):
    rng = np.random.default_rng(n)
    t, weights = rng.uniform(-400, 400, 70), rng.uniform(0, 1, (2, 70))
    frequency = 0.31 + 0.0007 * np.arange(n)
    direct = weights @ np.exp(2j * np.pi * np.outer(t, frequency))
    assert np.abs(nufft.sums(t, weights, 0.31, 0.0007, n) - direct).max() < 2e-6 * weights.sum()


@pytest.mark.parametrize("p", [0.047, 0.11, 0.61, 12.3, 210.0])
def test_periods_are_found_in_two_bands(p):
    found = period.search((star(p, seed=1), star(p, seed=2)))
    assert abs(1 / found.period - 1 / p) < 0.3 / 900
    assert len(found.rates) == len(period.FACTORS)
    assert 0 < found.significance < 1


def test_short_periods_are_recovered_where_float32_loses_them():
    rng = np.random.default_rng(0)
    periods = rng.uniform(0.046, 0.06, 12)
    found = [period.search((star(p, 60, i), (np.zeros(0),) * 3)).period for i, p in enumerate(periods)]
    assert np.mean(np.abs(1 / np.array(found) - 1 / periods) < 1 / 900) >= 0.8


def test_without_points_or_variation_there_is_no_period():
    empty = (np.zeros(0),) * 3
    t = np.arange(30.0)
    flat = (t, np.full(30, 18.0), np.full(30, 0.1))
    for bands in ((empty, empty), (star(0.5, 8), empty), (flat, empty), ((np.zeros(20), np.arange(20.0), np.ones(20)), empty)):
        assert math.isnan(period.search(bands).period)


def test_the_densest_stretch_is_searched():
    t, m, e = star(0.5, 80)
    far = np.concatenate([[t[0] - 5000], t])
    found = period.search(((far, np.concatenate([[18.0], m]), np.concatenate([[0.02], e])), (np.zeros(0),) * 3))
    assert found.period == pytest.approx(0.5, rel=1e-3)


@pytest.mark.real_data
def test_golden_periods(real_data):
    detections = pd.read_csv(real_data / "reference" / "lc_reference_inputs_old_detections.csv.gz")
    expected = pd.read_csv(real_data / "reference" / "lc_reference_features_old.csv").set_index("oid")
    compared = 0
    for oid, part in detections.sort_values("time").groupby("oid"):
        bands = tuple(tuple(np.ascontiguousarray(part[part.band == b][c], float) for c in ("time", "magnitude", "error")) for b in (1, 2))
        found = period.search(bands)
        if expected.PPE[oid] > 0.02:  # below, no peak stands out and float32 decides
            assert found.period == pytest.approx(expected.Multiband_period[oid], rel=3e-5)
            assert found.significance == pytest.approx(expected.PPE[oid], rel=0.15)
            compared += 1
    assert compared >= 7
