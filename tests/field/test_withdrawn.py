"""A source that Rubin withdraws later leaves the light curve, in any order and by any road (row 14); first stamps of ALeRCE (row 19)."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters.brokers.alerce import Client
from broker_adapters.packets import read
from broker_adapters.records import Query
from broker_adapters.sources.archives import Packet
from tests.broker_adapters import build
from tests.field import DATA
from tests.tom_alerce.alerts import alert, counts
from tom_alerce.models import Detection, SkyObject, Stamps, SurveyObject
from tom_alerce.pipeline import ingest
from tom_alerce.store import targets

pytestmark = pytest.mark.django_db
DIA = "170028526513684557"
BEFORE, AFTER = ("13a-lsst-source-before.avro", "13b-lsst-source-withdrawn-later.avro")


def packet(name):
    return Packet("topic", name, (DATA / name).read_bytes())


@pytest.mark.parametrize("order", [(BEFORE, AFTER), (AFTER, BEFORE), (BEFORE, AFTER, BEFORE), (AFTER, BEFORE, AFTER)])
@pytest.mark.parametrize("at_once", [True, False])
def test_row_14_it_leaves_the_light_curve_in_any_order_and_batches(order, at_once):
    batches = [order] if at_once else [(name,) for name in order]
    for batch in batches:
        ingest.ingest(map(packet, batch))
    assert not Detection.objects.filter(source_id=DIA).exists()
    assert SurveyObject.objects.get().n_detections == 3
    before = counts()
    ingest.ingest(map(packet, order))
    assert counts() == before


def test_row_14_it_leaves_the_evidence_and_the_photometry_of_the_target():
    ingest.ingest([packet(BEFORE)])
    sky = SkyObject.objects.get()
    target = targets.promote(sky)
    assert PhotometryReducedDatum.objects.filter(target_id=target.pk, value__source_id=DIA).exists()
    evidence = SkyObject.objects.get().evidence
    ingest.ingest([packet(AFTER)])
    assert SkyObject.objects.get().evidence != evidence
    assert not PhotometryReducedDatum.objects.filter(target_id=target.pk, value__source_id=DIA).exists()
    assert PhotometryReducedDatum.objects.filter(target_id=target.pk).count() == 5


def test_row_14_the_same_through_any_two_brokers():
    """What one broker still sends does not come back, once another has said that it is withdrawn."""
    old = alert("lsst", DIA, n=3)
    gone = replace(alert("lsst", DIA, n=1, first=9), withdrawn=(f"{DIA}-1",), broker="lasair")
    for order in permutations([old, gone, replace(old, broker="alerce")]):
        Detection.objects.all().delete()
        for one in order:
            ingest.ingest_alerts([one])
        assert sorted(Detection.objects.values_list("source_id", flat=True)) == [f"{DIA}-0", f"{DIA}-2", f"{DIA}-9"]


def test_row_14_of_another_survey_object_nothing_leaves():
    ingest.ingest_alerts([alert("lsst", "5"), replace(alert("lsst", "6", ra=10.0), withdrawn=("5-1",))])
    assert Detection.objects.filter(source_id="5-1").exists()


def test_row_19_the_first_stamps_of_alerce_have_the_time_of_their_alert(httpserver):
    """A packet of the fifth detection is stored; then ALeRCE gives six detections, with the packet of the first."""
    table = build.rows("ztf", 6, bands="g")
    first, fifth = (build.packet("ztf", table[:n]) for n in (1, 5))
    rows = [
        {"candid": str(row["source_id"]), "mjd": float(row["mjd"]) - 15 / 86400, "fid": 1, "magpsf": 19.0, "sigmapsf": 0.1, "isdiffpos": 1,
         "ra": 150.0, "dec": 2.2, "has_stamp": True}
        for row in table
    ]  # fmt: skip
    damaged = {"candid": "7", "mjd": None, "fid": 1, "magpsf": 19.0, "isdiffpos": 1, "has_stamp": True}
    about = {"oid": build.ZTF, "meanra": 150.0, "meandec": 2.2, "lastmjd": rows[-1]["mjd"]}
    for path, answer in {"": about, "/lightcurve": {"detections": [damaged, *rows[::-1]]}, "/probabilities": []}.items():
        httpserver.expect_request(f"/ztf/v1/objects/{build.ZTF}{path}").respond_with_json(answer)
    httpserver.expect_request(f"/v2/lightcurve/forced-photometry/{build.ZTF}").respond_with_json([])
    asked = {"oid": build.ZTF, "candid": rows[0]["candid"]}
    httpserver.expect_request("/get_avro", query_string=asked).respond_with_data(first)
    here = httpserver.url_for("")
    client = Client(ztf_url=here, avro_url=here, retries=0, stamps=True)
    (found,) = client.search(Query("ztf", (build.ZTF,)))
    assert found.mjd == pytest.approx(table["mjd"][0], abs=1e-6)
    assert found.source_id == rows[0]["candid"]
    ingest.ingest([Packet("topic", "0:0", fifth)])
    report = ingest.ingest_alerts([found])
    assert report.last_mjd == pytest.approx(table["mjd"][5], abs=1e-6), "the poll goes on from the latest detection"
    stored = {s.slot: (s.source_id, s.mjd) for s in Stamps.objects.all()}
    assert stored["first"] == (rows[0]["candid"], pytest.approx(table["mjd"][0], abs=1e-6))
    assert stored["latest"] == (rows[4]["candid"], pytest.approx(table["mjd"][4], abs=1e-6))


def test_row_19_the_stamps_of_lsst_too(httpserver):
    sources = [
        {"band": 3, "mjd": 61090.25 + i, "measurement_id": int(DIA) + i, "psfFlux": 26150.0, "psfFluxErr": 216.0, "ra": 150.0, "dec": 2.2,
         "has_stamp": i > 0}
        for i in range(4)
    ]  # fmt: skip
    about = {"oid": int(DIA), "sid": 1, "meanra": 150.0, "meandec": 2.2, "lastmjd": 61093.25}
    httpserver.expect_request("/object_api/object").respond_with_json(about)
    httpserver.expect_request("/lightcurve_api/detections").respond_with_json(sources)
    httpserver.expect_request("/lightcurve_api/forced-photometry").respond_with_json([])
    httpserver.expect_request("/probability_api/probability").respond_with_json([])
    httpserver.expect_request("/stamps_api/stamp").respond_with_data(b"fits")
    (found,) = Client(lsst_url=httpserver.url_for(""), retries=0, stamps=True).fetch("lsst", [DIA])
    assert found.source_id == str(int(DIA) + 1)
    assert found.mjd == found.detections["mjd"][1] < np.max(found.detections["mjd"])


def test_row_03_a_packet_with_a_time_of_tomorrow_is_refused():
    whole = read((DATA / BEFORE).read_bytes())
    report = ingest.ingest_alerts([replace(whole, mjd=83000.0)], source="relay")
    assert report.refused == 1
