"""One item's error ends nothing (rows 1, 7 and 8, and poison): the rest is stored, and the item is a dead letter or is fetched later."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import fastavro
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, IntegrityError, OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broker_adapters.errors import PacketError, Unavailable
from broker_adapters.records import Query
from broker_adapters.sources.archives import Packet
from tests.broker_adapters import build
from tests.field import DATA
from tests.tom_alerce.alerts import alert, counts
from tom_alerce.models import AwaitedObject, DeadLetter, Detection, SurveyObject, Watermark
from tom_alerce.pipeline import ingest, poll
from tom_alerce.store import alerts as store

pytestmark = pytest.mark.django_db
DIA = "170028526513684557"


def sound(n, first=0):
    """n packets of n objects."""
    table = build.rows("ztf", 1)
    packets = []
    for i in range(first, first + n):
        table["source_id"], table["ra"] = str(build.CANDID + i), 10.0 + i
        packets.append(build.packet("ztf", table, object_id=f"ZTF26aaaaa{chr(97 + i // 26)}{chr(97 + i % 26)}", stamps=None))
    return packets


def avro(survey, **fields):
    """A packet in which these fields of the record are replaced, under a schema that lets everything be null."""
    reader = fastavro.reader(
        io.BytesIO(build.packet(survey, build.rows(survey, 3), stamps=None, **({"wire": False} if survey == "lsst" else {})))
    )
    schema, record = reader.writer_schema, next(reader)
    for field in schema["fields"]:
        if field["name"] in fields and "null" not in field["type"]:
            field["type"] = ["null", field["type"]]
    out = io.BytesIO()
    fastavro.writer(out, schema, [record | fields])
    return out.getvalue()


POISON = {
    "ATLAS without a candidate": (DATA / "19-atlas-candidate-null.avro").read_bytes(),
    "ZTF without a candidate": avro("ztf", candidate=None),
    "LSST without a diaSource": avro("lsst", diaSource=None),
    "not a packet": b"\xff" * 50,
    "JSON that is too deep": b'{"objectId": ' + b"[" * 100_000,
    "an id without end": b'{"objectId": ' + b"9" * 5000 + b"}",
    "nothing": b"",
}


@pytest.mark.parametrize("name", POISON)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_row_01_whatever_is_wrong_with_one_packet_the_rest_is_stored(name, place):
    given_ = sound(4)
    given_.insert(place, POISON[name])
    report = ingest.ingest(Packet("topic", f"0:{i}", data) for i, data in enumerate(given_))
    assert (report.read["ztf"], report.refused, SurveyObject.objects.count()) == (4, 1, 4)
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.position) == ("topic", f"0:{place}")
    assert "mistake of ours" not in letter.reason
    before = counts()
    ingest.ingest(Packet("topic", f"0:{i}", data) for i, data in enumerate(given_))
    assert counts() == before


def test_row_01_a_null_item_of_a_history_is_left_out_and_told():
    report = ingest.ingest([Packet("topic", "0:0", (DATA / "20-ztf-fp-hists-null-item.avro").read_bytes())])
    assert (report.refused, report.dropped, Detection.objects.count()) == (0, {"no record": 1}, 4)
    assert "rows left out: 1 (no record)" in str(report)


def test_poison_a_number_of_four_hundred_digits_in_a_message_of_lasair():
    message = json.dumps({"diaObjectId": int(DIA), "ra": 150.0, "decl": 2.2, "lastDiaSourceMjdTai": 61100.0})
    for field in ("ra", "g_psfFlux", "lastDiaSourceMjdTai"):
        data = json.loads(message) | {field: 10**400}
        report = ingest.ingest([Packet("topic", "0:0", json.dumps(data).encode()), Packet("topic", "0:1", sound(1)[0])])
        assert (report.refused, report.read["ztf"]) == (0, 1)
        assert report.named == (field != "g_psfFlux"), "without a place or a time the name is kept"


@pytest.mark.parametrize("sigma", [float("nan"), 0.0, -999.0])
def test_poison_an_error_of_a_magnitude_that_is_none(sigma):
    report = ingest.ingest([Packet("t", "0", build.packet("ztf", build.rows("ztf", 1), metadata={"sigmapsf": sigma}))])
    assert (report.read["ztf"], report.refused) == (1, 0)
    assert 0.0 < SurveyObject.objects.get().position_err < 1.0


@pytest.mark.parametrize(
    "error", [DataError("out of range"), IntegrityError("twice"), TypeError("a mistake"), OverflowError("int too large")]
)
def test_what_the_database_refuses_is_one_dead_letter_and_the_rest_of_its_batch_is_stored(monkeypatch, error):
    save, tried = store.save, []

    def refusing(alerts):
        if any(a.object_id == "ZTF3" for a in alerts):
            tried.append(len(alerts))
            raise error
        return save(alerts)

    monkeypatch.setattr(store, "save", refusing)
    alerts = [alert(object_id=f"ZTF{i}", ra=10.0 * i) for i in range(7)]
    report = ingest.ingest_alerts(alerts, source="broker ztf")
    assert (report.read["ztf"], report.refused, SurveyObject.objects.count()) == (6, 1, 6)
    letter = DeadLetter.objects.get()
    assert (letter.source, letter.position) == ("broker ztf", "ZTF3")
    assert type(error).__name__ in letter.reason
    assert tried[-3:] == [1, 1, 1], "it is tried again, but not for ever"


def test_a_database_that_is_away_is_no_fault_of_an_alert(monkeypatch):
    def away(alerts):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(store, "save", away)
    with pytest.raises(OperationalError):
        ingest.ingest_alerts([alert()])
    assert DeadLetter.objects.count() == 0


def test_an_operational_error_that_is_the_items_fault_does_not_loop(monkeypatch):
    class ProgramLimitExceeded(Exception):
        sqlstate = "54000"

    def refusing(alerts):
        raise OperationalError("index row size exceeds maximum") from ProgramLimitExceeded()

    monkeypatch.setattr(store, "save", refusing)
    assert ingest.ingest_alerts([alert()]).refused == 1


def test_an_alert_of_anybody_is_checked_before_it_is_stored():
    """A client of a third party may give what it likes."""
    rows = alert().detections.copy()
    rows["mjd"][1] = 83000.0
    bad = [alert(object_id="1", ra=float("nan")), alert(object_id="2", mjd=83000.0), alert(object_id="3", dec=100.0)]
    fine = [
        alert(object_id="4", rows=rows, source_id=None),
        replace(alert(object_id="5", ra=20.0, rows=rows[:1]), position_err=float("nan")),
    ]
    report = ingest.ingest_alerts([*bad, *fine])
    assert (report.read["ztf"], report.refused, report.dropped) == (2, 3, {"impossible time": 1})
    assert report.last_mjd < 62000
    assert SurveyObject.objects.get(object_id="5").position_err < np.inf


class TestNamedAlone:
    """Row 7: a message that names an object without its place."""

    MESSAGE = Packet("lasair_topic", "0:7", (DATA / "09-lasair-filter-id-only.json").read_bytes())

    def sync(self, settings, *alerts):
        settings.TOM_ALERCE = {"BROKERS": {"fake": {"alerts": list(alerts), "surveys": ["lsst"]}}}
        out = io.StringIO()
        call_command("alerce_sync", stdout=out, stderr=io.StringIO())
        return out.getvalue()

    def test_row_07_the_name_is_kept_and_fetched(self, settings):
        report = ingest.ingest([self.MESSAGE])
        assert (report.named, report.refused) == (1, 0)
        assert "1 named alone" in str(report)
        kept = AwaitedObject.objects.get()
        assert (kept.survey, kept.object_id, kept.source) == ("lsst", DIA, "lasair_topic")
        assert "read 1 lsst" in self.sync(settings, alert("lsst", DIA))
        assert SurveyObject.objects.get().object_id == DIA
        assert not AwaitedObject.objects.exists()

    def test_row_07_a_name_that_nobody_knows_yet_is_still_awaited(self, settings):
        ingest.ingest([self.MESSAGE, self.MESSAGE])
        self.sync(settings)
        assert AwaitedObject.objects.count() == 1

    def test_row_07_a_name_is_kept_though_the_object_is_stored_already(self, settings):
        ingest.ingest_alerts([alert("lsst", DIA)])
        ingest.ingest([self.MESSAGE])
        assert "read 1 lsst" in self.sync(settings, alert("lsst", DIA, n=1, first=7))
        assert Detection.objects.count() == 4


class TestOneOfThree:
    """Row 8: ALeRCE answers 500 for one of three objects."""

    NAMES = ("ZTF26aaaaaaa", "ZTF26aaaaaab", "ZTF26aaaaaac")

    @pytest.fixture(autouse=True)
    def _configured(self, settings, httpserver):
        here = httpserver.url_for("")
        options = {"ztf_url": here, "avro_url": here, "lsst_url": here, "retries": 0, "stamps": True}
        settings.TOM_ALERCE = {"BROKERS": {"alerce": options}, "SURVEYS": ["ztf"]}

    def serve(self, httpserver, broken=(), names=NAMES):
        """Each object with one detection; ``broken`` addresses answer 500."""
        abouts = [{"oid": oid, "meanra": 10.0 + i, "meandec": 2.2, "lastmjd": 61100.3, "ndet": 1} for i, oid in enumerate(names)]
        httpserver.expect_request("/ztf/v1/objects/").respond_with_json({"items": abouts, "has_next": False})
        for i, (oid, about) in enumerate(zip(names, abouts, strict=True)):
            seen = {
                "candid": str(100 + i),
                "mjd": 61100.3,
                "fid": 1,
                "magpsf": 19.1,
                "sigmapsf": 0.1,
                "isdiffpos": 1,
                "ra": 10.0 + i,
                "dec": 2.2,
            }
            curve = {"detections": [seen | {"has_stamp": True}], "non_detections": []}
            answers = {
                f"/ztf/v1/objects/{oid}": about,
                f"/ztf/v1/objects/{oid}/lightcurve": curve,
                f"/ztf/v1/objects/{oid}/probabilities": [],
                f"/v2/lightcurve/forced-photometry/{oid}": [],
            }
            for path, answer in answers.items():
                expected = httpserver.expect_request(path)
                if path in broken:
                    expected.respond_with_data("<html>oops", status=500)
                else:
                    expected.respond_with_json(answer)
        stamp = httpserver.expect_request("/get_avro")
        stamp.respond_with_data("down", status=500 if "/get_avro" in broken else 404)

    @pytest.mark.parametrize("path", ["/ztf/v1/objects/ZTF26aaaaaab/lightcurve"])
    def test_row_08_that_object_is_noted_and_the_next_is_asked(self, httpserver, path):
        self.serve(httpserver, [path])
        with pytest.raises(CommandError, match=r"1 objects failed, the first ZTF26aaaaaab: ALeRCE .* answered 500"):
            call_command("alerce_poll", "--since", "61000", stdout=io.StringIO(), stderr=io.StringIO())
        assert set(SurveyObject.objects.values_list("object_id", flat=True)) == {self.NAMES[0], self.NAMES[2]}
        assert AwaitedObject.objects.get().object_id == self.NAMES[1]
        assert Watermark.objects.exists()
        httpserver.clear()
        self.serve(httpserver)
        call_command("alerce_sync", stdout=io.StringIO(), stderr=io.StringIO())
        assert SurveyObject.objects.count() == 3
        assert not AwaitedObject.objects.exists()

    @pytest.mark.parametrize("named", [True, False])
    def test_row_08_an_object_that_is_asked_for_by_name_is_no_better_and_no_worse(self, httpserver, named):
        self.serve(httpserver, ["/ztf/v1/objects/ZTF26aaaaaaa"])
        client = poll.client("alerce")
        found = client.fetch("ztf", self.NAMES) if named else client.search(Query("ztf", self.NAMES))
        assert [a.object_id for a in found] == list(self.NAMES[1:])
        ((oid, error),) = client.rejected
        assert (oid, type(error)) == (self.NAMES[0], Unavailable)

    @pytest.mark.parametrize(
        ("broken", "part"),
        [
            (["/v2/lightcurve/forced-photometry/ZTF26aaaaaaa"], "forced photometry"),
            (["/ztf/v1/objects/ZTF26aaaaaaa/probabilities"], "probabilities"),
            (["/get_avro"], "stamps"),
        ],
    )
    def test_row_08_an_optional_part_fails_by_itself_and_says_so(self, httpserver, broken, part):
        self.serve(httpserver, broken)
        client = poll.client("alerce")
        (found,) = client.fetch("ztf", self.NAMES[:1])
        assert found.detections["source_id"].tolist() == ["100"]
        ((oid, error),) = client.rejected
        assert (oid, type(error)) == (self.NAMES[0], Unavailable)
        assert f"without {part}" in str(error)

    def test_row_08_an_optional_service_that_is_down_is_not_asked_for_ever(self, httpserver):
        names = [f"ZTF26aaaaa{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(30)]
        self.serve(httpserver, [f"/v2/lightcurve/forced-photometry/{oid}" for oid in names], names)
        client = poll.client("alerce")
        assert len(list(client.search(Query("ztf", limit=100)))) == 30
        assert sum("forced-photometry" in request.path for request, _ in httpserver.log) == 5
        assert len(client.rejected) == 30

    def test_row_08_several_failures_in_a_row_mean_that_the_service_is_down(self, httpserver):
        names = [f"ZTF26aaaaaa{c}" for c in "abcdefghij"]
        self.serve(httpserver, [f"/ztf/v1/objects/{oid}/lightcurve" for oid in names[1:]], names)
        report = poll.poll("alerce", Query("ztf", since=61000.0))
        assert (report.read["ztf"], report.failed) == (1, 5)
        assert "is down: it failed for 5 objects in a row" in str(report.problem)
        assert not Watermark.objects.exists()


def test_a_mistake_of_ours_about_one_object_ends_no_poll(monkeypatch, caplog):
    from broker_adapters.brokers import _answers

    def read(name):
        return 1 / 0 if name == "b" else name

    each = _answers.Each("Service")
    assert list(each.read("abc", str, read)) == ["a", "c"]
    ((oid, error),) = each.rejected
    assert (oid, type(error)) == ("b", ZeroDivisionError)


#: Sound packets, and damaged items of every kind: what is no packet, and packets in which something is not what it should be.
SOUND = sound(6)
DAMAGED = st.sampled_from(list(POISON.values())) | st.binary(max_size=40) | st.builds(
    lambda whole, cut: whole[:cut], st.sampled_from(SOUND), st.integers(1, 2000)
)  # fmt: skip
VALUES = st.sampled_from([None, "x", 10**400, float("nan"), float("inf"), 1e300, [], {}, -1, [[[[]]]], 83000.0])


class Laws(TestCase):
    """Any damaged items among sound ones, in any places."""

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.lists(DAMAGED, max_size=4), st.data())
    def test_the_sound_ones_are_stored_and_each_other_is_one_dead_letter(self, damaged, data):
        batch = [(True, packet) for packet in SOUND]
        for one in damaged:
            batch.insert(data.draw(st.integers(0, len(batch))), (False, one))
        packets = [Packet("topic", f"0:{i}", content) for i, (_, content) in enumerate(batch)]
        report = ingest.ingest(packets)
        assert report.read["ztf"] == SurveyObject.objects.count() == len(SOUND)
        positions = set(DeadLetter.objects.values_list("position", flat=True))
        assert positions == {f"0:{i}" for i, (is_sound, _) in enumerate(batch) if not is_sound}
        assert not DeadLetter.objects.filter(reason__contains="mistake of ours").exists()
        before = counts()
        ingest.ingest(packets)
        assert counts() == before

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(
        st.dictionaries(st.sampled_from(["diaObjectId", "ra", "decl", "lastDiaSourceMjdTai", "alert", "UTC", "annotations"]), VALUES),
        st.data(),
    )
    def test_any_message_of_a_filter_is_stored_or_kept_as_a_name_or_a_dead_letter(self, damage, data):
        whole = {"diaObjectId": int(DIA), "ra": 150.0, "decl": 2.2, "lastDiaSourceMjdTai": 61100.0, "alert": {"diaSourcesList": []}}
        packets = [Packet("topic", f"0:{i}", content) for i, content in enumerate([*SOUND[:2], json.dumps(whole | damage).encode()])]
        report = ingest.ingest(packets)
        assert report.read["ztf"] == 2
        assert report.read["lsst"] + report.named + report.refused == 1
        assert not DeadLetter.objects.filter(reason__contains="mistake of ours").exists()
        before = counts()
        ingest.ingest(packets)
        assert counts() == before


def test_a_bad_answer_is_a_dead_letter_of_its_object(monkeypatch):
    rejected = [("ZTF1", PacketError("no place")), ("ZTF2", TypeError("a mistake"))]
    from broker_adapters.brokers.fake import Client

    client = Client(alerts=[alert()], rejected=rejected)
    report = ingest.ingest_answers(client, client.search(Query("ztf")), "ztf", source="fake ztf")
    assert (report.read["ztf"], report.refused, report.failed) == (1, 2, 0)
    reasons = dict(DeadLetter.objects.values_list("position", "reason"))
    assert reasons["ZTF1"] == "no place"
    assert "TypeError: a mistake" in reasons["ZTF2"]
