"""Replays of nights that have passed: nothing from the future, nothing twice, nothing that is vetoed."""

from __future__ import annotations

import numpy as np
import pytest

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import frozen
from followup import profiles, replay
from followup.profiles import Profile
from tests.followup.build import NOW, SITE, candidate, detections

#: Five evenings, at the hour of `NOW`.
EVENINGS = [NOW - k for k in range(4, -1, -1)]
PROFILE = Profile("bright", "Bright", {"brightness": 1.0}, vetoes={"observable": {}, "faint": {"limit": 19.0}})


def objects(n=8):
    """Objects that appear one after another, each brighter than the one before."""
    made = []
    for i in range(n):
        rows = detections([18.5 - 0.1 * i] * 3, [6.0 - i / 2, 5.0 - i / 2, 4.0 - i / 2])
        made.append(candidate(str(i), rows=rows, first_seen=float(rows["mjd"][0])))
    return made


def known(evening):
    return [c for one in objects() if (c := replay.known_at(one, evening, 30.0)) is not None]


def test_an_evening_has_nothing_from_the_future():
    one = candidate(probabilities={"stamp": {"SN": 1.0}}, oddness=0.5, first_seen=NOW - 2.0, n_seen=9)
    then = replay.known_at(one, NOW - 1.5, 30.0)
    assert (then.detections["mjd"] <= NOW - 1.5).all()
    assert len(then.detections) == 1
    assert then.probabilities == {}
    assert np.isnan(then.oddness)
    assert then.n_seen == 0
    assert replay.known_at(one, NOW - 3.0, 30.0) is None
    assert replay.known_at(one, NOW + 40.0, 30.0) is None


def test_nothing_is_observed_twice_and_a_night_has_so_many_slots():
    picks = replay.caught(PROFILE, known, EVENINGS, SITE, slots=1)
    assert len({pick.key for pick in picks}) == len(picks) > 3
    assert len({pick.night for pick in picks}) == len(picks)
    done: set[str] = set()
    for pick in picks:
        assert max({c.key for c in known(pick.mjd)} - done) == pick.key  # the brightest of those known by then
        done.add(pick.key)


def test_the_budget_of_a_profile_goes_before_the_slots():
    few = Profile("few", "Few", {"brightness": 1.0}, budget=profiles.Budget(slots=2))
    assert len(replay.caught(few, known, EVENINGS[-1:], SITE, slots=5)) == 2


def test_what_is_vetoed_or_cut_is_not_observed():
    none = Profile("none", "None", {"brightness": 1.0}, vetoes={"faint": {"limit": 10.0}})
    assert replay.caught(none, known, EVENINGS, SITE) == ()
    rare = Profile("rare", "Rare", {"brightness": 1.0}, cuts=profiles.Cuts(detections=4))
    assert replay.caught(rare, known, EVENINGS, SITE) == ()
    assert replay.caught(PROFILE, lambda _: [], EVENINGS, SITE) == ()


def test_policies_to_compare_with():
    at_night = replay.follow(replay.brightest, known, EVENINGS[-1:], SITE, slots=3)
    assert [pick.key for pick in at_night] == ["7", "6", "5"]
    drawn = replay.follow(replay.at_random, known, EVENINGS, SITE, slots=2)
    assert drawn == replay.follow(replay.at_random, known, EVENINGS, SITE, slots=2)


def test_best_leaves_slots_free():
    assert replay.best(np.array([0.2, np.nan, 0.9, 0.0, 0.9]), 10).tolist() == [2, 4, 0]
    assert replay.best(np.array([0.2, 0.9]), 1).tolist() == [1]


def curve(peak):
    days = np.array([-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0])
    rows = detections([18.0] * 7, NOW - peak - days).copy()
    rows["flux"] = flux_from_magnitude(18.0) * (1.0 - 0.005 * days**2)
    return frozen(rows)


def test_the_true_peak():
    assert replay.true_peak(curve(NOW - 20.0)) == pytest.approx(NOW - 20.0, abs=1e-3)
    assert np.isnan(replay.true_peak(curve(NOW - 20.0)[:4]))
    assert np.isnan(replay.true_peak(curve(NOW - 20.0)[4:]))


def test_picks_are_judged_by_hindsight():
    objects = [candidate("a", rows=curve(NOW - 20.0)), candidate("b", rows=curve(NOW - 20.0)), candidate("c", rows=curve(NOW - 28.0))]
    picks = [replay.Pick("", NOW - 21.0, key, key, 1.0) for key in "abc"]
    assert replay.judge(picks, objects, {"a", "c"}) == replay.Counts(3, 1, 0)
    assert replay.judge([replay.Pick("", NOW - 28.0, "b", "b", 1.0)], objects, set()) == replay.Counts(1, 0, 1)
