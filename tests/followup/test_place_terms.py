"""What the terms and the veto say of the places of candidates."""

from __future__ import annotations

import numpy as np
import pytest

from followup import plugged
from followup.places import Places
from followup.records import NEUTRAL, FollowupError
from followup.replay import known_at
from tests.followup.build import NOW, candidate, night, place


def say(name, place_, **parameters):
    one = candidate(place=place_)
    scores = plugged.term(name, parameters)[0]([one], night([one]))
    return scores.values[0], scores.reasons[0]


def test_a_host_counts_by_its_probability_and_its_lack_is_no_veto():
    assert say("host", place(0.8)) == (0.8, "3.0 arcsec from NGC 1, host 0.80")
    assert say("host", place(0.0, galaxy=""))[0] == 0.1
    assert say("host", None) == (NEUTRAL, "its surroundings are not known")
    assert say("host", place(1.0, told_by="person"))[1].endswith("chosen by a person")


def test_a_nucleus_is_as_wide_as_positions_differ():
    assert say("host", place(0.9, separation=0.0), where="nuclear")[0] == pytest.approx(0.9)
    assert say("host", place(0.9, separation=1.0), where="nuclear")[0] == pytest.approx(0.9 * np.exp(-0.5))
    assert say("host", place(0.9, separation=1.0), where="outside")[0] == pytest.approx(0.9 * (1 - np.exp(-0.5)))
    assert say("host", place(0.9, separation=9.0), where="nuclear")[0] == 0.1
    with pytest.raises(FollowupError, match="nuclear"):
        say("host", place(), where="nowhere")


def test_the_nearer_come_first_and_the_unknown_are_in_the_middle():
    assert say("distance", place(distance=50.0)) == (pytest.approx(2 / 3), "50 Mpc, by its host")
    assert say("distance", place(distance=300.0, told_by="TNS"), half=300.0) == (0.5, "300 Mpc, by its redshift at TNS")
    assert say("distance", place(distance=np.nan)) == (NEUTRAL, "distance not known")
    assert say("distance", None)[0] == NEUTRAL
    with pytest.raises(FollowupError, match="above 0"):
        say("distance", place(), half=0.0)


def test_a_star_is_vetoed_within_a_radius():
    def until(within=1.5, **where):
        one = candidate(place=place(**where))
        vetoes = plugged.veto("star", {"within": within})([one], night([one]))
        return vetoes.until[0], vetoes.reasons[0]

    star = {"star": "Gaia DR3 7", "star_separation": 2.0}
    assert np.isnan(until(**star)[0])
    assert until(3.0, **star) == (np.inf, "2.0 arcsec from Gaia DR3 7")
    assert until()[1] == "no catalogued star at its place"


def test_places_are_of_one_or_of_many_and_read_only():
    both = Places.stack([place(0.2), Places.unknown(1)])
    assert (len(both), both[0].host[0], len(both[-1]), len(Places.stack([]))) == (2, 0.2, 1, 0)
    with pytest.raises(ValueError, match="read-only"):
        both.host[0] = 1.0


def test_replays_do_not_know_what_was_said_of_a_place_later():
    for said, known in (("host", 50.0), ("TNS", np.nan), ("person", np.nan)):
        then = known_at(candidate(place=place(told_by=said)), NOW, 30.0)
        np.testing.assert_equal(then.place.distance, [known])
    assert known_at(candidate(), NOW, 30.0).place is None
