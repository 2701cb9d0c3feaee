import csv
import json
import math
import re
from contextlib import suppress
from inspect import signature

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lasair import lasair_client
from werkzeug import Response

from broker_adapters.brokers.lasair import Client, pointer, read, read_object, recognises
from broker_adapters.errors import PacketError, RateLimited, SourceError, Unauthorized, Unavailable
from broker_adapters.packets import read as read_packet
from broker_adapters.records import Kind, Query
from broker_adapters.surveys import lsst
from classifiers.simulate import lasair as simulated
from tests.broker_adapters.samples import recorded, value

OID, DIA = "ZTF23aabplmy", 313761043604045880
FLUX_20 = 10 ** (0.4 * (31.4 - 20.0))
CANDIDATE = {
    "candid": 2240410792515015001, "jd": 2459994.5, "ra": 179.97, "dec": 26.06, "fid": 1, "magpsf": 20.0, "sigmapsf": 0.1,
    "isdiffpos": "t", "ssdistnr": -999.0, "ssnamenr": "null", "drb": None,
}  # fmt: skip
NON_DETECTION = {"jd": 2459993.5, "fid": 2, "diffmaglim": 20.0, "magpsf": 20.0}
ZTF = {"objectId": OID, "objectData": {"ramean": 179.97, "decmean": 26.06, "jdmax": 2459994.5}, "candidates": [CANDIDATE, NON_DETECTION]}
SOURCE = {
    "diaSourceId": 170081276982722562, "midpointMjdTai": 61090.25, "ra": 61.9648, "decl": -48.7134, "raErr": 1e-5, "decErr": 1e-5,
    "band": "r", "psfFlux": -1800.0, "psfFluxErr": 200.0, "scienceFlux": 1000.0, "scienceFluxErr": 190.0, "reliability": 0.9,
}  # fmt: skip
FORCED = {"midpointMjdTai": 61091.25, "band": "g", "psfFlux": 587.3, "psfFluxErr": 144.4}
LSST = {
    "diaObjectId": DIA,
    "lasairData": {"nDiaSources": 1, "u_psfFlux": None, "medianR": float("nan")},
    "diaObject": {"ra": 61.9648, "decl": -48.7134, "firstDiaSourceMjdTai": float("nan"), "lastDiaSourceMjdTai": 61090.25},
    "diaSourcesList": [SOURCE],
    "diaForcedSourcesList": [FORCED],
}


def test_a_ztf_candidate_without_candid_is_a_limit():
    alert = read_object(ZTF)
    limit, seen = alert.detections
    assert (limit["kind"], limit["band"]) == (Kind.LIMIT, "r")
    assert limit["flux_err"] == pytest.approx(FLUX_20 / 5)
    assert math.isnan(limit["flux"])
    assert (seen["kind"], seen["source_id"]) == (Kind.ALERT, "2240410792515015001")
    assert seen["flux"] == pytest.approx(FLUX_20)
    assert seen["mjd"] == pytest.approx(59994.0 + 15 / 86400, abs=1e-7)
    assert (alert.survey, alert.object_id, alert.broker, alert.moving) == ("ztf", OID, "lasair", False)


def test_a_limit_may_be_in_magpsf_only():
    alert = read_object(ZTF | {"candidates": [CANDIDATE, {k: v for k, v in NON_DETECTION.items() if k != "diffmaglim"}]})
    assert alert.detections[0]["flux_err"] == pytest.approx(FLUX_20 / 5)


def test_forced_photometry_of_ztf_is_in_counts():
    forced = {"jd": 2459990.5, "fid": 1, "forcediffimflux": -100.0, "forcediffimfluxunc": 10.0, "magzpsci": 26.4}
    alert = read_object(ZTF | {"forcedphot": [forced, forced | {"jd": 2459991.5, "forcediffimflux": -99999.0}]})
    (row,) = alert.detections[alert.detections["kind"] == Kind.FORCED]
    assert (row["flux"], row["flux_err"]) == pytest.approx((-100 * 100.0, 10 * 100.0))  # 26.4 is 5 mag, a factor of 100, from 31.4


def test_an_object_that_was_always_at_an_asteroid_moves():
    asteroid = CANDIDATE | {"ssdistnr": 0.5, "ssnamenr": "12345"}
    assert read_object(ZTF | {"candidates": [asteroid]}).moving
    assert not read_object(ZTF | {"candidates": [asteroid, CANDIDATE | {"candid": 3}]}).moving


