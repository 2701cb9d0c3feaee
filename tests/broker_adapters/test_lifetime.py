"""The life of an object as surveys and brokers state it: what is read, believed and merged."""

from __future__ import annotations

import json
import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import surveys
from broker_adapters.brokers import _alerce, _lasair
from broker_adapters.lifetime import Doubt, believed, day, merged, stated
from broker_adapters.packets import read
from broker_adapters.records import Lifetime, frozen
from broker_adapters.surveys import lsst, ztf
from broker_adapters.times import MJD_ZERO_JD, tai_from_utc
from tests.broker_adapters import build

HALF = 15.0 / 86400.0
ZTF, ATLAS = surveys.about("ztf"), surveys.about("atlas")
MJD, NOW = 61100.0, 61101.0
SENTINELS = [None, math.nan, math.inf, -math.inf, -999.0, -99999, 0, 1e30, 10**400, "", "null", "nan", [], {}, b"x", True]


@pytest.mark.parametrize("value", SENTINELS)
def test_what_is_no_number_or_a_sentinel_is_not_stated(value):
    assert stated(value, value, value, value) is None
    assert ztf.lifetime(dict.fromkeys(("jdstarthist", "jdendhist", "ndethist", "ncovhist"), value)) is None
    assert lsst.lifetime(dict.fromkeys(("firstDiaSourceMjdTai", "lastDiaSourceMjdTai", "nDiaSources"), value)) is None
    assert stated(value, 61100.0, value, 7) == Lifetime(None, 61100.0, None, 7)


def test_counts_are_whole_and_possible():
    assert stated(n_detections="16", n_images=813.0) == Lifetime(None, None, 16, 813)
    assert stated(n_detections=0.5, n_images=1e9) is None


def test_ztf_packets_state_dates_at_the_start_of_the_exposure():
    jd = MJD_ZERO_JD + 58430.25
    alert = read(build.packet("ztf", metadata={"jdstarthist": jd, "jdendhist": jd + 100, "ndethist": 112, "ncovhist": 906}))
    assert alert.lifetime.first_mjd == pytest.approx(58430.25 + HALF, abs=1e-7)
    assert alert.lifetime.last_mjd == pytest.approx(58530.25 + HALF, abs=1e-7)
    assert (alert.lifetime.n_detections, alert.lifetime.n_images) == (112, 906)


def test_ztf_packets_without_the_fields_state_nothing():
    fields = dict.fromkeys(("jdstarthist", "jdendhist", "ndethist", "ncovhist"), None)
    assert ztf.lifetime({"jdstarthist": -999.0, "ndethist": 3}) == Lifetime(None, None, 3, None)
    assert ztf.lifetime(fields) is None


def test_a_moving_object_has_no_life_at_its_place():
    asteroid = {"ssdistnr": 0.5, "ssnamenr": "1999 VG102", "ndethist": 16}
    table = build.rows("ztf", n=1)
    alert = read(build.packet("ztf", frozen(table), metadata=asteroid))
    assert (alert.moving, alert.lifetime) == (True, None)


def test_rubin_packets_state_dates_in_tai():
    table = build.rows("lsst", n=4)
    alert = read(build.packet("lsst", frozen(table)))
    assert alert.lifetime.first_mjd == pytest.approx(table["mjd"][0], abs=1e-9)
    assert alert.lifetime.last_mjd == pytest.approx(table["mjd"][-1], abs=1e-9)
    assert (alert.lifetime.n_detections, alert.lifetime.n_images) == (4, None)


def test_atlas_packets_state_nothing():
    assert read(build.packet("atlas", frozen(build.rows("atlas", n=1)))).lifetime is None


def test_alerce_states_what_ztf_and_its_own_alerts_have():
    about = {"oid": build.ZTF, "meanra": 150.0, "meandec": 2.0, "firstmjd": 61000.0, "lastmjd": 61090.0, "ndet": 12}
    history = {"mjdstarthist": 58430.0, "mjdendhist": 61089.0, "ndethist": "112", "ncovhist": 906}
    assert _alerce.read_ztf(about | history).lifetime == Lifetime(58430.0 + HALF, 61090.0 + HALF, 112, 906)
    assert _alerce.read_ztf(about).lifetime == Lifetime(61000.0 + HALF, 61090.0 + HALF, 12, None)
    undated = {**about, "firstmjd": None, "ndet": -999}
    assert _alerce.read_ztf(undated).lifetime == Lifetime(None, 61090.0 + HALF, None, None)


def test_alerce_states_rubin_dates_in_tai_and_none_of_moving_objects():
    first, last = tai_from_utc([61000.0, 61090.0]).tolist()
    about = {"oid": 170028526513684557, "meanra": 150.0, "meandec": 2.0, "firstmjd": first, "lastmjd": last, "n_det": 7, "sid": 1}
    assert _alerce.read_lsst(about).lifetime == Lifetime(pytest.approx(61000.0), pytest.approx(61090.0), 7, None)
    assert _alerce.read_lsst(about | {"sid": 2}).lifetime is None


