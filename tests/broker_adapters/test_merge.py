"""Of many deliveries of a light curve each measurement is kept once, the most complete copy, in any order and grouping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters.merge import best_copies, improves, union
from broker_adapters.packets import read as read_packet
from broker_adapters.records import DETECTION, Kind, blank, frozen
from broker_adapters.sources.files import packets

NUMBERS = [name for name in DETECTION.names if DETECTION[name].kind == "f"]


@st.composite
def deliveries(draw):
    """Some light curves of few measurements with many copies, which differ in what they leave out and in their last digits."""
    rows = blank(draw(st.integers(1, 12)))
    rows["survey"] = draw(st.lists(st.sampled_from(["ztf", "lsst"]), min_size=len(rows), max_size=len(rows)))
    rows["source_id"] = draw(st.lists(st.sampled_from(["1", "2", "3"]), min_size=len(rows), max_size=len(rows)))
    rows["kind"] = draw(st.lists(st.sampled_from([Kind.ALERT, Kind.FORCED]), min_size=len(rows), max_size=len(rows)))
    for name in NUMBERS:
        rows[name] = draw(st.lists(st.sampled_from([np.nan, -1.5, 2.0, 2.25]), min_size=len(rows), max_size=len(rows)))
    rows["mjd"] = 60000.0 + rows["source_id"].astype(float)  # one exposure has one time
    cuts = sorted(draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    return np.split(rows, cuts)


@given(deliveries(), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(parts, random):
    whole = union(parts)
    shuffled = [part[::-1] for part in parts] * 2
    random.shuffle(shuffled)
    assert union(shuffled).tobytes() == whole.tobytes()


@given(deliveries())
def test_merging_in_parts_gives_the_same(parts):
    assert union([union(parts[:1]), union(parts)]).tobytes() == union(parts).tobytes()


@given(deliveries())
def test_the_result_is_unique_in_time_order_and_read_only(parts):
    rows = union(parts)
    keys = list(zip(rows["survey"].tolist(), rows["source_id"].tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    assert set(keys) == {key for part in parts for key in zip(part["survey"].tolist(), part["source_id"].tolist(), strict=True)}
    assert (np.diff(rows["mjd"]) >= 0).all()
    assert not rows.flags.writeable


@given(deliveries())
def test_no_copy_improves_on_the_one_that_is_kept(parts):
    every = np.concatenate(parts)
    kept = every[best_copies(every)]
    place = {(row["survey"], row["source_id"]): row for row in kept}
    best = np.array([place[row["survey"], row["source_id"]] for row in every], DETECTION)
    assert not improves(every, best).any()
    assert frozen(kept).tobytes() == union(parts).tobytes()


@given(deliveries())
def test_replacing_one_copy_after_the_other_ends_with_the_same(parts):
    every = np.concatenate(parts)
    kept = {}
    for row in every[:, None]:
        key = (row["survey"][0], row["source_id"][0])
        if key not in kept or improves(row, kept[key])[0]:
            kept[key] = row
    assert frozen(np.concatenate(list(kept.values()))).tobytes() == union(parts).tobytes()


def test_a_copy_with_fewer_missing_numbers_wins():
    full, poor = blank(1), blank(1)
    for rows in (full, poor):
        rows["survey"], rows["source_id"], rows["mjd"], rows["flux"], rows["flux_err"] = "ztf", "1", 60000.0, 100.0, 5.0
    full["ref_flux"] = 900.0
    poor["flux"] = 1.0
    for parts in ([full, poor], [poor, full]):
        assert union(parts).tobytes() == full.tobytes()
    assert improves(full, poor).all()
    assert not improves(poor, full).any()
    assert not improves(full, full).any()


@pytest.mark.real_data
def test_real_alerts_of_one_object_are_one_light_curve(real_data):
    alerts = [read_packet(p.data) for p in packets([real_data / "dev/alerts/ztf"])]
    for key in {a.key for a in alerts}:
        own = [a for a in alerts if a.key == key]
        rows = union(a.detections for a in own)
        ids = rows["source_id"].tolist()
        assert len(set(ids)) == len(ids)
        assert set(ids) == {i for a in own for i in a.detections["source_id"].tolist()}
        if own[0].mjd > 60000.0:
            continue  # a broker's test set, in which alerts were given another time than their own histories say
        # every packet reports a measurement alike, to the rounding of the histories
        seen = np.concatenate([a.detections for a in own])
        seen = seen[seen["kind"] == Kind.ALERT]
        for candid in set(seen["source_id"].tolist()):
            same = seen[seen["source_id"] == candid]
            assert np.ptp(same["mjd"]) < 1e-6
            assert np.ptp(same["flux"]) <= 1e-3 * np.abs(same["flux"]).max()