def test_an_lsst_object_in_utc_with_its_reference_and_forced_photometry():
    alert = read_object(LSST)
    seen, forced = alert.detections
    assert (seen["source_id"], seen["flux"]) == (str(SOURCE["diaSourceId"]), -1800.0)
    assert seen["ref_flux"] == pytest.approx(2800.0)
    assert seen["mjd"] == pytest.approx(61090.25 - 37 / 86400, abs=1e-9)
    assert forced["source_id"] == lsst.forced_id(str(DIA), 61091.25, "g")
    assert (alert.ra, alert.dec) == (61.9648, -48.7134)
    assert alert.object_id == str(DIA)
    assert alert.metadata["medianR"] is None


def test_tns_sherlock_and_annotations_become_names_and_labels():
    added = LSST["lasairData"] | {
        "sherlock": {"classification": "SN"},
        "TNS": {"tns_name": "2025agpz", "tns_prefix": "AT", "arcsec": 0.76},
        "annotations": [{"topic": "r0b_lvra", "version": "a1", "classification": "Good"}, {"topic": None}, "x"],
    }
    alert = read_object(LSST | {"lasairData": added})
    assert alert.names == ("AT 2025agpz",)
    assert [(label.broker, label.classifier, label.version, label.label) for label in alert.labels] == [
        ("lasair", "sherlock", "", "SN"),
        ("lasair", "r0b_lvra", "a1", "Good"),
    ]
    assert all(math.isnan(label.probability) for label in alert.labels)
    far = added | {"TNS": added["TNS"] | {"arcsec": 3.0}}
    assert read_object(LSST | {"lasairData": far}).names == ()


def test_without_what_lasair_adds_and_as_a_list_of_one():
    bare = {k: v for k, v in LSST.items() if k != "lasairData"}
    assert read_object([bare]).detections.tobytes() == read_object(LSST).detections.tobytes()


@pytest.mark.parametrize(
    "damage",
    [{"diaObjectId": None}, {"diaObjectId": 1.7e17}, {"diaSourcesList": "x"},
     {"diaObject": {"lastDiaSourceMjdTai": 61090.0}, "diaSourcesList": []},
     {"diaObject": {"ra": 1.0, "decl": 1.0}, "diaSourcesList": []}],
)  # fmt: skip
def test_an_lsst_object_that_cannot_be_is_refused(damage):
    with pytest.raises(PacketError):
        read_object(LSST | damage)


@pytest.mark.parametrize(
    "damage",
    [{"objectId": 7}, {"objectId": "<b>"}, {"candidates": {}}, {"candidates": [], "objectData": {}}],
)  # fmt: skip
def test_a_ztf_object_that_cannot_be_is_refused(damage):
    with pytest.raises(PacketError):
        read_object(ZTF | damage)


@pytest.mark.parametrize(
    ("whole", "rows", "bad", "reason"),
    [
        (LSST, "diaSourcesList", SOURCE | {"diaSourceId": 7, "band": "H"}, "unknown filter"),
        (LSST, "diaSourcesList", SOURCE | {"diaSourceId": 7, "midpointMjdTai": 1e30}, "no time"),
        (LSST, "diaSourcesList", SOURCE | {"diaSourceId": 7, "psfFlux": None}, "no flux"),
        (LSST, "diaSourcesList", None, "no record"),
        (ZTF, "candidates", CANDIDATE | {"candid": 7, "fid": 7}, "unknown filter"),
        (ZTF, "candidates", CANDIDATE | {"candid": 7, "isdiffpos": None}, "no flux"),
        (ZTF, "candidates", CANDIDATE | {"candid": 7, "jd": 2 * CANDIDATE["jd"]}, "impossible time"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_counted(whole, rows, bad, reason):
    before = read_object(whole)
    for damaged in ([bad, *whole[rows]], [*whole[rows], bad]):
        alert = read_object(whole | {rows: damaged})
        assert alert.detections.tobytes() == before.detections.tobytes()
        assert alert.dropped == {reason: 1}


@pytest.mark.parametrize("answer", [None, [], [ZTF, ZTF], "x", 7, {}])
def test_what_is_no_object_is_refused(answer):
    with pytest.raises(PacketError):
        read_object(answer)


# messages


def encoded(message):
    return json.dumps(message).encode()


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"diaObjectId": DIA}, ("lsst", str(DIA))),
        ({"diaObjectId": str(DIA), "UTC": "x"}, ("lsst", str(DIA))),
        ({"objects.diaObjectId": DIA}, ("lsst", str(DIA))),
        ({"objectId": OID}, ("ztf", OID)),
        ({"ra": 1.0, "alert": {"diaObjectId": DIA}}, ("lsst", str(DIA))),
        ({"alert": {"diaObject": {"diaObjectId": DIA}}}, ("lsst", str(DIA))),
    ],
)
def test_a_message_points_to_an_object_under_whatever_name(message, expected):
    assert recognises(encoded(message))
    assert pointer(encoded(message)) == expected


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff", b"{}", b'{"objectId": null}', b'{"objectId": "x"}', b'{"diaObjectId": 1.5}', b"[" * 100_000]
)
def test_what_points_to_nothing_is_refused(data):
    with pytest.raises(PacketError):
        pointer(data)
    with pytest.raises(PacketError):
        read(data)


