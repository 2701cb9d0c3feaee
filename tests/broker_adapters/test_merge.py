"""Merging is idempotent and order-free, keeps each measurement once, and never matches what moves by position."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import surveys
from broker_adapters.cutouts import images
from broker_adapters.merge import merge, union
from broker_adapters.records import BrokerLabel, Kind, frozen
from broker_adapters.sources.files import packets
from tests.broker_adapters import build


def night():
    """One source in three surveys (0.3 arcsec apart), another one of ZTF, and an asteroid that passes over the first."""
    north = 0.3 / 3600
    first = build.rows("ztf", 4, kinds=[0, 2, 1, 0])
    other = build.rows("ztf", 2, ra=150.01, seed=3)
    other["source_id"] = ["2695378462115019998", "2695378462115019999"]
    asteroid = build.rows("ztf", 1, seed=4)
    asteroid["source_id"] = "2695378462115010777"
    return [
        surveys.read(p)
        for p in (
            build.packet("ztf", first[:1]),
            build.packet("ztf", first),
            build.packet("lsst", build.rows("lsst", 4, dec=2.2 + north, kinds=[0, 1, 1, 0])),
            build.packet("atlas", build.rows("atlas", 1, dec=2.2 - north)),
            build.packet("ztf", other, object_id="ZTF26zzzzzzz"),
            build.packet("ztf", asteroid, object_id="ZTF26aaaaaaa", metadata={"ssdistnr": 0.1, "ssmagnr": 19.0, "ssnamenr": "1234"}),
        )
    ]


def as_data(merged):
    return [
        (o.members, o.ra, o.dec, o.position_err, o.detections.tobytes(), [(a.key, a.source_id, len(a.detections)) for a in o.alerts])
        for o in merged.objects
    ], merged.ambiguous


NIGHT = night()
WHOLE = as_data(merge(NIGHT))


def test_a_night():
    merged = merge(NIGHT)
    assert [o.members for o in merged.objects] == [
        (("atlas", build.ATLAS), ("lsst", build.LSST), ("ztf", build.ZTF)),
        (("ztf", "ZTF26aaaaaaa"),),
        (("ztf", "ZTF26zzzzzzz"),),
    ]
    assert merged.ambiguous == ()
    source = merged.objects[0]
    rows = source.detections
    assert {s: int((rows["survey"] == s).sum()) for s in ("ztf", "lsst", "atlas")} == {"ztf": 4, "lsst": 4, "atlas": 1}
    assert (np.diff(rows["mjd"]) >= 0).all()
    assert not rows.flags.writeable
    assert source.alerts[0].survey == "ztf"
    assert len(source.alerts) == 4
    assert (np.diff([a.mjd for a in source.alerts]) >= 0).all()
    assert all(images(a.cutouts).shape[0] == 3 for a in source.alerts)
    assert source.ra == pytest.approx(150.0, abs=1e-4)
    assert 0 < source.position_err < 0.1


@given(st.permutations(range(len(NIGHT))), st.lists(st.sampled_from(range(len(NIGHT))), max_size=4))
def test_order_and_repetition_do_not_matter(order, repeated):
    assert as_data(merge([NIGHT[k] for k in [*repeated, *order]])) == WHOLE


def test_merging_in_parts_gives_the_same_rows():
    halves = [o.detections for part in (NIGHT[::2], NIGHT[1::2]) for o in merge(part).objects]
    assert union(halves).tobytes() == union(a.detections for a in NIGHT).tobytes()


def test_one_measurement_through_two_brokers_is_one_row():
    packet = NIGHT[1]
    poorer = packet.detections.copy()
    poorer["ref_flux"], poorer["reliability"], poorer["position_err"] = np.nan, np.nan, np.nan
    relayed = replace(packet, detections=frozen(poorer), broker="alerce", metadata={}, cutouts=None)
    for alerts in ([packet, relayed], [relayed, packet]):
        (merged,) = merge(alerts).objects
        assert merged.detections.tobytes() == packet.detections.tobytes()


def test_a_broker_without_positions_is_placed_by_what_it_says():
    rows = build.rows("lsst", 2)
    rows["ra"] = rows["dec"] = rows["position_err"] = np.nan
    lite = replace(NIGHT[2], detections=frozen(rows), ra=200.0, dec=-10.0, position_err=0.1)
    (merged,) = merge([lite]).objects
    assert (merged.ra, merged.dec, merged.position_err) == pytest.approx((200.0, -10.0, 0.1))


def test_alerts_without_stamps_metadata_or_labels_are_only_rows():
    bare = replace(NIGHT[1], cutouts=None, metadata={})
    labelled = replace(bare, labels=(BrokerLabel("alerce", "stamp", "1", "SN", 0.9),), broker="alerce")
    assert merge([bare]).objects[0].alerts == ()
    assert len(merge([bare, labelled]).objects[0].alerts) == 1


def test_ambiguity_is_told_by_name():
    def at(survey, object_id, north, seed):
        rows = build.rows(survey, 1, dec=2.2 + north / 3600, seed=seed)
        rows["source_id"] = str(build.CANDID + seed)
        rows["ra"] = 150.0
        rows["dec"] = 2.2 + north / 3600
        return surveys.read(build.packet(survey, rows, object_id=object_id, stamps=None))

    merged = merge([at("ztf", "ZTF26aaaaaaa", -1, 1), at("ztf", "ZTF26aaaaaab", 1, 2), at("lsst", "5", 0, 3)])
    assert len(merged.objects) == 3
    assert [pair[:2] for pair in merged.ambiguous] == [(("lsst", "5"), ("ztf", "ZTF26aaaaaaa")), (("lsst", "5"), ("ztf", "ZTF26aaaaaab"))]
    assert [pair[2] for pair in merged.ambiguous] == pytest.approx([1.0, 1.0], rel=1e-3)


def test_nothing():
    assert merge([]).objects == ()


@pytest.mark.real_data
def test_real_alerts_of_one_object_are_one_light_curve(real_data):
    alerts = [surveys.read(p.data) for p in packets([real_data / "dev/alerts/ztf"])]
    merged = merge(alerts)
    assert sum(len(o.members) for o in merged.objects) == len({a.key for a in alerts})
    for source in merged.objects:
        ids = source.detections["source_id"].tolist()
        assert len(set(ids)) == len(ids)
        own = [a for a in alerts if a.key in source.members]
        assert set(ids) == {i for a in own for i in a.detections["source_id"].tolist()}
        if own[0].mjd > 60000.0:
            continue  # a broker's test set, in which alerts were given another time than their own histories say
        # what was measured once is told the same in every packet that has it, to the rounding of the histories
        seen = np.concatenate([a.detections for a in own])
        seen = seen[seen["kind"] == Kind.ALERT]
        for candid in set(seen["source_id"].tolist()):
            same = seen[seen["source_id"] == candid]
            assert np.ptp(same["mjd"]) < 1e-6
            assert np.ptp(same["flux"]) <= 1e-3 * np.abs(same["flux"]).max()
