"""Rows of a history are judged one by one (rows 2, 13, 28), and the object and its time by what the survey says (rows 3, 5, 14)."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import packets, times
from broker_adapters.brokers._alerce import read_lsst, read_ztf
from broker_adapters.brokers._lasair import read_object
from broker_adapters.errors import PacketError
from broker_adapters.surveys import lsst, ztf
from tests.broker_adapters import build
from tests.field import DATA

DIA = "170028526513684557"


def read(name):
    return packets.read((DATA / name).read_bytes())


def answer(name):
    return json.loads((DATA / name).read_text())


@pytest.mark.parametrize(
    ("name", "kept", "dropped"),
    [
        ("22-ztf-prv-isdiffpos-null.avro", 5, {"no flux": 1}),
        ("24-ztf-prv-jd-sentinel.avro", 5, {"no time": 1}),
        ("25-ztf-fp-hist-jd-nan.avro", 5, {"no time": 1}),
        ("26-lsst-forced-mjd-nan.avro", 5, {"no time": 1}),
        ("20-ztf-fp-hists-null-item.avro", 4, {"no record": 1}),
    ],
)
def test_row_02_a_bad_row_of_a_history_costs_nothing_but_itself(name, kept, dropped):
    alert = read(name)
    assert (len(alert.detections), dict(alert.dropped)) == (kept, dropped)
    assert alert.source_id in alert.detections["source_id"]


def test_row_02_a_bad_row_of_a_brokers_answer_costs_nothing_but_itself():
    given_ = answer("28c-alerce-ztf-detection-isdiffpos-null.json")
    alert = read_ztf(given_["about"], given_["detections"])
    assert (alert.detections["source_id"].tolist(), alert.dropped) == (["2695378462115010012"], {"no flux": 1})
    alert = read_object(answer("28d-lasair-lsst-source-time-null.json"))
    assert (alert.detections["source_id"].tolist(), alert.dropped) == ([DIA], {"no time": 1})


def test_row_02_the_measurement_that_raised_the_alert_must_be_sound():
    table = build.rows("ztf", 3)
    sound = packets.read(build.packet("ztf", table))
    for field, value, reason in (
        ("isdiffpos", "maybe", "no flux"),
        ("magpsf", -999.0, "no flux"),
        ("fid", 9, "an unknown filter: 9"),
        ("jd", -999.0, "no time: -999"),
        ("jd", times.jd_from_mjd(times.now() + 400), "an impossible time"),
        ("ra", 400.0, "an impossible position: 400"),
    ):
        with pytest.raises(PacketError, match=f"the measurement that raised the alert has {reason}"):
            packets.read(build.packet("ztf", table, metadata={field: value}))
    assert sound.dropped == {}


def test_row_03_a_detection_in_the_future_is_left_out_and_is_not_the_latest():
    given_ = answer("32-alerce-detection-in-the-future.json")
    alert = read_ztf(given_["about"], given_["detections"])
    assert alert.mjd == alert.detections["mjd"].max() == pytest.approx(61100.3 + 15 / 86400)
    assert alert.dropped == {"impossible time": 1}
    with pytest.raises(PacketError, match="no time of one"):
        read_ztf(given_["about"])  # a list says 83000 alone
    source = {"diaSourceId": 7, "midpointMjdTai": 61100.0, "band": "r", "psfFlux": 5e4, "psfFluxErr": 1e3, "ra": 150.0, "decl": 2.2}
    later = source | {"diaSourceId": 8, "midpointMjdTai": 83000.0}
    whole = {
        "diaObjectId": int(DIA),
        "diaObject": {"ra": 150.0, "decl": 2.2, "lastDiaSourceMjdTai": 83000.0},
        "diaSourcesList": [source, later],
    }
    assert read_object(whole).mjd == pytest.approx(61100.0, abs=0.001)


def test_row_05_an_alert_with_both_ids_is_of_the_dia_object_and_flagged():
    alert = read("02-lsst-v11-both-ids.avro")
    assert (alert.object_id, alert.moving) == (DIA, True)
    assert alert.metadata["ssObjectId"] == 21163611012345678
    assert not read("13a-lsst-source-before.avro").moving


@pytest.mark.parametrize(
    ("source", "dia_object", "ss_source", "expected"),
    [
        ({"diaObjectId": 5}, None, None, ("5", False)),  # its diaObject is left out, which says nothing
        ({"diaObjectId": 5, "ssObjectId": 0}, {"diaObjectId": 5}, None, ("5", False)),
        ({"diaObjectId": 0, "ssObjectId": 9}, None, None, ("9", True)),
        ({"diaObjectId": None, "ssObjectId": 9}, None, {"ssObjectId": 9}, ("9", True)),
        ({"ssObjectId": None}, None, {"ssObjectId": 9}, ("9", True)),
        ({"diaObjectId": 5, "ssObjectId": 9}, {"diaObjectId": 5}, None, ("5", True)),
        ({"diaObjectId": 5, "ssObjectId": -1}, {"diaObjectId": 5}, None, ("5", False)),
        ({"diaObjectId": 5}, None, {"ssObjectId": 9}, ("5", True)),
    ],
)
def test_row_05_the_ids_say_what_moves(source, dia_object, ss_source, expected):
    assert lsst.identity(source, dia_object, ss_source) == expected


def test_row_05_without_an_id_there_is_no_object():
    with pytest.raises(PacketError):
        lsst.identity({"diaObjectId": 0, "ssObjectId": None})


def test_row_05_the_rows_of_brokers_say_it_too():
    row = {"diaSourceId": 7, "midpointMjdTai": 61100.0, "band": "r", "psfFlux": 5e4, "psfFluxErr": 1e3, "ra": 150.0, "decl": 2.2}
    about = {"oid": 5, "sid": 1, "meanra": 150.0, "meandec": 2.2, "lastmjd": 61100.0}
    for solar, moving in ((None, False), (0, False), (-1, False), (21163611012345678, True)):
        lasair = {"diaObjectId": 5, "diaObject": {"ra": 150.0, "decl": 2.2}, "diaSourcesList": [row | {"ssObjectId": solar}]}
        assert read_object(lasair).moving is moving
        alerce = {"measurement_id": 7, "mjd": 61100.0, "band": 2, "psfFlux": 5e4, "psfFluxErr": 1e3, "ssObjectId": solar}
        assert read_lsst(about, [alerce]).moving is moving


def test_row_13_a_source_is_withdrawn_only_if_a_time_says_so():
    assert len(read("12-lsst-withdrawn-nan.avro").detections) == 6
    for value, is_so in ((None, False), (math.nan, False), (0.0, False), (-999.0, False), ("", False), (61110.0, True)):
        assert lsst.withdrawn({"timeWithdrawnMjdTai": value}) is is_so


def test_row_14_a_source_that_is_withdrawn_is_named_through_every_road():
    alert = read("13b-lsst-source-withdrawn-later.avro")
    assert alert.withdrawn == (DIA,)
    assert DIA not in alert.detections["source_id"]
    row = {"midpointMjdTai": 61100.0, "band": "r", "psfFlux": 5e4, "psfFluxErr": 1e3, "timeWithdrawnMjdTai": 61110.0}
    named = (DIA, f"{DIA}r6110000000")
    lasair = {
        "diaObjectId": int(DIA),
        "diaObject": {"ra": 150.0, "decl": 2.2, "lastDiaSourceMjdTai": 61101.0},
        "diaSourcesList": [row | {"diaSourceId": int(DIA)}],
        "diaForcedSourcesList": [row],
    }
    assert read_object(lasair).withdrawn == named
    about = {"oid": int(DIA), "meanra": 150.0, "meandec": 2.2, "lastmjd": 61101.0}
    alerce = {"mjd": 61100.0, "band": 2, "psfFlux": 5e4, "psfFluxErr": 1e3, "timeWithdrawnMjdTai": 61110.0}
    alert = read_lsst(about, [alerce | {"measurement_id": int(DIA)}], [alerce])
    assert (alert.withdrawn, len(alert.detections)) == (named, 0)


def test_row_28_a_source_without_a_flux_is_not_measured_in_any_road():
    alert = read("03-lsst-nan-psfflux.avro")
    assert (alert.source_id, alert.detections["source_id"].tolist(), alert.dropped) == ("170028526513684585", [DIA], {"no flux": 3})
    row = {"diaSourceId": 7, "midpointMjdTai": 61100.0, "band": "r", "psfFlux": None, "psfFluxErr": 1e3, "ra": 150.0, "decl": 2.2}
    lasair = {"diaObjectId": 5, "diaObject": {"ra": 150.0, "decl": 2.2}, "diaSourcesList": [row]}
    assert len(read_object(lasair).detections) == 0
    about = {"oid": 5, "meanra": 150.0, "meandec": 2.2, "lastmjd": 61100.0}
    assert len(read_lsst(about, [{"measurement_id": 7, "mjd": 61100.0, "band": 2, "psfFlux": 0.0, "psfFluxErr": 0.0}]).detections) == 0


@pytest.mark.parametrize("sigma", [math.nan, 0.0, -999.0])
def test_poison_the_error_of_a_position_is_finite_whatever_the_error_of_a_magnitude(sigma):
    alert = packets.read(build.packet("ztf", build.rows("ztf", 1), metadata={"sigmapsf": sigma}))
    assert 0.0 < alert.position_err < 1.0
    assert np.isfinite(alert.detections["position_err"]).all()
    alert = packets.read(build.packet("atlas", build.rows("atlas", 1), metadata={"Dmag": sigma}))
    assert 0.0 < alert.position_err < 3.0


#: What may stand in a field of a row that is not sound: nothing, another type, what no float holds, what nobody measures.
DAMAGED = st.sampled_from([None, "x", "", [], {}, 10**400, -(10**400), math.nan, math.inf, -math.inf, -999.0, 1e31, True, b"x", [[[]]]])
SEEN = {
    "candid": 1,
    "jd": 2461100.5,
    "fid": 1,
    "magpsf": 19.0,
    "sigmapsf": 0.1,
    "isdiffpos": "t",
    "ra": 150.0,
    "dec": 2.2,
    "diffmaglim": 20.0,
}


@given(st.lists(st.dictionaries(st.sampled_from(sorted(SEEN)), DAMAGED, min_size=1) | DAMAGED, max_size=6), st.data())
def test_the_sound_rows_of_a_history_are_kept_whatever_stands_between_them(bad, data):
    """In a broker's answer, where JSON may bring anything; the places of the bad rows are any."""
    about = {"objectId": "ZTF26abcdefg", "objectData": {"ramean": 150.0, "decmean": 2.2, "jdmax": 2461100.5}}
    sound = [SEEN | {"candid": 100 + i, "jd": 2461000.5 + i} for i in range(4)]
    rows = list(sound)
    for one in bad:
        damaged = {**SEEN, **one} if isinstance(one, dict) else one
        rows.insert(data.draw(st.integers(0, len(rows))), damaged)
    alert = read_object(about | {"candidates": rows})
    assert {str(row["candid"]) for row in sound} <= set(alert.detections["source_id"].tolist())
    assert np.isfinite(alert.detections["mjd"]).all()
    assert np.isfinite([alert.ra, alert.dec, alert.position_err, alert.mjd]).all()
    assert len(alert.detections) + sum(alert.dropped.values()) >= len(sound)


@given(st.lists(DAMAGED, max_size=5))
def test_columns_of_anything_are_rows_of_that_number(values):
    n = len(values)
    rows = ztf.detections(candid=values, mjd=values, fid=values, magpsf=values, sigmapsf=values, isdiffpos=values, ra=values, dec=values)
    assert len(rows) == n
    assert len(ztf.limits("ZTF26abcdefg", mjd=values, fid=values, diffmaglim=values)) <= n
    assert (
        len(lsst.dia_sources([{"diaSourceId": v, "midpointMjdTai": v, "band": v, "psfFlux": v, "ra": v, "raErr": v} for v in values])) == n
    )