def test_a_message_gives_what_has_an_identity():
    lite = {k: SOURCE[k] for k in ("psfFlux", "psfFluxErr", "midpointMjdTai", "band", "reliability")}
    message = {
        "diaObjectId": DIA, "ra": 61.9648, "decl": -48.7134, "lastDiaSourceMjdTai": 61090.25, "classification": "SN",
        "tns_name": "2025agpz", "UTC": "2026-02-14 13:41:02",
        "alert": {"diaObjectId": DIA, "diaSourcesList": [lite], "diaForcedSourcesList": [FORCED]},
    }  # fmt: skip
    alert = read(encoded(message))
    assert alert.detections["source_id"].tolist() == [lsst.forced_id(str(DIA), 61091.25, "g")]
    assert alert.mjd == pytest.approx(61090.25 - 37 / 86400, abs=1e-9)
    assert (alert.labels[0].label, alert.names) == ("SN", ("2025agpz",))
    assert len(read(encoded(message), history=False).detections) == 0
    full = read(encoded(message | {"alert": {"diaSourcesList": [SOURCE], "diaForcedSourcesList": None}}))
    assert full.detections["source_id"].tolist() == [str(SOURCE["diaSourceId"])]


def test_a_message_is_read_like_a_packet():
    data = encoded({"diaObjectId": DIA, "ra": 1.0, "decl": -1.0, "UTC": "2026-02-14 12:00:00"})
    assert read_packet(data).key == ("lsst", str(DIA))
    assert not recognises(b'{"neither": 1}')


def test_a_bare_message_has_its_own_date_and_a_ztf_one_too():
    alert = read(encoded({"diaObjectId": DIA, "ra": 1.0, "decl": -1.0, "UTC": "2026-02-14 12:00:00"}))
    assert alert.mjd == pytest.approx(61085.5)
    alert = read(encoded({"objectId": OID, "ramean": 1.0, "decmean": -1.0, "UTC": "2026-02-14 12:00:00"}))
    assert (alert.survey, alert.mjd, len(alert.detections)) == ("ztf", 61085.5, 0)
    later = read(encoded({"objects.objectId": OID, "objects.ramean": 1.0, "objects.decmean": -1.0, "objects.jdmax": 2461085.5}))
    assert later.mjd == pytest.approx(61085.0 + 15 / 86400, abs=1e-7)


def test_a_message_without_a_place_is_only_a_pointer():
    data = encoded({"diaObjectId": DIA, "UTC": "2026-02-14 12:00:00"})
    assert pointer(data) == ("lsst", str(DIA))
    with pytest.raises(PacketError, match="position"):
        read(data)


def test_the_messages_of_a_simulated_night_are_read():
    rows = lsst.dia_sources([{"dec": SOURCE["decl"], **SOURCE}])
    alert = read(simulated.lsst_message(str(DIA), "SNIa", rows, "2026-02-14 12:00:00"))
    assert (alert.object_id, alert.labels[0].label) == (str(DIA), "SN")
    assert alert.mjd == pytest.approx(rows["mjd"][0], abs=1e-9)
    assert read(simulated.ztf_message(OID, "SNIa", rows, "2026-02-14 12:00:00")).object_id == OID


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(sorted(SOURCE | LSST | ZTF)), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([LSST, ZTF]), st.data(), anything)
def test_whatever_a_field_holds_it_is_an_alert_or_a_packet_error(base, data, something):
    place = data.draw(st.sampled_from(sorted(base)))
    inner = base[place]
    if isinstance(inner, dict) and data.draw(st.booleans()):
        something = inner | {data.draw(st.sampled_from(sorted(inner))): something}
    elif isinstance(inner, list) and data.draw(st.booleans()):
        something = [inner[0] | {data.draw(st.sampled_from(sorted(inner[0]))): something}]
    damaged = base | {place: something}
    for attempt in (lambda: read_object(damaged), lambda: read(encoded(damaged | {"alert": damaged, "ra": 1.0, "decl": 2.0}))):
        with suppress(PacketError):
            assert -90 <= attempt().dec <= 90


