"""Cycles of periodic stars: when the next minimum is, and the term that asks for it."""

from __future__ import annotations

import numpy as np
import pytest

from followup.cycles import Cycle
from followup.terms import minimum
from tests.followup.build import candidate, night

GOOD = {"period": 0.5, "period_err": 1e-4, "amplitude": 0.6, "minimum": 61_000.0, "minimum_err": 0.002}


@pytest.mark.parametrize(
    "change",
    [{"period": 0.0}, {"period": float("nan")}, {"period_err": -1.0}, {"amplitude": None}, {"minimum": "x"}, {"minimum": float("inf")}],
)
def test_what_can_be_no_cycle_is_none(change):
    assert Cycle.of(GOOD | change) is None
    assert Cycle.of(None) is None
    assert Cycle.of({}) is None
    assert Cycle.of(GOOD).period == 0.5


def test_minima_follow_one_another_and_are_less_sure_later():
    one = Cycle.of(GOOD)
    assert one.next(61_000.1) == (61_000.5, pytest.approx(np.hypot(0.002, 1e-4)))
    assert [mjd for mjd, _ in one.minima(60_999.4, 61_000.6)] == [60_999.5, 61_000.0, 61_000.5]
    near, far = one.next(61_001.0)[1], one.next(61_100.0)[1]
    assert far == pytest.approx(np.hypot(0.002, 200 * 1e-4))
    assert near < far


def scored(*cycles):
    found = [candidate(str(i), cycle=one) for i, one in enumerate(cycles)]
    return minimum.term(found, night(found))


def test_a_minimum_while_the_star_is_up_is_worth_most():
    middle = float(np.mean(night([candidate()]).times))
    tonight, tomorrow = Cycle(3.0, 1e-4, 1.0, middle - 30.0, 0.002), Cycle(3.0, 1e-4, 1.0, middle - 29.0, 0.002)
    unsure, none, fast = Cycle(3.0, 0.1, 1.0, middle - 60.0, 0.5), None, Cycle(0.01, 0.0, 0.3, middle, 0.0)
    scores = scored(tonight, tomorrow, unsure, none, fast)
    np.testing.assert_allclose(scores.values, [1.0, 0.01, 0.1, 0.1, 1.0], atol=1e-3)
    assert "UTC ± 3 min, 100% that one is seen tonight" in scores.reasons[0]
    assert "0% that one" in scores.reasons[1]
    assert "cannot be foretold" in scores.reasons[2]
    assert scores.reasons[3] == "no period is known"


def test_a_minimum_at_the_edge_of_what_can_be_observed_is_half_as_probable():
    tonight = night([candidate()])
    last = float(tonight.times[tonight.observable[0]][-1]) + 0.5 * tonight.step
    assert scored(Cycle(3.0, 0.0, 1.0, last, 0.01)).values[0] == pytest.approx(0.5, abs=0.01)
