"""What observatories say of events, and what of it is refused: facts of single notices, and the real ones where they are at hand."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
from contextlib import suppress

import fastavro
import numpy as np
import pytest
from astropy.time import Time

from broker_adapters import notice, skymap
from broker_adapters.errors import PacketError
from broker_adapters.notice import Cone, Messenger, Role
from classifiers.simulate import skymaps
from tests.broker_adapters.test_damage import damaged
from tests.contracts.notices import MESSAGES, SMALL, unified, voevent


def test_versions_of_one_event_have_one_name_in_json_and_voevent():
    assert {notice.read(data).event for data in MESSAGES["fermi_gbm"]} == {notice.read(MESSAGES["voevent"][0]).event}


def test_a_time_has_any_number_of_digits():
    first = notice.read(unified("km3net/alert", event_name="A", trigger_time="2026-03-01T11:58:40.43"))
    second = notice.read(unified("km3net/alert", event_name="A", trigger_time="2026-03-01T11:58:40.430000Z"))
    assert first.mjd == second.mjd == pytest.approx(Time("2026-03-01T11:58:40.43").mjd, abs=1e-9)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ra": None}, "no position"),
        ({"ra": 400}, "no position of the sky"),
        ({"ra_dec_error": -0.1}, "without a usable error"),
        ({"ra_dec_error": None}, "without a usable error"),
        ({"ra_dec_error": [1, 2]}, "without a usable error"),
        ({"ra_dec_error": 180}, "without a usable error"),
        ({"containment_probability": 1}, "containment"),
        ({"trigger_time": "yesterday"}, "no time of the event"),
        ({"trigger_time": "2176-01-01T00:00:00Z"}, "impossible time"),
        ({"id": None}, "not an identifier"),
        ({"healpix_file": "hhhh..."}, "no base64"),
        ({"healpix_file": "aGFsbG8="}, "does not begin with a header"),
    ],
)
def test_what_cannot_be_placed_is_refused_with_its_reason(fields, reason):
    with pytest.raises(PacketError, match=reason):
        notice.read(unified("swift/bat/guano", **{"id": ["1"], **fields}))


def test_a_retraction_needs_no_place_and_a_mock_is_none():
    back = notice.read(MESSAGES["lvk"][2])
    assert (back.retracted, back.place, back.role) == (True, None, Role.OBSERVATION)
    assert notice.read(MESSAGES["lvk"][1]).role is Role.MOCK
    assert notice.read(MESSAGES["svom"][0]).role is Role.TEST
    assert notice.read(voevent("SWIFT#XRT_Pos_1-1", role="test", TrigID=1)).role is Role.TEST


def test_gbm_leaves_its_systematic_error_out_on_the_ground_alone():
    ground, flight = (notice.read(data).place for data in MESSAGES["fermi_gbm"])
    assert ground.systematic == ((0.579, 1.86), (0.421, 4.14))
    assert flight.systematic == ()
    assert notice.read(MESSAGES["voevent"][0]).place.systematic == ((0.804, 3.72), (0.196, 13.7))


def test_sources_of_one_observation_of_einstein_probe_are_several_events():
    names = [notice.read(unified("einstein_probe/wxt/alert", ra=ra)).event for ra in (120.0, 124.0)]
    assert len(set(names)) == 2


def test_hopskotch_sends_avro_with_the_map_as_bytes():
    text = {"name": "superevent_id", "type": "string"}, {"name": "alert_type", "type": "string"}, {"name": "time_created", "type": "string"}
    event = {
        "name": "event",
        "type": {"type": "record", "name": "e", "fields": [{"name": "time", "type": "string"}, {"name": "skymap", "type": "bytes"}]},
    }
    schema = {"type": "record", "name": "alert", "fields": [*text, event]}
    row = {
        "superevent_id": "S260301ab",
        "alert_type": "INITIAL",
        "time_created": "2026-03-01T12:00:00Z",
        "event": {"time": "2026-03-01T11:57:00Z", "skymap": skymaps.to_fits(SMALL)},
    }
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema, [row])
    one = notice.read(buffer.getvalue())
    assert (one.event, one.stage, one.messenger) == ("S260301ab", "initial", Messenger.WAVES)
    assert len(one.place) == len(SMALL)


def test_entities_are_hostile():
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><VOEvent>&b;</VOEvent>'
    with pytest.raises(PacketError, match="entities"):
        notice.read(bomb)


def test_what_gcn_says_of_topics_is_no_notice():
    assert notice.about_topics(b"Broker: Unknown topic or partition")
    assert not any(notice.about_topics(data) for name in MESSAGES for data in MESSAGES[name])


def test_a_map_comes_back_as_it_was():
    made = skymaps.gaussian(10.0, -60.0, 5.0, (200.0, 50.0), last=6)
    for data in (skymaps.to_fits(made), gzip.compress(skymaps.to_fits(made))):
        again = skymap.read(data)
        for name in ("order", "cell", "density", "mu", "sigma", "norm"):
            np.testing.assert_allclose(getattr(again, name), getattr(made, name))
        assert not again.density.flags.writeable


def test_a_flat_map_becomes_one_of_many_orders():
    healpy = pytest.importorskip("astropy_healpix.healpy")
    from astropy.io import fits

    order, at = 6, np.arange(12 * 4**6)
    lon, lat = healpy.pix2ang(2**order, at, lonlat=True)
    x = np.cos(np.radians(lat)) * np.cos(np.radians(lon))
    probability = np.exp(200.0 * (x - 1.0))
    column = fits.Column(name="PROB", format="1024E", array=(probability / probability.sum()).reshape(-1, 1024))
    hdu = fits.BinTableHDU.from_columns([column])
    hdu.header["ORDERING"] = "RING"
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    read = skymap.read(gzip.compress(buffer.getvalue()))
    assert len(read) < len(at) / 4
    assert (read.density * read.area).sum() == pytest.approx(1.0)
    assert read.area.sum() == pytest.approx(4.0 * np.pi)
    best = read.cell[read.density.argmax()], read.order[read.density.argmax()]
    lon, lat = healpy.pix2ang(2 ** int(best[1]), int(best[0]), nest=True, lonlat=True)
    assert math.hypot((lon + 180.0) % 360.0 - 180.0, lat) < 1.5


@pytest.mark.parametrize("bomb", [b"\0" * (200 << 20), b"SIMPLE  =" + b" " * (200 << 20)])
def test_a_bomb_is_refused_before_it_is_unpacked(bomb):
    with pytest.raises(PacketError, match="unpacks to more"):
        skymap.read(gzip.compress(bomb, 1))


def test_a_header_that_claims_too_much_is_refused():
    data = skymaps.to_fits(SMALL)
    for size in (b"9" * 12, b"99999999", b"-1"):
        head, tail = data.split(b"NAXIS2  = ", 1)
        with pytest.raises(PacketError):
            skymap.read(head + b"NAXIS2  = " + size.rjust(20) + tail[20:])


def test_damaged_maps_are_maps_or_refused():
    data, chance, maps = skymaps.to_fits(SMALL), random.Random(3), 0
    for _ in range(1000):
        try:
            made = skymap.read(damaged(data, chance))
        except PacketError:
            continue
        maps += 1
        assert (made.density * made.area).sum() == pytest.approx(1.0)
        assert (np.diff(made.cell << 2 * (skymap.FINEST - made.order)) > 0).all()
    assert maps > 50


def samples(real_data):
    return sorted(path for folder in ("gcn", "gcn_schema_examples") for path in (real_data / "context_samples" / folder).iterdir())


REFUSED = {"boom", "core", "GRB220617A", "GW190425", "fermi__lat", "gcn__circulars", "Guano.example", "loc_map", "trigger.alert"}


@pytest.mark.real_data
def test_every_real_notice_is_read_or_refused_with_its_reason(real_data):
    files = [path for path in samples(real_data) if path.name != "README"]
    found, refused = {}, {}
    for path in files:
        try:
            found[path.name] = notice.read(path.read_bytes())
        except PacketError as error:
            refused[path.name] = str(error)
    assert all(any(part in name for part in REFUSED) for name in refused), refused
    assert len(found) == len(files) - len(refused) == 24
    assert "no position" in refused["fermi__gbm__trigger.alert.example.json"]
    waves = found["igwn_gwalert_preliminary.json"]
    assert (waves.event, waves.role, waves.place.has_distances, len(waves.place)) == ("MS260605l", Role.MOCK, True, 19200)
    assert found["igwn_gwalert_retraction.json"].retracted
    assert found["EP240508.json"].place == Cone(229.837999999, -29.746999999, 0.05089517, 0.05089517)


@pytest.mark.real_data
def test_mutations_of_every_real_notice(real_data):
    chance = random.Random(11)
    for path in samples(real_data):
        data = path.read_bytes()
        for _ in range(1000):
            with suppress(PacketError):
                notice.read(damaged(data, chance))


def test_json_of_another_encoding_is_read_or_refused():
    text = MESSAGES["km3net"][0].decode()
    for encoding in ("utf-16", "utf-32", "latin-1"):
        with suppress(PacketError):
            notice.read(json.dumps(json.loads(text)).encode(encoding))
