"""The compiled reduction of light curves against the rules of `broker_adapters.significance`, row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters.photometry import magnitude_error, magnitude_from_flux
from broker_adapters.records import Kind, blank, frozen
from broker_adapters.significance import MEASURED, alerts, seen_by_totals, total_flux
from followup.batch import Batch
from followup.brightness import detections_until, history
from followup.curves import Curves
from followup.reduction import AHEAD, BASELINE, STEEPEST, WINDOW
from followup.states import States
from tests.followup.build import NOW, candidate, detections


def odd_curve(rng, n):
    """A light curve in three bands of two surveys, of all kinds, with exposures told twice and holes."""
    rows = blank(n)
    rows["survey"], rows["band"] = rng.choice(["ztf", "atlas"], n), rng.choice(["g", "r", "o"], n)
    rows["kind"] = rng.choice([Kind.ALERT, Kind.ALERT, Kind.FORCED, Kind.LIMIT], n)
    rows["mjd"] = NOW - 20.0 + np.round(rng.uniform(0.0, 25.0, n), 1) + 1e-7 * np.arange(n)
    faint = rng.random() < 0.3
    rows["flux"] = rng.normal(2e4, 1.5e4, n) if faint else rng.normal(2e4, 2e3, n)
    rows["flux_err"], rows["ref_flux"] = rng.uniform(100, 4000, n), rng.choice([np.nan, 3e4], n)
    rows["flux"][rows["kind"] == Kind.LIMIT] = np.nan
    rows["flux_err"][rng.random(n) < 0.05] = np.nan
    rows["mjd"][rng.random(n) < 0.02] = np.nan
    rows["source_id"] = np.arange(n).astype(str)
    return frozen(rows)


def slow(rows, now):
    """The state of one light curve by NumPy alone: times, magnitude, magnitude now, slope, error of the slope, band."""
    rows = detections_until(rows, now)
    flux = total_flux(rows) if seen_by_totals(rows) else rows["flux"]
    flux = np.where((flux > 1e-6) & (flux >= np.nan_to_num(MEASURED * rows["flux_err"])), flux, np.nan)
    magnitudes, errors = magnitude_from_flux(flux), np.hypot(np.nan_to_num(magnitude_error(flux, rows["flux_err"])), 0.02)
    times = rows["mjd"]
    if (known := np.isfinite(magnitudes)).any():
        rows, magnitudes, errors = rows[known], magnitudes[known], errors[known]
    recent = (rows["band"] == rows["band"][-1]) & (rows["mjd"] >= rows["mjd"][-1] - WINDOW) & np.isfinite(magnitudes)
    t, y, w = rows["mjd"][recent] - rows["mjd"][-1], magnitudes[recent], errors[recent] ** -2.0
    slope = error = math.nan
    ahead = magnitudes[-1]
    if len(t) >= 2 and np.ptp(t) >= BASELINE:
        (fitted, tilt), covariance = (
            np.polynomial.polynomial.polyfit(t, y, 1, w=w**0.5),
            np.linalg.inv([[w.sum(), w @ t], [w @ t, w @ t**2]]),
        )
        if abs(tilt) <= STEEPEST:
            slope, error, ahead = tilt, covariance[1, 1] ** 0.5, fitted + tilt * min(now - rows["mjd"][-1], AHEAD)
    return times, magnitudes[-1], ahead, slope, error, str(rows["band"][-1])


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_reduction_is_that_of_the_rules(seed):
    rng = np.random.default_rng(seed)
    curves = [odd_curve(rng, int(n)) for n in rng.integers(0, 40, 8)]
    states = States.of(Curves.of(curves), NOW)
    for i, rows in enumerate(curves):
        here = states.history(i)
        if here is None:
            assert not len(detections_until(rows, NOW))
            continue
        times, latest, ahead, slope, error, band = slow(rows, NOW)
        np.testing.assert_array_equal(here.times, times)
        got = [here.trend.latest, here.trend.now, here.trend.slope, here.trend.slope_err]
        np.testing.assert_allclose(got, [latest, ahead, slope, error], rtol=1e-6, atol=1e-6)
        assert here.trend.band == band
        assert here.trend.total == seen_by_totals(detections_until(rows, NOW))


def test_parts_and_the_whole_are_the_same(monkeypatch):
    rng = np.random.default_rng(3)
    candidates = [candidate(str(i), rows=odd_curve(rng, int(n))) for i, n in enumerate(rng.integers(0, 30, 50))]
    whole = Batch(candidates).at(NOW)
    monkeypatch.setattr("followup.batch._CHUNK", 7)
    parts = Batch(candidates).at(NOW)
    np.testing.assert_array_equal(parts.numbers, whole.numbers)
    for i in range(50):
        one, other = parts.history(i), whole.history(i)
        assert (one is None) == (other is None)
        if one and other:
            assert (one.trend == other.trend) or math.isnan(one.trend.slope)
            assert (one.surveys, one.first_band) == (other.surveys, other.first_band)
            np.testing.assert_array_equal(one.times, other.times)


def test_no_light_curves_at_all():
    assert States.of(Curves.of([]), NOW).numbers.shape == (0, 9)
    assert Batch([]).at(NOW).seen_by is not None
    assert history(detections(), NOW) is None


def test_a_batch_works_out_once_what_it_is_asked():
    batch = Batch.of([candidate()])
    assert Batch.of(batch) is batch
    assert batch.at(NOW) is batch.at(NOW)
    assert batch.at(NOW) is not batch.at(NOW - 1)
    assert [c.key for c in batch[:1]] == ["1"]


@pytest.mark.parametrize("days", [0.0, 1e-5])
def test_age_and_count_are_of_the_whole_life(days):
    batch = Batch.of([candidate(first_seen=NOW - 40.0, n_seen=9), candidate("2", first_seen=NOW + 1.0), candidate("3", rows=detections())])
    assert batch.first_seen(NOW + days).tolist() == pytest.approx([NOW - 40.0, NOW - 2.0, np.nan], nan_ok=True)
    assert batch.n_seen(NOW).tolist() == [9, 2, 0]
    assert batch.n_seen(NOW - 1.5).tolist() == [1, 1, 0]
    assert int(alerts(candidate().detections).sum()) == 2
