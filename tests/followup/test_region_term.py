"""The term that ranks by regions of events: sky and distance, unknown is not 0, what was there before is ruled out."""

from __future__ import annotations

import numpy as np
import pytest

from followup.coincidence import Coincidence, Search, host_error
from followup.records import FollowupError
from followup.terms.region import term
from tests.followup.build import NOW, candidate, night, place

NORM = 1.0 / (120.0**2 + 30.0**2)
GOOD = {"event": "S1", "mjd": NOW - 3.0, "until": NOW + 28.0, "level": 0.2, "delay": 0.5, "mu": 120.0, "sigma": 30.0, "norm": NORM}


def one(**changes):
    return Coincidence(**{**GOOD, **changes})


def score(*coincidences, parameters=None, **fields):
    candidates = [candidate(coincidences=coincidences, **fields)]
    scores = term(candidates, night(candidates), **(parameters or {}))
    return float(scores.values[0]), scores.reasons[0]


def test_what_agrees_in_place_and_distance_is_first_and_says_why():
    near, far, unknown = (score(one(expected=0.3), place=where) for where in (place(distance=132.0), place(distance=400.0), None))
    assert near[0] == pytest.approx(0.8, abs=0.01)
    assert "distances agree to 100%" in near[1]
    assert "0.3 unrelated expected" in near[1]
    assert far[0] == 0.05
    assert unknown[0] == pytest.approx(0.4)
    assert "not known" in unknown[1]


def test_an_event_without_a_distance_is_matched_on_the_sky_alone():
    value, reason = score(one(mu=np.nan, sigma=np.nan, norm=np.nan))
    assert value == pytest.approx(0.8)
    assert "distance" not in reason


@pytest.mark.parametrize(
    ("changes", "value", "words"),
    [
        ({"early": True, "delay": -20.0}, 0.05, "seen 20 d before it: ruled out"),
        ({"status": "rejected"}, 0.05, "no event"),
        ({"status": "confirmed", "level": 0.9}, 1.0, "confirmed"),
        ({"until": NOW - 1.0}, 0.05, "no event"),
        ({"mjd": NOW + 0.1}, 0.05, "no event"),
        ({"level": 1.0}, 0.05, "100%"),
    ],
)
def test_what_does_not_count(changes, value, words):
    got, reason = score(one(**changes))
    assert got == pytest.approx(value)
    assert words in reason


def test_of_several_events_the_best_counts_and_one_may_be_asked_for():
    several = one(level=0.9), one(event="S2", level=0.1)
    assert "S2" in score(*several)[1]
    assert "S1" in score(*several, parameters={"event": "S1"})[1]
    assert score(parameters={"outside": 0.5}) == (0.5, "in the region of no event")


def test_errors_of_hosts_have_a_floor():
    np.testing.assert_allclose(host_error([0.0, 100.0]), [5.0, np.hypot(10.0, 5.0)])


@pytest.mark.parametrize("impossible", [{"level": 1.0}, {"before": -1.0}, {"after": 0.0}, {"largest": 0.0}])
def test_impossible_searches_are_refused(impossible):
    with pytest.raises(FollowupError):
        Search(**impossible)
