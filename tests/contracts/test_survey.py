"""What every survey's module must do: ours, as they are found, and a third party's under a dotted name.

A new survey is tested by its file and a golden packet of it in ``tests/data/<name>`` (see `tests.contracts.golden`).
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from broker_adapters import packets, plugins, surveys
from broker_adapters.cutouts import images
from broker_adapters.errors import PacketError
from broker_adapters.records import OBJECT_ID_WIDTH, SOURCE_ID_WIDTH, STAMPS, Kind, Survey
from tests.contracts import golden

PACKAGE = "broker_adapters.surveys"
THEIRS = "tests.contracts.third_party.winter"
NAMES = (*plugins.names(PACKAGE), THEIRS)


@pytest.fixture(autouse=True)
def _in_use():
    before = plugins.every(PACKAGE)
    plugins.use(PACKAGE, [THEIRS])
    yield
    plugins.use(PACKAGE, before)


def module(name) -> plugins.SurveyModule:
    return plugins.load(PACKAGE, name)


@pytest.mark.parametrize("name", NAMES)
def test_its_record_has_its_file_name_and_it_has_a_golden_packet(name):
    survey = module(name).SURVEY
    assert isinstance(survey, Survey)
    assert survey.name == name.rpartition(".")[2]
    assert surveys.about(survey.name) is survey
    assert survey in surveys.known()
    assert survey.bands
    assert (module(name).__doc__ or "").strip()
    assert golden.inputs(name), f"put a packet of {name} and what is in it into {golden.folder(name)}"


@pytest.mark.parametrize("name", NAMES)
def test_its_pages_take_an_object_id(name):
    for title, address in module(name).SURVEY.pages:
        assert title
        assert "id-of-it" in address.format("id-of-it")
        assert address.startswith("https://")


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_golden_units_signs_bands_ids_and_times(name, path):
    golden.matches(module(name).read(path.read_bytes()), golden.expectation(path))


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_the_one_reader_reads_it_as_its_module_does(name, path):
    golden.matches(packets.read(path.read_bytes()), golden.expectation(path))


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_it_alone_recognises_its_packets(name, path):
    every = [(PACKAGE, other) for other in NAMES] + [("broker_adapters.brokers", b) for b in plugins.names("broker_adapters.brokers")]
    readers = {other: plugins.load(package, other) for package, other in every}
    said = [other for other, reader in readers.items() if hasattr(reader, "recognises") and reader.recognises(path.read_bytes())]
    assert said == [name]


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_an_alert_keeps_the_conventions(name, path):
    survey, alert = module(name).SURVEY, module(name).read(path.read_bytes())
    rows = alert.detections
    assert alert.survey == alert.broker == survey.name
    assert set(rows["survey"].tolist()) == {survey.name}
    assert set(rows["band"].tolist()) <= {band.name for band in survey.bands}
    assert survey.object_id_of(f"{survey.label} {alert.object_id}") == alert.object_id
    assert survey.object_id_of(alert.object_id) == (alert.object_id if survey.bare else None)
    assert len(alert.object_id) <= OBJECT_ID_WIDTH
    assert max(map(len, rows["source_id"].tolist())) <= SOURCE_ID_WIDTH
    triggering = rows[rows["source_id"] == alert.source_id]
    assert triggering["mjd"].tolist() == [alert.mjd]
    assert triggering["kind"].tolist() == [Kind.ALERT]
    assert 0 <= alert.ra < 360
    assert -90 <= alert.dec <= 90
    assert 0 < alert.position_err < survey.radius


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_its_rows_keep_the_conventions(name, path):
    rows = module(name).read(path.read_bytes()).detections
    assert not rows.flags.writeable
    assert (np.diff(rows["mjd"]) >= 0).all()
    assert len(set(rows["source_id"].tolist())) == len(rows)
    assert np.isfinite(rows["flux_err"]).all()
    assert (rows["flux_err"] > 0).all()
    assert (np.isnan(rows["flux"]) == (rows["kind"] == Kind.LIMIT)).all()
    scores = rows["reliability"][np.isfinite(rows["reliability"])]
    assert ((scores >= 0) & (scores <= 1)).all()
    assert not np.isin(np.nan_to_num(rows["flux"]), (-999.0, -99999.0)).any()


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_its_metadata_is_json_and_read_only_and_it_has_the_stamps_that_it_names(name, path):
    alert = module(name).read(path.read_bytes())
    json.dumps(dict(alert.metadata), allow_nan=False)
    with pytest.raises(TypeError):
        alert.metadata["x"] = 1
    sent = {kind for kind in STAMPS if alert.cutouts is not None and getattr(alert.cutouts, kind)}
    assert not sent or sent >= set(module(name).SURVEY.stamps)
    image = images(alert.cutouts)
    assert image is None or image.shape[0] == 3


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_without_history_only_the_triggering_measurement_is_left(name, path):
    whole, bare = (module(name).read(path.read_bytes(), history=h) for h in (True, False))
    assert bare.detections.tobytes() == whole.detections[whole.detections["source_id"] == whole.source_id].tobytes()
    same = replace(whole, detections=bare.detections, ra=bare.ra, dec=bare.dec, position_err=bare.position_err)
    for field in ("survey", "object_id", "source_id", "mjd", "cutouts", "moving", "broker", "labels", "names"):
        assert getattr(same, field) == getattr(bare, field)
    assert dict(whole.metadata) == dict(bare.metadata)


@pytest.mark.parametrize(("name", "path"), golden.cases(NAMES))
def test_damaged_bytes_are_a_packet_error(name, path):
    packet = path.read_bytes()
    for size in np.linspace(1, len(packet) - 3, 25).astype(int).tolist():
        with pytest.raises(PacketError):
            packets.read(packet[:size])


@pytest.mark.parametrize("junk", [b"", b"\x00", b"Obj\x01", b"Obj\x02", b"{}", b"\xff" * 100])
def test_what_is_no_packet_is_a_packet_error(junk):
    with pytest.raises(PacketError, match=r"."):
        packets.read(junk)
