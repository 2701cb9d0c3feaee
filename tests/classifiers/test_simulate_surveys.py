"""What each survey tells of a source for months: depth, cadence, signs and references, and that none of it tells the class."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.photometry import flux_from_magnitude, limit_from_flux_error, magnitude_from_flux
from broker_adapters.records import Kind
from classifiers.models.lightcurve.series import MINIMUM, family, light_curve
from classifiers.models.lightcurve.training.samples import TRIES, WATCHED
from classifiers.simulate import lightcurves, surveys
from classifiers.simulate.surveys import SURVEYS, WATCHES

#: What is not drawn anew for every light curve.
CALM = {name: replace(how, underrated=0.0, offset=0.0) for name, how in SURVEYS.items()}
BANDS = [(name, band) for name, how in SURVEYS.items() for band in how.depth]
NIGHTS = 58500 + np.arange(4000.0)


def by_night(times, survey):
    """Times grouped by the local midnight that they are nearest to."""
    times = np.sort(times)
    night = np.round(times - surveys.observe.SURVEYS[survey].midnight)
    return np.split(times, np.flatnonzero(np.diff(night) > 0) + 1)


@pytest.mark.parametrize(("survey", "band"), BANDS)
def test_an_empty_sky_has_the_depth_of_the_survey_and_its_noise(survey, band, monkeypatch):
    monkeypatch.setattr(surveys, "SURVEYS", CALM)
    mjd = np.repeat(NIGHTS, 2) + np.tile([0.2, 0.25], len(NIGHTS))
    rows = surveys.measure(survey, band, mjd, np.zeros(len(mjd)), 0.0, np.random.default_rng(0))
    depth = limit_from_flux_error(rows["flux_err"])
    mean, scatter = SURVEYS[survey].depth[band]
    assert depth.mean() == pytest.approx(mean, abs=4 * scatter / math.sqrt(len(NIGHTS)))
    assert depth.std() == pytest.approx(scatter, rel=0.05)
    assert np.diff(depth.reshape(-1, 2)).std() == pytest.approx(math.sqrt(2) * surveys.WITHIN, rel=0.05)
    assert np.isnan(rows["ref_flux"]).all()
    told = rows[np.isfinite(rows["flux"])]
    if SURVEYS[survey].kinds[1] == Kind.FORCED:
        assert (told["flux"] / told["flux_err"]).std() == pytest.approx(1.0, rel=0.05)
    else:
        assert len(told) < 3  # beyond five sigma by chance


@pytest.mark.parametrize(("survey", "band"), BANDS)
def test_a_bright_source_scatters_by_what_the_survey_quotes_and_what_it_does_not(survey, band, monkeypatch):
    monkeypatch.setattr(surveys, "SURVEYS", CALM)
    how, total = SURVEYS[survey], float(flux_from_magnitude(16.7))
    rows = surveys.measure(survey, band, NIGHTS, np.full(len(NIGHTS), 0.9 * total), 0.1 * total, np.random.default_rng(1))
    assert len(rows) == len(NIGHTS)
    expected = np.hypot(rows["flux_err"], how.unquoted * total)
    assert ((rows["flux"] - 0.9 * total) / expected).std() == pytest.approx(1.0, rel=0.05)
    assert (rows["flux_err"] >= how.floor * total).all()


@given(st.sampled_from(BANDS), st.floats(-2, 2), st.floats(14, 27), st.integers(0, 2**31))
def test_each_survey_tells_what_its_stream_does(which, change, magnitude, seed):
    """Kinds, signs, limits and references of a source that differs by a part of its reference, or by twice as much."""
    survey, band = which
    rng, reference = np.random.default_rng(seed), float(flux_from_magnitude(magnitude))
    difference = np.full(60, change * reference)
    rows = surveys.joined([surveys.measure(survey, band, NIGHTS[:60] + 0.3, difference, reference, rng)])
    significant = np.abs(rows["flux"]) >= 5 * rows["flux_err"]
    assert (rows["flux_err"] > 0).all()
    assert set(rows["survey"].tolist()) <= {survey}
    if survey == "ztf":
        assert ((rows["kind"] == Kind.ALERT) == significant).all()
        assert (np.isnan(rows["flux"]) == (rows["kind"] == Kind.LIMIT)).all()
        assert np.isfinite(rows["ref_flux"]).all() == (magnitude <= 22.5) or not len(rows)
    elif survey == "atlas":
        assert (rows["kind"] == Kind.FORCED).all()
        assert np.isnan(rows["ref_flux"]).all()
    else:
        assert ((rows["kind"] == Kind.ALERT) == significant).all()
        assert (rows["kind"][~significant] == Kind.FORCED).all()
        assert (rows["ref_flux"] == reference).all()
        assert not len(rows) or rows["kind"][0] == Kind.ALERT
    strong = np.abs(difference[0]) > 9 * rows["flux_err"]
    assert (np.sign(rows["flux"][strong & significant]) == np.sign(change)).all()


def test_errors_of_atlas_are_too_small_and_its_differences_are_off():
    how, rng, spread, offset = SURVEYS["atlas"], np.random.default_rng(9), [], []
    for _ in range(400):
        rows = surveys.measure("atlas", "o", NIGHTS[:300], np.zeros(300), 0.0, rng)
        pull = rows["flux"] / rows["flux_err"]
        off = np.median(rows["flux"]) / np.median(rows["flux_err"])
        spread.append(np.std(pull - off * np.median(rows["flux_err"]) / rows["flux_err"]))
        offset.append(off)
    assert np.percentile(np.log(spread), 68.3) == pytest.approx(how.underrated, rel=0.2)
    assert np.std(offset) == pytest.approx(how.offset, rel=0.15)
    assert np.mean(offset) == pytest.approx(0.0, abs=0.2)


def test_a_saturated_source_tells_nothing():
    for survey, band in BANDS:
        bright = np.full(10, flux_from_magnitude(11.0))
        assert not len(surveys.measure(survey, band, NIGHTS[:10], bright, 0.0, np.random.default_rng(0)))


def test_surveys_look_only_on_the_given_nights_and_in_bands_that_are_used():
    rng = np.random.default_rng(2)
    for survey in SURVEYS:
        for _ in range(20):
            nights = NIGHTS[rng.random(len(NIGHTS)) < 0.3][:100]
            for name, band, times in surveys.exposures((survey,), nights, rng):
                assert family(name, band)
                assert (np.diff(times) >= 0).all()
                midnight = times - surveys.observe.SURVEYS[survey].midnight
                assert np.isin(np.round(midnight), nights).all()


def test_atlas_takes_four_exposures_in_an_hour_and_c_when_it_is_dark():
    rng, groups, c = np.random.default_rng(3), [], []
    shares = []
    for _ in range(12):
        found = {band: times for _, band, times in surveys.exposures(("atlas",), NIGHTS[:600], rng)}
        both = by_night(np.concatenate(list(found.values())), "atlas")
        groups += both
        c.append(found["c"])
        shares.append(len(both) / 600)
    number = np.array([len(g) for g in groups])
    assert 0.68 < (number == 4).mean() < 0.8
    assert number.mean() == pytest.approx(4.2, abs=0.2)
    four = np.array([g[-1] - g[0] for g in groups if len(g) == 4]) * 24
    assert 0.3 < four.min() < np.median(four) < four.max() < 0.85
    assert 0.25 < np.mean(shares) < 0.45
    age = (np.concatenate(c) - surveys.NEW_MOON) % surveys.MONTH
    assert np.minimum(age, surveys.MONTH - age).max() < 11.0
    assert len(np.concatenate(c)) / number.sum() == pytest.approx(0.2, abs=0.06)


def test_lsst_comes_back_after_days_for_pairs_in_two_filters():
    rng, seen = np.random.default_rng(4), {"g": [], "r": []}
    for _ in range(10):
        for _, band, times in surveys.exposures(("lsst",), NIGHTS[:1000], rng):
            seen[band].append(times)
        g, r = seen["g"][-1], seen["r"][-1]
        both = by_night(np.concatenate([g, r]), "lsst")
        pairs = np.array([n[1] - n[0] for n in both if len(n) == 2])
        assert pairs == pytest.approx(33 / 1440)
        assert max(len(n) for n in both) == 2
        assert min(np.diff([n[0] for n in both])) > 1.5
    per_night = {band: np.mean([len(t) for t in times]) / 1000 for band, times in seen.items()}
    assert per_night["r"] / per_night["g"] == pytest.approx(184 / 80, rel=0.15)  # visits planned in ten years
    assert 0.1 < per_night["r"] < 0.2


def test_colours_between_the_surveys():
    """A source that brightens by a magnitude, g = 18, r = 17: c = 17.49, o = 16.8."""

    def brightening(t, rng):
        fainter = np.where(t < t.max() - 300, 1.0, 0.0)
        return 18.0 + fainter, 17.0 + fainter

    rows = lightcurves.observe(brightening, 250.0, np.random.default_rng(5), ("ztf", "atlas"))
    expected = {"g": 18.0, "c": 17.49, "r": 17.0, "o": 16.8}
    assert set(rows["band"].tolist()) == set(expected)
    for band, magnitude in expected.items():
        own = rows[(rows["band"] == band) & np.isfinite(rows["flux"])]
        total = np.median(own["flux"]) / (1 - 10**-0.4)
        assert magnitude_from_flux(total) == pytest.approx(magnitude, abs=0.05)


def test_what_lsst_alone_sees_is_fainter():
    quiet = lightcurves.harmonic(0.6, (17.5, 17.0), np.full((2, 1), 0.4), np.zeros((2, 1)))
    rng = np.random.default_rng(6)
    seen = {watching: [lightcurves.observe(quiet, 300.0, rng, watching)["ref_flux"] for _ in range(25)] for watching in WATCHES}
    shift = np.array([17.2 - magnitude_from_flux(r).mean() for r in seen["lsst",] if len(r)])
    assert shift.max() < 0.4
    assert shift.min() > -surveys.FAINTER[1] - 0.4
    assert shift.std() > 0.3
    of_ztf = [magnitude_from_flux(r[np.isfinite(r)]).mean() for r in seen["ztf",]]
    assert np.array(of_ztf) == pytest.approx(17.2, abs=0.4)


def test_shares_of_who_watches():
    assert sum(WATCHES.values()) == pytest.approx(1.0)
    rng, n = np.random.default_rng(7), 4000
    drawn = [surveys.watch(rng) for _ in range(n)]
    for who, share in WATCHES.items():
        assert drawn.count(who) / n == pytest.approx(share, abs=4 * math.sqrt(share / n))
    assert ("ztf",) not in {surveys.watch(rng, surveys.OTHERS) for _ in range(100)}


@pytest.mark.parametrize("watching", WATCHES)
def test_every_class_is_seen_whoever_watches(watching):
    """So that who saw an object, drawn without a look at it, tells nothing of its class."""
    rng = np.random.default_rng(8)
    star = lightcurves.harmonic(0.6, (17.5, 17.0), np.full((2, 1), 0.3), np.zeros((2, 1)))
    for source in (*lightcurves.STOCHASTIC.values(), star):
        found = 0
        for _ in range(12):
            tries = (light_curve(lightcurves.observe(source, rng.choice(WATCHED), rng, watching)) for _ in range(TRIES))
            found += any(curve.n_detections >= MINIMUM for curve in tries)
        assert found >= 11
