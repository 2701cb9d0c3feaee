from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followup.rank import rank
from followup.records import FollowupError, Scores
from tests.followup.build import candidate, night


@pytest.fixture(autouse=True)
def third_party(monkeypatch):
    """Terms of a third party: they read their score from the candidate's declination, or break the contract."""

    def module(name, term):
        made = ModuleType(name)
        made.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec(name, None)
        made.term = term
        monkeypatch.setitem(sys.modules, name, made)

    def term(candidates, night, *, scale=1.0):
        return Scores(np.array([abs(c.dec) / 90 * scale for c in candidates]), tuple("dec" for _ in candidates))

    def ones(candidates, night):
        return Scores(np.array([c.ra / 360 for c in candidates]), tuple("ra" for _ in candidates))

    module("others", term)
    module("others.dec", term)
    module("others.ra", ones)
    module("others.wide", lambda candidates, night: Scores(np.full(len(candidates), 2.0), ("x",) * len(candidates)))
    module("others.short", lambda candidates, night: Scores(np.ones(len(candidates)), ()))
    module("others.nan", lambda candidates, night: Scores(np.full(len(candidates), np.nan), ("x",) * len(candidates)))
    module("others.none", None)


def at(*places):
    return [candidate(str(i), ra=ra, dec=dec) for i, (ra, dec) in enumerate(places)]


def test_the_score_is_the_weighted_geometric_mean():
    candidates = at((90.0, -45.0), (180.0, -9.0))
    got = rank(candidates, night(candidates), {"others.dec": 3.0, "others.ra": {"weight": 1.0}}, {})
    assert got.keys == ("0", "1")
    np.testing.assert_allclose(got.scores, [(0.5**3 * 0.25) ** 0.25, (0.1**3 * 0.5) ** 0.25])
    np.testing.assert_allclose(got.terms["others.ra"].values, [0.25, 0.5])
    assert got.weights == {"others.dec": 3.0, "others.ra": 1.0}


def test_zero_vetoes_unless_its_weight_is_zero():
    candidates = at((0.0, -45.0), (36.0, -9.0))
    vetoed = rank(candidates, night(candidates), {"others.dec": 1.0, "others.ra": 0.1})
    assert vetoed.keys == ("1", "0")
    assert vetoed.scores[1] == 0.0
    shown = rank(candidates, night(candidates), {"others.dec": 1.0, "others.ra": 0.0})
    assert shown.keys == ("0", "1")
    assert shown.terms["others.ra"].values[0] == 0.0


def test_parameters_reach_the_term():
    candidates = at((90.0, -45.0))
    got = rank(candidates, night(candidates), {"others.dec": {"weight": 2, "scale": 0.5}})
    np.testing.assert_allclose(got.scores, [0.25])


@settings(max_examples=25)
@given(order=st.permutations(range(6)))
def test_the_order_of_the_input_does_not_matter_and_ties_go_by_key(order):
    candidates = at((90.0, -45.0), (90.0, -45.0), (90.0, -45.0), (10.0, -20.0), (10.0, -20.0), (200.0, -10.0))
    terms = {"visibility": 1.0, "brightness": 1.0, "youth": 1.0}
    whole = rank(candidates, night(candidates), terms)
    shuffled = [candidates[i] for i in order]
    again = rank(shuffled, night(shuffled), terms)
    assert again.keys == whole.keys
    np.testing.assert_allclose(again.scores, whole.scores)
    assert again.terms["visibility"].reasons == whole.terms["visibility"].reasons
    np.testing.assert_allclose(again.hours, whole.hours)


def test_nobody_to_rank():
    got = rank([], night([]))
    assert got.keys == ()
    assert got.scores.shape == (0,)


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"nonsense": 1.0}, "no plug-in 'nonsense'"),
        ({"brightness": {"fant": 20}}, "takes: weight, bright, faint, stale"),
        ({"brightness": -1.0}, "must be 0 or more"),
        ({"brightness": float("nan")}, "must be 0 or more"),
        ({"brightness": 0.0}, "nothing to rank by"),
        ({}, "nothing to rank by"),
        ({"others.wide": 1.0}, "left"),
        ({"others.nan": 1.0}, "left"),
        ({"others.short": 1.0}, "0 reasons for 1"),
    ],
)
def test_what_cannot_be_is_refused_clearly(terms, says):
    candidates = at((90.0, -45.0))
    with pytest.raises(FollowupError, match=says):
        rank(candidates, night(candidates), terms)


def test_a_night_of_other_targets_is_refused():
    candidates = at((90.0, -45.0), (10.0, -20.0))
    with pytest.raises(FollowupError, match="not for these"):
        rank(candidates, night(candidates[:1]))