# recorded


@pytest.mark.real_data
def test_the_recorded_topic(real_data):
    text = (real_data / "dev" / "lasair_kafka" / "20260202_102448.json").read_text()
    messages = json.loads(re.sub(r",(\s*[\]}])", r"\1", text))  # the log has commas that the messages did not have
    assert len(messages) == 44
    for message in messages:
        alert = read(encoded(message))
        assert alert.object_id == str(message["diaObjectId"])
        sources = message.get("alert", {}).get("diaSourcesList", [])
        assert set(alert.detections["source_id"]) == {str(s["diaSourceId"]) for s in sources}
        assert alert.labels[0].label == message["sherlock_classifications"]
        assert (alert.ra, alert.dec) == pytest.approx((message["ra"], message["decl"]), abs=1e-4)
        assert alert.position_err < 0.5


@pytest.mark.real_data
def test_the_recorded_topic_as_a_table_of_selected_columns(real_data):
    with (real_data / "dev" / "lasair_kafka" / "20260202_102448.csv").open(newline="") as stream:
        lines = [{k: value(v) for k, v in line.items() if v} for line in csv.DictReader(stream)]
    for line in lines:
        alert = read(encoded(line))
        assert alert.object_id == str(line["diaObjectId"])
        assert alert.mjd == pytest.approx(line["lastDiaSourceMjdTai"] - 37 / 86400, abs=1e-9)


@pytest.mark.real_data
def test_the_recorded_ztf_object(real_data):
    text = (real_data / "broker_samples" / "lasair" / f"{OID}.md").read_text()
    alert = read_object(json.loads(text.split("```")[1]))
    assert alert.object_id == OID
    assert alert.detections["kind"].tolist() == [Kind.LIMIT, Kind.ALERT]
    assert alert.names == ("SN 2023bip",)
    assert alert.labels[0].label == "SN"


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["SLSN_10321", "SNIbc_312228"])
def test_the_simulated_lsst_objects(real_data, name):
    answer = json.loads((real_data / "broker_samples" / "lasair" / f"{name}.json").read_text())
    alert = read_object(answer)
    assert alert.object_id == "12345678"
    assert len(alert.detections) == 1  # all its sources have the same id, and a measurement is its id


@pytest.mark.real_data
def test_the_recorded_messages_of_the_notebooks(real_data):
    text = (real_data / "broker_samples" / "lasair" / "notebooks" / "consume_kafka.txt").read_text()
    messages = [json.loads(found) for found in re.findall(r"^\{$.*?^\}$", text.replace(">>> {", "\n{"), re.MULTILINE | re.DOTALL)]
    assert len(messages) >= 8
    for message in messages:
        alert = read(encoded(message))
        assert alert.object_id == str(message["diaObjectId"])
        assert alert.labels[0].label == message["classification"]


# the client


def test_the_address_and_the_calls_are_those_of_lasairs_own_package(client, httpserver):
    """So that a new version of it tells us of a move."""
    theirs = signature(lasair_client).parameters["endpoint"].default
    assert signature(Client).parameters["lsst_url"].default == theirs
    httpserver.expect_request(re.compile("/api/.*")).respond_with_json([])
    other = lasair_client("token", endpoint=httpserver.url_for("/api"))
    other.cone(1.0, 2.0, 5.0)
    other.query("objects.objectId", "objects", "1=1", limit=10)
    other.object(OID, lite=False)
    list(client.objects(Query("ztf", ra=1.0, dec=2.0, radius=5.0)))
    list(client.objects(Query("ztf", limit=10)))
    list(client.fetch("ztf", [OID]))
    calls = [(request.method, request.path, sorted(request.form)) for request, _ in httpserver.log]
    assert calls[:3] == calls[3:]
    assert httpserver.log[2][0].form.to_dict() == httpserver.log[5][0].form.to_dict()


@pytest.fixture
def naps():
    return []


