"""Requests that a telescope or a camera cannot do, by what is true of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from followup.facilities import lco
from followup.plan import passed_over, plan
from followup.rank import rank
from followup.records import Exposure, FollowupError, Limits
from followup.sites import SITES
from followup.visibility import hour_angle, night
from tests.field import DATA
from tests.followup.build import candidate, detections

TERMS = {"visibility": 1.0}


def case(name):
    return json.loads((DATA / name).read_text())


def ranked(at, site="Cerro Tololo", **place):
    one = [candidate("17", rows=detections([16.0], [1.0], now=at), **place)]
    tonight = night(SITES[site], np.array([one[0].ra]), np.array([one[0].dec]), at, Limits())
    return rank(one, tonight, TERMS), one, tonight


def test_row_22_a_request_wholly_beyond_the_hour_angle_of_its_telescope_is_not_planned():
    given = case("37-hour-angle.json")
    arguments = ranked(given["at"], given["site"], **given["object"])
    tonight = arguments[2]
    start, end = given["window"]
    inside = tonight.times[(tonight.times > start) & (tonight.times < end)]
    hours = hour_angle(tonight.site, inside, *(np.array([given["object"][name]]) for name in ("ra", "dec")))
    assert [hours.min(), hours.max()] == pytest.approx(given["hour_angle_h"], abs=0.1)
    assert tonight.observable.any(), "it is within the limits of the night"
    options = {"instrument": given["instrument"], "threshold": 0.0}
    assert plan(*arguments, **options) == []
    assert passed_over(*arguments, **options) == {"17": "it is beyond the hour angles within 4.6 h of 1M0-SCICAM-SINISTRO"}


def test_row_22_a_window_ends_where_the_hour_angle_does():
    given = case("37-hour-angle.json")
    arguments = ranked(given["at"] - 0.15, given["site"], **given["object"])
    (request,) = plan(*arguments, instrument=given["instrument"], threshold=0.0)
    place = [np.array([given["object"][name]]) for name in ("ra", "dec")]
    ends = hour_angle(arguments[2].site, np.array([request.start, request.end]), *place)
    assert request.end < given["window"][0]
    assert np.abs(ends).max() <= 4.6 + 0.06  # half a step of the night
    assert len(plan(*arguments, facility="fake", threshold=0.0)) == 1


def test_row_22_a_telescope_without_such_a_limit_takes_it():
    given = case("37-hour-angle.json")
    (request,) = plan(*ranked(given["at"] - 0.01, given["site"], **given["object"]), facility="fake", threshold=0.0)
    assert request.end > given["window"][0]


@pytest.mark.parametrize("instrument", lco.INSTRUMENTS)
def test_row_22_no_instrument_is_planned_below_its_horizon(instrument, monkeypatch):
    given = case("37-hour-angle.json")
    camera = replace(lco.INSTRUMENTS[instrument], horizon=89.0)
    monkeypatch.setattr(lco, "INSTRUMENTS", {instrument: camera})
    arguments = ranked(given["at"] - 0.15, given["site"], **given["object"])
    options = {"instrument": instrument, "filters": (next(iter(camera.filters)),), "threshold": 0.0}
    assert passed_over(*arguments, **options) == {"17": f"it is below the horizon of 89 deg of {instrument}"}


def test_row_23_filters_that_a_camera_has_not_got_are_refused_with_those_it_has():
    given = case("38-qhy600-filters.json")
    arguments = ranked(61104.2, ra=150.0, dec=-30.0)
    has = "0M4-SCICAM-QHY600 has no filter R, I; it has: up, gp, rp, ip, zs, B, V"
    with pytest.raises(FollowupError, match=has):
        plan(*arguments, **given, threshold=0.0)
    (request,) = plan(*arguments, instrument=given["instrument"], threshold=0.0)
    wrong = replace(request, exposures=tuple(Exposure(name, 60.0) for name in given["filters"]))
    with pytest.raises(FollowupError, match="has no R, I; it has: up, gp"):
        lco.payload(wrong)


def test_row_23_a_stored_request_for_a_filter_that_is_not_there_is_a_problem():
    arguments = ranked(61104.2, ra=150.0, dec=-30.0)
    (request,) = plan(*arguments, instrument="0M4-SCICAM-QHY600", threshold=0.0)
    data = lco.payload(request, target_id=17, proposal="P")
    assert lco.check(data) == ()
    data["c_1_ic_2_filter"] = "R"
    assert lco.check(data) == ("0M4-SCICAM-QHY600 has no R; it has: up, gp, rp, ip, zs, B, V",)
    assert lco.check({**data, "c_1_instrument_type": "1M0-SCICAM-SINISTRO"}) == ()


@pytest.mark.parametrize(
    ("instrument", "elements"),
    [
        ("1M0-SCICAM-SINISTRO", {"up", "gp", "rp", "ip", "zs", "B", "V", "R", "I"}),
        ("0M4-SCICAM-QHY600", {"up", "gp", "rp", "ip", "zs", "B", "V"}),
        ("2M0-FLOYDS-SCICAM", {"slit_1.6as", "slit_2.0as"}),
    ],
)
def test_row_23_each_instrument_has_what_the_portal_lists(instrument, elements):
    assert set(lco.INSTRUMENTS[instrument].filters) == elements
