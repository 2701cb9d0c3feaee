"""The chain on real packets and recorded answers, and on packets of ours that were damaged at random."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget

from broker_adapters.packets import read as read_packet
from broker_adapters.sources import files
from broker_adapters.sources.files import Packet
from tests.broker_adapters.samples import sn_2026asx
from tests.tom_alerce.alerts import counts
from tom_alerce.models import DeadLetter, Detection, SkyObject, SurveyObject
from tom_alerce.pipeline import ingest
from tom_alerce.store import sky, targets

pytestmark = pytest.mark.django_db
GOLDEN = sorted((Path(__file__).parents[1] / "data").rglob("*.avro"))


@pytest.mark.real_data
def test_every_real_packet_is_read_and_twice_is_once(real_data):
    folder = real_data / "dev" / "alerts"
    report = ingest.ingest(files.packets([folder]))
    assert report.read == {"ztf": 498, "atlas": 20, "lsst": 71}
    letters = DeadLetter.objects.all()
    assert len(letters) == report.refused == 10
    assert all(letter.source.startswith(str(folder / "lsst_elasticc")) and "ELAsTiCC" in letter.reason for letter in letters)
    before = counts()
    again = ingest.ingest(files.packets([folder]))
    assert counts() == before
    assert (again.saved.survey_objects, again.saved.sky_objects, again.saved.detections) == (0, 0, 0)
    ids = list(SkyObject.objects.values_list("pk", flat=True))
    loaded = sky.load(ids, stamps=True)
    assert sum(len(o.detections) for o in loaded) == Detection.objects.count()
    assert all(o.alerts for o in loaded)


@pytest.mark.real_data
def test_a_supernova_of_two_surveys_is_one_target_with_one_light_curve(real_data):
    ztf, lsst = sn_2026asx(real_data)
    ingest.ingest_alerts([ztf])
    target = targets.promote(SkyObject.objects.get())
    ingest.ingest_alerts([lsst])
    assert SurveyObject.objects.get(survey="lsst").separation == pytest.approx(0.19, abs=0.02)
    found = SkyObject.objects.get()
    assert (found.target, BaseTarget.objects.count()) == (target, 1)
    assert set(target.names) == {"ZTF26aacextk", "LSST 170028526513684557"}
    assert found.classifications.get().label == "SN"
    (curve,) = (o.detections for o in sky.load([found.pk]))
    assert len(curve) == len(ztf.detections) + len(lsst.detections)
    stored = PhotometryReducedDatum.objects.filter(target=target)
    assert stored.count() == len(curve)
    assert {"ZTF-g", "ZTF-r", "LSST-g", "LSST-r"} <= set(stored.values_list("bandpass", flat=True))
    ingest.ingest_alerts([lsst, ztf])
    assert stored.count() == len(curve)


@pytest.mark.real_data
def test_messages_of_a_lasair_topic(real_data):
    text = next((real_data / "dev" / "lasair_kafka").glob("*.json")).read_text()
    messages = json.loads(re.sub(r",\s*}", "}", text))  # the recorder left a comma at the end of each
    packets = [Packet("topic", str(i), json.dumps(message).encode()) for i, message in enumerate(messages)]
    report = ingest.ingest(packets)
    assert report.read["lsst"] == len(messages)
    before = counts()
    ingest.ingest(packets)
    assert counts() == before


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """A packet that was truncated, bit-flipped, overwritten, spliced, packed in itself or inflated."""
    kind, place = random.integers(6), int(random.integers(len(data)))
    if kind == 0:
        return data[:place]
    if kind == 1:
        flipped = np.frombuffer(data, np.uint8).copy()
        flipped[random.integers(len(data), size=random.integers(1, 20))] ^= np.uint8(1 << random.integers(8))
        return flipped.tobytes()
    if kind == 2:
        return data[:place] + random.bytes(16) + data[place + 16 :]
    if kind == 3:
        return data[:place] + data[random.integers(len(data)) :]
    if kind == 4:
        return gzip.compress(data)
    return data[:place] + b"\xff" * 9 + b"\x01" + data[place:]  # a length beyond all bounds, wherever it falls


def test_damaged_packets_cost_nothing_but_themselves():
    """A thousand, seeded; the good ones around them are all stored."""
    random = np.random.default_rng(20261123)
    good = [path.read_bytes() for path in GOLDEN]
    expected = {read_packet(data).key for data in good}
    packets = []
    for i in range(1000):
        packets.append(Packet("night", f"bad {i}", damaged(good[random.integers(len(good))], random)))
        if i % 50 == 0:
            packets += [Packet("night", f"good {i} {j}", data) for j, data in enumerate(good)]
    report = ingest.ingest(packets)
    assert expected <= set(SurveyObject.objects.values_list("survey", "object_id"))
    assert report.refused == DeadLetter.objects.count() > 300
    assert report.refused + sum(report.read.values()) == len(packets)
    assert all(DeadLetter.objects.values_list("reason", flat=True))


def test_a_damaged_folder_from_the_command_line(tmp_path):
    for i, path in enumerate(GOLDEN):
        (tmp_path / f"{i}.avro").write_bytes(path.read_bytes())
        (tmp_path / f"{i}.broken.avro").write_bytes(path.read_bytes()[:100])
    call_command("alerce_ingest", str(tmp_path), verbosity=0)
    assert DeadLetter.objects.count() == len(GOLDEN)
    assert SurveyObject.objects.exists()
