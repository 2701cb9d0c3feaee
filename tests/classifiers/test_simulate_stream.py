"""Copies of packets are packets of other objects, elsewhere and now, in the same schema."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from broker_adapters.crossmatch import separation, unit_vectors
from broker_adapters.packets import read
from classifiers.simulate import stream

DATA = Path(__file__).parents[1] / "data"
GOLDEN = {"ztf": DATA / "ztf/4.02/history.avro", "lsst": DATA / "lsst/11.1/wire.avro"}
NOW = 61200.25


@pytest.fixture(params=stream.SURVEYS)
def packet(request):
    return request.param, GOLDEN[request.param].read_bytes()


def test_a_copy_differs_in_name_place_and_time_alone(packet):
    survey, data = packet
    before, after = read(data), read(stream.copy(stream.original(survey, data), 123_456, NOW))
    assert after.mjd == pytest.approx(NOW, abs=1e-3)
    assert after.object_id != before.object_id
    assert len(after.detections) == len(before.detections)
    later = after.mjd - before.mjd
    np.testing.assert_allclose(after.detections["mjd"], before.detections["mjd"] + later, atol=1e-6)
    for name in ("survey", "kind", "band", "flux", "flux_err", "ref_flux"):
        np.testing.assert_array_equal(after.detections[name], before.detections[name])
    assert not set(after.detections["source_id"]) & set(before.detections["source_id"])
    assert after.cutouts.science == before.cutouts.science
    assert not after.dropped


def test_objects_come_again_with_another_alert_and_the_same_history(packet):
    survey, data = packet
    clock = iter([NOW, NOW + 0.1, NOW + 1.0, NOW + 1.1])
    alerts = [read(p) for p in islice(stream.packets([stream.original(survey, data)], lambda: next(clock), first=7, objects=2), 4)]
    assert [a.object_id for a in alerts[:2]] == [a.object_id for a in alerts[2:]]
    assert len({a.source_id for a in alerts}) == 4
    assert alerts[0].ra == pytest.approx(alerts[2].ra)
    assert alerts[2].mjd == pytest.approx(NOW + 1.0, abs=1e-3)
    history = [set(zip(a.detections["source_id"].tolist(), a.detections["mjd"].tolist(), strict=True)) for a in alerts[::2]]
    assert [len(rows - other) for rows, other in (history, history[::-1])] == [1, 1], "only the alert itself is new"


def test_objects_are_far_from_each_other(packet):
    survey, data = packet
    one = stream.original(survey, data)
    alerts = [read(stream.copy(one, i, NOW)) for i in range(300)]
    places = unit_vectors(np.array([a.ra for a in alerts]), np.array([a.dec for a in alerts]))
    apart = separation(places[:, None], places[None])
    assert apart[~np.eye(300, dtype=bool)].min() > 60.0
    assert len({a.object_id for a in alerts}) == 300


def test_originals_are_simulated_packets_of_one_survey():
    known = stream.originals("lsst", 1, NOW, sources=2)
    assert known
    assert {one.survey for one in known} == {"lsst"}
    assert read(stream.copy(known[0], 1, NOW)).survey == "lsst"
