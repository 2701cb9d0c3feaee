"""The replay of a campaign: what is true, what is known, who may be observed, and what policies find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.campaign import aas2rto, shape
from benchmarks.campaign.calendars import calendar
from benchmarks.campaign.evenings import RECENT, kept, states, truth
from benchmarks.campaign.known import Known
from benchmarks.campaign.ours import Ours, Told
from benchmarks.campaign.play import BURN_IN, play, ratio, share
from benchmarks.campaign.subjects import Subject, brightest, half
from broker_adapters.photometry import flux_error, flux_from_magnitude
from broker_adapters.records import Kind, blank
from classifiers.posterior.records import Outlooks
from followup.brightness import trend
from followup.profiles import Profile
from followup.replay import true_peak

PEAK = 59000.0


def rows(peak: float = PEAK, days=None, magnitude: float = 18.0):
    """An SN Ia of the template with a point in g and in r every third day."""
    t = np.arange(-14.0, 40.0, 3.0) if days is None else np.asarray(days, float)
    made = blank(2 * len(t))
    made["mjd"], made["band"] = np.repeat(t, 2) + peak, np.tile(["g", "r"], len(t))
    made["survey"], made["source_id"], made["kind"] = "ztf", np.arange(len(made)).astype(str), Kind.ALERT
    shapes = np.where(made["band"] == "g", shape.MEASURED.at(made["mjd"] - peak, "g"), shape.MEASURED.at(made["mjd"] - peak, "r"))
    made["flux"] = flux_from_magnitude(np.float64(magnitude)) * shapes
    made["flux_err"] = flux_error(made["flux"], np.full(len(made), 0.05))
    return made


def subjects(n: int = 60) -> list[Subject]:
    labels = ["SNIa", "SNIa", "SNII"]
    found = []
    for i in range(n):
        own = rows(PEAK + 7 * i, magnitude=17.5 + 0.02 * i)
        found.append(Subject(f"object {i}", labels[i % 3], own, float(own["mjd"][0]), true_peak(own)))
    return found


def test_the_true_peak_needs_points_on_both_sides():
    assert true_peak(rows()) == pytest.approx(PEAK, abs=1.0)
    assert np.isnan(true_peak(rows(days=np.arange(-14.0, -3.0, 2.0))))
    assert np.isnan(true_peak(rows(days=np.arange(5.0, 20.0, 2.0))))


def test_halves_do_not_depend_on_other_names():
    names = [f"ZTF20aa{i}" for i in range(400)]
    both = half(names)
    assert (half(names[:7]) == both[:7]).all()
    assert 150 < both.sum() < 250


def test_an_evening_knows_nothing_of_what_follows():
    one = subjects(1)[0]
    whole = states([one])
    cut = states([replace(one, rows=one.rows[one.rows["mjd"] < PEAK + 3.5])])
    n = int(np.sum(whole.day + 1 / 24 < PEAK + 3.5))
    assert n > 5
    for name in ("magnitude", "latest", "day"):
        np.testing.assert_array_equal(getattr(whole, name)[:n], getattr(cut, name)[:n])
    np.testing.assert_array_equal(whole.until[whole.evidence[:n]], cut.until[cut.evidence[:n]])
    assert (one.rows["mjd"][whole.until[whole.evidence] - 1] <= whole.day + 1 / 24).all()


def test_brightness_is_that_of_the_product():
    one = subjects(1)[0]
    every = states([one])
    for i in range(0, 60, 7):
        now = every.day[i] + 1 / 24
        said = trend(one.rows[one.rows["mjd"] <= now], now)
        assert every.latest[i] == said.latest
        assert every.magnitude[i] == pytest.approx(min(said.latest, said.now))


def test_an_object_leaves_after_its_last_detection():
    one = states(subjects(1))
    last = subjects(1)[0].rows["mjd"][-1]
    assert np.isinf(one.magnitude[one.day + 1 / 24 > last + RECENT]).all()
    assert np.isfinite(one.magnitude[one.day + 1 / 24 <= last + RECENT]).all()


def test_hits_are_near_the_peak_and_bright():
    some = subjects(3)
    every = states(some)
    true = truth(some, every)
    assert set(every.subject[true.hit].tolist()) == {0, 1}  # the third is no SN Ia
    assert (np.abs(true.from_peak[true.hit]) <= 4.0).all()
    assert not truth(some, every, limit=17.0).hit.any()
    assert set(every.subject[true.young].tolist()) == {0, 1, 2}


@pytest.mark.parametrize("template", [shape.TEXTBOOK, shape.MEASURED])
@pytest.mark.parametrize("ahead", [6.0, 3.0, -5.0])
def test_the_shape_finds_the_peak(ahead, template):
    own = rows()
    found = shape.fit(own[own["mjd"] <= PEAK - ahead], template)
    assert found.peak == pytest.approx(PEAK, abs=1.5)
    assert found.flux(np.array([found.peak]), "g")[0] == pytest.approx(found.g)
    assert shape.fit(own[:0]) is None


def test_factors_of_aas2rto():
    assert aas2rto.brightness(16.5) == pytest.approx(10.0)
    assert aas2rto.age(20.0) == 1.0
    assert aas2rto.age(25.0) == pytest.approx(0.5)
    assert aas2rto.rising(np.array([19.0, 18.0, 18.5])) == pytest.approx(0.5)
    assert aas2rto.rising(np.array([18.0])) == 0.5
    assert aas2rto.rising(np.array([18.0, 19.0])) == 0.05
    assert [aas2rto.fits(chi2) for chi2 in (1.0, 5.0, 20.0)] == [1.0, 0.5, 0.1]
    assert aas2rto.interest(0.0) == 30.0
    assert aas2rto.interest(20.0) == 0.01


def test_aas2rto_waits_for_the_peak_and_rejects_what_is_old():
    own = rows()

    def at(day):
        known = own[own["mjd"] <= PEAK + day]
        return aas2rto.score(known, shape.fit(known), PEAK + day)

    assert at(0.0) > 10.0 * at(-8.0) > 0.0
    assert at(19.0) == 0.0
    early = own[own["mjd"] <= PEAK - 13.0]
    assert aas2rto.score(early, shape.fit(early), PEAK - 13.0) == 0.0


def test_a_limit_that_should_have_seen_it_is_held_against_it():
    own = rows(days=[-1.0, 1.0])
    limit = blank(1)
    limit["mjd"], limit["band"], limit["kind"], limit["survey"] = PEAK - 4.0, "g", Kind.LIMIT, "ztf"
    limit["flux"], limit["flux_err"] = np.nan, flux_from_magnitude(np.float64(21.0)) / 5.0
    fitted = replace(shape.fit(own), peak=PEAK)
    assert aas2rto.missed(own, fitted) == 1.0
    assert aas2rto.missed(np.concatenate([limit, own]), fitted) < 0.2


def test_nothing_is_observed_twice_and_the_oracle_is_best():
    some = subjects(100)
    every = states(some)
    true = truth(some, every)
    pools = calendar(every, brightest(some), 0, beginning=2)
    observed: list[int] = []

    def oracle(pool):
        return true.hit[pool.state].astype(float)

    def noted(pool):
        observed.append(len(pool.state))
        return np.ones(len(pool.state))

    best, first = play(pools, oracle, true, 2), play(pools, noted, true, 2)
    assert (best.observed <= 2).all()
    assert len(best.hits) == len(pools) - BURN_IN
    assert best.hits.sum() == best.observed.sum() > first.hits.sum()
    assert first.observed.sum() <= len(some)
    assert ratio([best], [best], "hits") == (1.0, 0.0)
    assert 0.5 < share([best], "hits") <= 1.0
    assert all((pool.night.hours > 0.5).all() for pool in pools)


def test_what_is_kept_is_not_made_again(tmp_path):
    assert kept(tmp_path, "some", lambda: {"a": np.arange(3)})["a"].tolist() == [0, 1, 2]
    assert kept(tmp_path, "some", lambda: pytest.fail("made again"))["a"].tolist() == [0, 1, 2]


def test_our_policy_is_the_ranking_of_a_profile():
    some = subjects(30)
    every = states(some)
    n = len(every.until)
    told = Known(np.full((n, 15), np.nan), np.full(n, np.nan), Outlooks.unpack([]), np.full(n, -1), np.zeros(len(some), bool))
    pool = calendar(every, brightest(some), 0, beginning=3)[5]
    profile = Profile("bright", "Bright", {"brightness": 1.0}, vetoes={"observable": {}})
    scores = Ours(profile, Told(some, every, told))(pool)
    assert scores.shape == pool.state.shape
    assert (scores > 0.0).all()
    dimmest = np.argmax(every.magnitude[pool.state])
    assert scores[dimmest] == scores.min()
    stamped = Ours(Profile("sn", "SN", {"probability": 1.0}), Told(some, every, told), stamps=True)(pool)
    assert (stamped > 0.8).all()