@pytest.fixture
def client(httpserver, naps, request):
    here = httpserver.url_for("/api")
    token = f"token of {request.node.name}".replace(" ", "_").replace("[", "_").replace("]", "_")
    return Client(ztf_token=token, lsst_token=token, ztf_url=here, lsst_url=here, timeout=10.0, retries=1, sleep=naps.append)


def serve_object(httpserver, by_id):
    def found(request):
        known = by_id.get(request.form["objectId"])
        return Response(*known) if isinstance(known, tuple) else Response(json.dumps(known), content_type="application/json")

    httpserver.expect_request("/api/object/", method="POST").respond_with_handler(found)


def test_both_shapes_of_a_cone(client, httpserver):
    near = [{"object": OID, "separation": 2.0}, {"object": "ZTF18aaaaaaa", "separation": 1.0}]
    httpserver.expect_ordered_request("/api/cone/").respond_with_json(near)
    assert list(client.objects(Query("ztf", ra=0.0, dec=0.0, radius=5.0))) == ["ZTF18aaaaaaa", OID]
    form = httpserver.log[0][0].form
    assert form.to_dict() == {"ra": "0.0", "dec": "0.0", "radius": "5.0", "requestType": "all"}
    assert httpserver.log[0][0].headers["Authorization"].startswith("Token token_of")
    answer = {"objects": [{"object": DIA, "separation": 0.2}], "count": 1, "nearest": {"object": DIA, "separation": 0.2}}
    httpserver.expect_ordered_request("/api/cone/").respond_with_json(answer)
    assert list(client.objects(Query("lsst", ra=0.0, dec=0.0))) == [str(DIA)]
    for nothing in ({}, [], {"objects": []}):
        httpserver.expect_ordered_request("/api/cone/").respond_with_json(nothing)
        assert list(client.objects(Query("lsst", ra=0.0, dec=0.0))) == []


@pytest.mark.real_data
def test_the_recorded_cone(real_data, client, httpserver):
    answers = recorded(real_data / "broker_samples" / "skyportal_cassettes" / "lasair_cone.yaml")
    same = json.loads((real_data / "broker_samples" / "lasair_cone_0.json").read_text())
    assert answers["/api/cone/"][1] == same
    httpserver.expect_request("/api/cone/").respond_with_json(same)
    found = list(client.objects(Query("ztf", ra=279.9, dec=-4.87, radius=600.0, limit=1000)))
    assert len(found) == 734
    assert found[0] == "ZTF19aaypuas"


def test_a_search_turns_pages_and_asks_latest_first(client, httpserver, monkeypatch):
    monkeypatch.setattr("broker_adapters.brokers.lasair._PAGE", 2)
    pages = [[{"diaObjectId": 1}, {"diaObjectId": 2}], [{"diaObjectId": 2}, {"diaObjectId": 3}], [{"diaObjectId": 4}]]
    for rows in pages:
        httpserver.expect_ordered_request("/api/query/").respond_with_json(rows)
    found = list(client.objects(Query("lsst", label="SN", since=61000.0, until=61001.0)))
    assert found == ["1", "2", "3", "4"]
    forms = [request.form.to_dict() for request, _ in httpserver.log]
    assert [form["offset"] for form in forms] == ["0", "2", "4"]
    assert forms[0]["selected"] == "objects.diaObjectId"
    assert forms[0]["tables"] == "objects,sherlock_classifications"
    assert forms[0]["conditions"] == (
        "objects.lastDiaSourceMjdTai >= 61000.000428 AND objects.lastDiaSourceMjdTai <= 61001.000428 "
        'AND sherlock_classifications.classification="SN" ORDER BY objects.lastDiaSourceMjdTai DESC'
    )


def test_a_list_that_never_ends_ends(client, httpserver, monkeypatch):
    monkeypatch.setattr("broker_adapters.brokers.lasair._PAGE", 1)
    httpserver.expect_request("/api/query/").respond_with_json([{"objectId": OID}])
    assert list(client.objects(Query("ztf"))) == [OID]
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(
    "query",
    [Query("ztf", label='SN" OR 1=1'), Query("ztf", classifier="other"), Query("ztf", probability=0.5), Query("atlas"),
     Query("ztf", ra=0.0, dec=0.0, radius=2000.0), Query("ztf", ra=0.0, dec=0.0, label="SN")],
)  # fmt: skip
def test_what_lasair_cannot_be_asked_is_said_before_it_is_asked(client, httpserver, query):
    with pytest.raises(SourceError):
        list(client.objects(query))
    assert not httpserver.log