def test_lasair_states_its_candidates_of_ztf():
    about = {"ramean": 150.0, "decmean": 2.0, "jdmin": MJD_ZERO_JD + 61000, "jdmax": MJD_ZERO_JD + 61090, "ncand": 9}
    answer = {"objectId": build.ZTF, "objectData": about, "candidates": []}
    expected = Lifetime(pytest.approx(61000 + HALF), pytest.approx(61090 + HALF), 9, None)
    assert _lasair.read_object(answer).lifetime == expected
    message = {"objects.objectId": build.ZTF, **{f"objects.{name}": value for name, value in about.items()}}
    assert _lasair.read(json.dumps(message).encode()).lifetime == expected


def test_lasair_states_the_diaobject_of_rubin():
    first, last = tai_from_utc([61000.0, 61090.0]).tolist()
    about = {"ra": 150.0, "decl": 2.0, "firstDiaSourceMjdTai": first, "lastDiaSourceMjdTai": last, "nDiaSources": 24}
    expected = Lifetime(pytest.approx(61000.0), pytest.approx(61090.0), 24, None)
    answer = {"diaObjectId": 170028526513684557, "diaObject": about, "diaSourcesList": []}
    assert _lasair.read_object(answer).lifetime == expected
    assert _lasair.read(json.dumps({"diaObjectId": 170028526513684557, **about}).encode()).lifetime == expected


@pytest.mark.real_data
def test_real_packets_state_the_life_of_their_objects(real_data):
    alert = read((real_data / "broker_samples" / "ztf" / "2695378462115010012.avro").read_bytes())
    assert (alert.lifetime.n_detections, alert.lifetime.n_images) == (857, 1126)
    assert alert.mjd - alert.lifetime.first_mjd > 2000


@pytest.mark.parametrize(
    ("lifetime", "kept", "reason"),
    [
        (Lifetime(61090.0, 61100.0, 5), Lifetime(61090.0, 61100.0, 5), None),
        (Lifetime(61100.005, 61100.0, 1), Lifetime(61100.005, 61100.0, 1), None),  # start and middle of one exposure
        (Lifetime(61099.0, 61090.0, 5), Lifetime(None, None, 5), Doubt.AFTER_LAST),
        (Lifetime(61100.5, None, 5), Lifetime(None, None, 5), Doubt.AFTER_ALERT),
        (Lifetime(70000.0, None, 5), Lifetime(None, None, 5), Doubt.FUTURE),
        (Lifetime(61090.0, 70000.0, 5), Lifetime(61090.0, None, 5), Doubt.FUTURE),
        (Lifetime(57000.0, 61100.0, 5), Lifetime(None, 61100.0, 5), Doubt.BEFORE_SURVEY),
        (Lifetime(12.0, None, 5), Lifetime(None, None, 5), Doubt.BEFORE_SURVEY),
        (Lifetime(61090.0, 61100.9, 5), Lifetime(61090.0, 61100.9, 5), None),  # another field of the night
    ],
)
def test_a_date_that_contradicts_is_not_believed_and_the_reason_is_given(lifetime, kept, reason):
    result, doubts = believed(lifetime, ZTF, MJD, NOW)
    assert result == kept
    assert list(doubts) == ([] if reason is None else [reason])


def test_a_clock_that_is_behind_makes_no_date_one_of_the_future():
    assert believed(Lifetime(61090.0, 61100.0), ZTF, MJD, 60000.0)[1] == {}


def test_a_survey_whose_begin_is_not_known_began_after_1990():
    assert believed(Lifetime(50000.0), ATLAS, MJD, NOW)[0].first_mjd == 50000.0
    assert believed(Lifetime(40000.0), ATLAS, MJD, NOW) == (Lifetime(), {Doubt.BEFORE_SURVEY: 40000.0})


NUMBER = st.one_of(st.none(), st.floats(0.001, 1e29), st.floats(58000, 61200))
COUNT = st.one_of(st.none(), st.integers(1, 2000))
LIFETIMES = st.builds(Lifetime, NUMBER, NUMBER, COUNT, COUNT)


@given(LIFETIMES, st.one_of(st.floats(58000, 62000), st.just(math.nan)), st.floats(58000, 62000))
def test_what_is_believed_contradicts_nothing_and_is_believed_again(lifetime, mjd, now):
    kept, _ = believed(lifetime, ZTF, mjd, now)
    latest = np.fmax(mjd, now) + 0.01
    for date in (kept.first_mjd, kept.last_mjd):
        assert date is None or ZTF.began <= date <= latest
    assert None in (kept.first_mjd, kept.last_mjd) or kept.first_mjd <= kept.last_mjd + 0.01
    assert (kept.n_detections, kept.n_images) == (lifetime.n_detections, lifetime.n_images)
    assert believed(kept, ZTF, mjd, now) == (kept, {})


@given(st.lists(LIFETIMES, max_size=4))
def test_merging_is_the_same_in_any_order_and_however_often(lifetimes):
    whole = merged(lifetimes)
    assert all(merged(order) == whole for order in permutations(lifetimes))
    assert merged([*lifetimes, *lifetimes, whole, None]) == whole
    assert merged([merged(lifetimes[:2]), merged(lifetimes[2:])]) == whole


@given(st.floats(-1e29, 1e29))
def test_any_date_can_be_written(mjd):
    assert day(mjd)
    assert day(61100.7) == "2026-03-01"