def test_objects_known_unknown_unreadable_and_old(client, httpserver):
    serve_object(httpserver, {str(DIA): LSST, "2": ("not found", 404), "3": LSST | {"diaObjectId": None, "diaObject": {}}})
    assert [a.object_id for a in client.fetch("lsst", ["2", "3", str(DIA)])] == [str(DIA)]
    assert [name for name, _ in client.rejected] == ["3"]


def test_an_object_not_seen_for_a_year_is_asked_for_without_additions(client, httpserver):
    def found(request):
        if request.form["lasair_added"] == "True":
            return Response("KeyError", status=400)
        return Response(json.dumps({k: v for k, v in LSST.items() if k != "lasairData"}), content_type="application/json")

    httpserver.expect_request("/api/object/").respond_with_handler(found)
    (alert,) = client.fetch("lsst", [str(DIA)])
    assert len(alert.detections) == 2


def test_500_of_the_ztf_service_is_an_unknown_object_unless_it_is_known(client, httpserver):
    serve_object(httpserver, {"ZTF18aaaaaaa": ("Server Error", 500), OID: ("Server Error", 500)})

    def query(request):
        rows = [{"objectId": OID}] if OID in request.form["conditions"] else []
        return Response(json.dumps(rows), content_type="application/json")

    httpserver.expect_request("/api/query/").respond_with_handler(query)
    assert list(client.fetch("ztf", ["ZTF18aaaaaaa"])) == []
    assert list(client.fetch("ztf", [OID])) == []
    ((name, error),) = client.rejected
    assert name == OID
    assert isinstance(error, Unavailable)
    assert "which it knows" in str(error)


@pytest.mark.parametrize(("status", "error"), [(400, SourceError), (401, Unauthorized), (429, RateLimited), (500, Unavailable)])
def test_errors_of_a_query(client, httpserver, status, error):
    httpserver.expect_request("/api/query/").respond_with_json({"error": "<b>bad SQL</b>", "message": "limit"}, status=status)
    with pytest.raises(error):
        list(client.objects(Query("ztf")))


@pytest.mark.parametrize("rows", ["x", 7, [7], [{"objectId": None}], {"objectId": OID}])
def test_a_list_that_is_none(client, httpserver, rows):
    httpserver.expect_request(re.compile("/api/.*")).respond_with_json(rows)
    with pytest.raises(Unavailable):
        list(client.objects(Query("ztf")))
    if not isinstance(rows, dict):  # of which LSST's form of a cone is one
        with pytest.raises(Unavailable):
            list(client.objects(Query("ztf", ra=1.0, dec=1.0)))


def test_an_error_that_comes_as_200(client, httpserver):
    httpserver.expect_request("/api/query/").respond_with_json({"error": "Cannot parse"})
    with pytest.raises(Unavailable, match="Cannot parse"):
        list(client.objects(Query("ztf")))


def test_bare_nan_in_an_answer(client, httpserver):
    httpserver.expect_request("/api/object/").respond_with_data(json.dumps(LSST))
    (alert,) = client.fetch("lsst", [str(DIA)])
    assert alert.metadata["medianR"] is None


def test_a_used_up_hour_is_said_at_once_and_shared_by_clients_of_a_token(httpserver, naps):
    here = httpserver.url_for("/api")
    httpserver.expect_request("/api/query/").respond_with_json([])
    clients = [Client(ztf_token="used-up", ztf_url=here, calls_per_hour=3, sleep=naps.append) for _ in range(2)]
    for i in range(3):
        assert list(clients[i % 2].objects(Query("ztf"))) == []
    with pytest.raises(RateLimited) as caught:
        list(clients[0].objects(Query("ztf")))
    assert 3500 < caught.value.retry_after <= 3600
    assert (len(httpserver.log), naps) == (3, [])


def test_a_service_without_a_token_is_not_asked():
    client = Client(lsst_token="x")
    assert client.surveys == ("lsst",)
    with pytest.raises(Unauthorized, match="no token"):
        list(client.search(Query("ztf")))


def test_a_search_yields_whole_objects(client, httpserver):
    httpserver.expect_request("/api/query/").respond_with_json([{"objectId": OID}])
    serve_object(httpserver, {OID: ZTF})
    (alert,) = client.search(Query("ztf"))
    assert alert.detections.tobytes() == read_object(ZTF).detections.tobytes()
