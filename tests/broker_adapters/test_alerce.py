import json
import re
from importlib.resources import files
from inspect import signature

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug import Response

from broker_adapters import photometry
from broker_adapters.association import associate
from broker_adapters.brokers.alerce import Client, read_lsst, read_ztf
from broker_adapters.correction import correct
from broker_adapters.crossmatch import mean_position
from broker_adapters.errors import PacketError, RateLimited, SourceError, Unavailable
from broker_adapters.merge import union
from broker_adapters.records import Kind, Query
from tests.broker_adapters.samples import recorded, rows

OID = "ZTF26aacextk"
DIA = 170028526513684557
#: Zero of the AB scale in nJy, as in the field's definition: 31.4.
FLUX_20 = 10 ** (0.4 * (31.4 - 20.0))

ABOUT = {"oid": OID, "ndethist": "23", "stellar": False, "lastmjd": 61078.5, "meanra": 187.02, "meandec": 6.96, "sigmara": 1e-4}
SEEN = {
    "tid": "ztf", "mjd": 61059.5, "candid": "3305560815515015025", "fid": 1, "pid": 3305560815515, "isdiffpos": 1,
    "magpsf": 20.0, "sigmapsf": 0.1, "ra": 187.0202, "dec": 6.9678, "rb": 0.76, "drb": 0.99, "has_stamp": True,
}  # fmt: skip
LSST_ABOUT = {"oid": DIA, "sid": 1, "meanra": 187.020189, "meandec": 6.967839, "lastmjd": 61098.24, "n_det": 2}
SOURCE = {
    "band_map": {"6": "u", "1": "g", "2": "r", "3": "i", "4": "z", "5": "y"}, "band": 3, "mjd": 61090.25, "measurement_id": DIA,
    "psfFlux": -2615.0, "psfFluxErr": 216.0, "scienceFlux": 6471.0, "scienceFluxErr": 212.0, "ra": 187.0202, "dec": 6.9678,
    "raErr": 3e-6, "decErr": 3e-6, "reliability": 0.5, "has_stamp": True, "ssObjectId": 0,
}  # fmt: skip


def test_a_magnitude_has_a_sign_a_middle_and_an_error():
    alert = read_ztf(ABOUT, [SEEN, SEEN | {"candid": "2", "isdiffpos": -1, "mjd": 61060.5}])
    assert alert.detections["flux"].tolist() == pytest.approx([FLUX_20, -FLUX_20])
    assert alert.detections["flux_err"].tolist() == pytest.approx([FLUX_20 * 0.1 * np.log(10) / 2.5] * 2)
    np.testing.assert_allclose(alert.detections["mjd"], [61059.5 + 15 / 86400, 61060.5 + 15 / 86400], atol=1e-9)
    assert alert.detections["source_id"].tolist() == ["3305560815515015025", "2"]
    assert alert.mjd == alert.detections["mjd"][-1]
    assert (alert.survey, alert.object_id, alert.source_id, alert.broker) == ("ztf", OID, None, "alerce")
    assert alert.metadata["stellar"] is False


@pytest.mark.parametrize("undefined", [{}, {"magpsf_corr": None}, {"magpsf_corr": 100.0, "sigmapsf_corr": 100.0}])
def test_a_hundred_and_an_absent_key_are_not_measured(undefined):
    row = read_ztf(ABOUT, [SEEN | undefined]).detections[0]
    assert np.isnan(row["ref_flux"])
    assert np.isnan(row["ref_flux_err"])


def test_the_reference_is_the_total_without_the_difference():
    row = read_ztf(ABOUT, [SEEN | {"magpsf_corr": 18.0, "sigmapsf_corr": 100.0}]).detections[0]
    assert row["ref_flux"] + row["flux"] == pytest.approx(10 ** (0.4 * 13.4))
    assert np.isnan(row["ref_flux_err"])


def test_a_reliability_of_nought_is_an_absent_one():
    found = read_ztf(ABOUT, [SEEN | {"candid": "2", "drb": 0.0}, SEEN | {"candid": "3", "drb": None}, SEEN]).detections
    assert found["reliability"].tolist() == pytest.approx([0.76, 0.76, 0.99])


def test_non_detections_are_limits_of_five_sigma():
    alert = read_ztf(ABOUT, [SEEN], [{"tid": "ztf", "mjd": 61050.0, "fid": 2, "diffmaglim": 20.0}])
    row = alert.detections[0]
    assert (row["kind"], row["band"]) == (Kind.LIMIT, "r")
    assert np.isnan(row["flux"])
    assert row["flux_err"] == pytest.approx(FLUX_20 / 5)


def test_forced_photometry_in_both_shapes_is_one_row():
    old = {"mjd": 61050.0, "fid": "g", "mag": 20.0, "e_mag": 0.1, "isdiffpos": -1, "extra_fields": {"procstatus": "0"}}
    new = {"mjd": 61050.00000001, "fid": 1, "mag": 20.0, "e_mag": 0.1, "isdiffpos": -1, "procstatus": "0"}
    alert = read_ztf(ABOUT, [SEEN], forced=[old, new, new | {"mjd": 61051.0, "mag": 100.0}, new | {"mjd": 61052.0, "procstatus": "56"}])
    forced = alert.detections[alert.detections["kind"] == Kind.FORCED]
    assert forced["flux"].tolist() == pytest.approx([-FLUX_20])


def test_without_detections_the_object_says_where_and_when():
    alert = read_ztf(ABOUT)
    assert (alert.ra, alert.dec) == (187.02, 6.96)
    assert alert.mjd == pytest.approx(61078.5 + 15 / 86400)
    assert len(alert.detections) == 0


def test_probabilities_become_labels_of_the_broker():
    said = {"classifier_name": "lc_classifier", "classifier_version": "1.0", "class_name": "SNIa", "probability": 0.7, "ranking": 1}
    other = {"classifier_name": "stamp", "classfier_version": None, "class_name": "SN", "probability": 1.0}
    alert = read_ztf(ABOUT, [SEEN], probabilities=[said, other, said | {"probability": None}, said | {"class_name": None}, {}])
    assert [(label.classifier, label.version, label.label, label.probability) for label in alert.labels] == [
        ("lc_classifier", "1.0", "SNIa", 0.7),
        ("stamp", "", "SN", 1.0),
    ]


def test_an_lsst_source_is_signed_nanojansky_at_utc():
    alert = read_lsst(LSST_ABOUT, [SOURCE])
    row = alert.detections[0]
    assert (row["flux"], row["flux_err"], row["band"], row["source_id"]) == (-2615.0, 216.0, "i", str(DIA))
    assert row["ref_flux"] == pytest.approx(6471 + 2615)
    assert row["mjd"] == pytest.approx(61090.25 - 37 / 86400, abs=1e-9)
    assert alert.object_id == str(DIA)
    assert not alert.moving


def test_nulls_of_lsst_that_were_sent_as_nought_and_minus_one():
    null = SOURCE | {"measurement_id": 5, "psfFlux": 0.0, "psfFluxErr": 0.0}
    half = SOURCE | {"measurement_id": 6, "scienceFlux": 0.0, "scienceFluxErr": -1, "parentDiaSourceId": -1}
    alert = read_lsst(LSST_ABOUT, [null, half], forced=[{**null, "band": 1}])
    assert alert.detections["source_id"].tolist() == ["6"]
    assert np.isnan(alert.detections["ref_flux"]).all()


def test_a_solar_system_object_moves():
    assert read_lsst(LSST_ABOUT | {"sid": 2}, [SOURCE]).moving


@pytest.mark.parametrize(
    "damage",
    [
        {"oid": None}, {"oid": 1.7e17}, {"oid": "<script>"}, {"meanra": None, "meandec": None}, {"meanra": "x"}, {"lastmjd": None},
    ],
)  # fmt: skip
def test_an_object_that_cannot_be_is_refused(damage):
    with pytest.raises(PacketError):
        read_ztf(ABOUT | damage)
    with pytest.raises(PacketError):
        read_lsst(LSST_ABOUT | damage)


@pytest.mark.parametrize(
    "damage",
    [
        {"candid": None}, {"candid": 3.3e18}, {"fid": 9}, {"fid": None}, {"fid": []}, {"mjd": None}, {"mjd": "soon"}, {"isdiffpos": None},
        {"ra": "x"}, {"ra": 10**400},
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_left_out_and_counted(damage):
    if "ra" in damage:  # a detection may be without its position
        assert np.isnan(read_ztf(ABOUT, [SEEN | damage]).detections["ra"]).all()
        return
    alert = read_ztf(ABOUT, [SEEN, {**SEEN, "candid": "2", **damage}])
    assert alert.detections["source_id"].tolist() == [SEEN["candid"]]
    assert sum(alert.dropped.values()) == 1


@pytest.mark.parametrize("nothing", [{"magpsf": None}, {"magpsf": 100.0}, {"magpsf": {}}, {"magpsf": "NaN"}])
def test_a_detection_without_a_magnitude_is_none(nothing):
    assert read_ztf(ABOUT, [SEEN, SEEN | {"candid": "2"} | nothing]).detections["source_id"].tolist() == [SEEN["candid"]]


@pytest.mark.parametrize("answer", [{}, "x", 7, [7], [None], [[]]])
def test_rows_that_are_no_rows_are_left_out_and_what_is_no_list_is_refused(answer):
    for name in ("detections", "non_detections", "forced", "probabilities"):
        if isinstance(answer, list):
            assert read_ztf(ABOUT, **{name: answer}).dropped == {"no record": 1}
        elif answer:
            with pytest.raises(PacketError):
                read_ztf(ABOUT, **{name: answer})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(sorted(SEEN | SOURCE)), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SEEN)), st.sampled_from(sorted(SOURCE)), json_values)
def test_whatever_a_field_holds_it_is_an_alert_or_a_packet_error(name, other, anything):
    for read, about, row, key in ((read_ztf, ABOUT, SEEN, name), (read_lsst, LSST_ABOUT, SOURCE, other)):
        try:
            alert = read(about, [row | {key: anything}])
        except PacketError:
            continue
        assert alert.detections.dtype["mjd"].kind == "f"


# recorded answers


@pytest.mark.real_data
def test_the_recorded_ztf_object(real_data):
    samples = real_data / "broker_samples"
    about, detections = (json.loads((samples / f"alerce_get_alert_{i}.json").read_text()) for i in (0, 1))
    alert = read_ztf(about, detections)
    assert alert.object_id == "ZTF18abcgqmz"
    assert alert.detections["source_id"].tolist() == ["534377870115010099", "593191350115010084"]
    assert (alert.detections["flux"] < 0).all()
    assert np.isfinite(alert.detections["ref_flux"]).all()
    assert alert.detections["reliability"].tolist() == pytest.approx([0.53333336, 0.59])
    assert np.hypot((alert.ra - about["meanra"]) * 3600, (alert.dec - about["meandec"]) * 3600) < 0.5


@pytest.mark.real_data
def test_the_recorded_lsst_object(real_data):
    samples = real_data / "broker_samples"
    about, detections = (json.loads((samples / f"alerce_lsst_get_alert_{i}.json").read_text()) for i in (0, 1))
    alert = read_lsst(about, detections)
    assert alert.object_id == "170587116732416143"
    assert alert.detections["source_id"].tolist() == [str(d["measurement_id"]) for d in sorted(detections, key=lambda d: d["mjd"])]
    assert alert.detections["flux"][0] == pytest.approx(-2615.273)
    assert (alert.ra, alert.dec) == pytest.approx((about["meanra"], about["meandec"]), abs=0.1 / 3600)


@pytest.mark.real_data
def test_the_star_under_a_variable_is_the_same_whether_it_brightens_or_fades(real_data):
    """ALeRCE gives totals and signs: what is left without the difference, 608 times for one star, must be one magnitude in each band."""
    given = rows(real_data / "broker_samples/alerce_webservices/detections.csv")
    found = read_ztf({"oid": "ZTF18abbuive"}, [row | {"candid": str(row["candid"]).strip('"')} for row in given]).detections
    total = correct(found)
    said = {str(row["candid"]).strip('"'): row for row in given}
    for band in "gr":
        chosen = found[found["band"] == band]
        star = photometry.magnitude_from_flux(chosen["ref_flux"])
        brighter, fainter = np.median(star[chosen["flux"] > 0.0]), np.median(star[chosen["flux"] < 0.0])
        assert min((chosen["flux"] > 0.0).sum(), (chosen["flux"] < 0.0).sum()) > 70
        assert brighter == pytest.approx(fainter, abs=1e-5)
    for i, source_id in enumerate(found["source_id"].tolist()):
        row = said[source_id]
        assert total.magnitude[i] == pytest.approx(row["magpsf_corr"], abs=1e-6)
        assert total.error_extended[i] == pytest.approx(row["sigmapsf_corr_ext"], abs=1e-6)
        assert (total.corrected[i], total.dubious[i]) == (row["corrected"] in (True, "true"), row["dubious"] in (True, "true"))


@pytest.mark.real_data
def test_the_recorded_files_of_the_web_services(real_data):
    folder = real_data / "broker_samples" / "alerce_webservices"
    curve = json.loads((folder / "aaelulu.json").read_text())
    alert = read_ztf(ABOUT | {"oid": "ZTF20aaelulu"}, curve["detections"], curve["non_detections"])
    assert len(alert.detections) == len(curve["detections"]) + len(curve["non_detections"])
    brightest = min(curve["detections"], key=lambda d: d["magpsf"])
    assert str(alert.detections["source_id"][np.nanargmax(alert.detections["flux"])]) == brightest["candid"]

    new = json.loads((folder / "forced_photometry_202311301515.json").read_text())["forced_photometry"]
    old = json.loads((folder / "forced_mongo.json").read_text())
    oid = new[0]["oid"]
    both = read_ztf(ABOUT | {"oid": oid}, forced=new + old)
    assert len(both.detections) == len({(row["mjd"], str(row["fid"])) for row in new})
    assert read_ztf(ABOUT | {"oid": oid}, forced=old).detections["source_id"].tolist() == [
        i for i in both.detections["source_id"].tolist() if i in read_ztf(ABOUT | {"oid": oid}, forced=old).detections["source_id"]
    ]
    assert np.isfinite(both.detections["ref_flux"]).any()

    table = rows(folder / "detections.csv")
    limits = rows(folder / "non_detections.csv")
    table = [row | {"candid": str(row["candid"])} for row in table]
    alert = read_ztf(ABOUT | {"oid": "ZTF18aazsabq"}, table, limits)
    assert len(alert.detections) == len(table) + len(limits)


@pytest.mark.real_data
@pytest.mark.parametrize("cell", [30, 74])
def test_the_recorded_light_curves_of_the_notebooks(real_data, cell):
    folder = real_data / "broker_samples" / "alerce_usecases_notebooks"
    detections = rows(folder / f"ALeRCE_LSST_Client_Queries_cell{cell}_0.csv")
    forced = rows(folder / f"ALeRCE_LSST_Client_Queries_cell{cell + 1}_0.csv")
    alert = read_lsst(LSST_ABOUT | {"oid": detections[0]["oid"]}, detections, forced)
    assert len(alert.detections) == len(detections) + len(forced)


@pytest.mark.real_data
@pytest.mark.parametrize("cell", [27, 71, 84, 95])
def test_the_recorded_objects_of_the_notebooks(real_data, cell):
    found = list((real_data / "broker_samples" / "alerce_usecases_notebooks").glob(f"ALeRCE_LSST_Client_Queries_cell{cell}_*.csv"))
    for about in rows(found[0]):
        alert = read_lsst(about, probabilities=[about])
        assert alert.object_id == str(about["oid"])
        assert len(alert.labels) == ("class_name" in about)


@pytest.mark.real_data
def test_a_supernova_of_two_surveys_is_one_object_with_one_light_curve(real_data):
    folder = real_data / "broker_samples" / "alerce_usecases_notebooks"
    lsst_about, ztf_about, sources, seen, lsst_forced, ztf_forced = (
        rows(folder / f"ALeRCE_LSST_ZTF_cell{i}_0.csv") for i in (27, 28, 39, 40, 41, 42)
    )
    forced = [row for row in ztf_forced if row["procstatus"] in (None, 0, 57)]
    alerts = [
        read_lsst(lsst_about[0], sources, lsst_forced, lsst_about),
        read_ztf(ztf_about[0], [row | {"candid": str(row["candid"])} for row in seen], forced=ztf_forced),
    ]
    places = np.array([(a.ra, a.dec, a.position_err) for a in alerts]).T
    assert associate([a.survey for a in alerts], *places).group.tolist() == [0, 0]
    detections = union(a.detections for a in alerts)
    assert len(detections) == len(sources) + len(seen) + len(lsst_forced) + len(forced)
    assert set(zip(detections["survey"], detections["band"], strict=True)) >= {("ztf", "g"), ("ztf", "r"), ("lsst", "r")}
    ra, dec, _ = mean_position(*places)
    assert np.hypot((ra - 187.020189) * np.cos(np.radians(dec)), dec - 6.967839) * 3600 < 0.05
    assert alerts[0].labels[0].label == "SN"


# the client


def test_the_addresses_are_those_of_alerces_own_package(httpserver):
    """So that a new version of it tells us of a move."""
    known = json.loads(files("alerce").joinpath("default_config.json").read_text())
    ours = {name: parameter.default for name, parameter in signature(Client).parameters.items()}
    assert ours["ztf_url"] == known["ztf"]["ZTF_API_URL"]
    assert ours["lsst_url"] == known["multisurvey"]["URL_MS"].rstrip("/")
    assert ours["avro_url"] == known["stamps_ztf"]["AVRO_URL"]
    here = httpserver.url_for("")
    client = Client(ztf_url=here, lsst_url=here)
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(page([ABOUT], False))
    serve_ztf(httpserver, OID)
    serve_lsst(httpserver, DIA)
    httpserver.expect_request("/object_api/list_objects").respond_with_json(page([LSST_ABOUT], False))
    assert len([*client.search(Query("ztf")), *client.search(Query("lsst")), *client.fetch("lsst", [str(DIA)])]) == 3
    asked = {request.path.rstrip("/").replace(OID, "%s") for request, _ in httpserver.log}
    routes = {*known["ztf"]["ZTF_ROUTES"].values(), *("/" + route for route in known["multisurvey"]["ROUTES_MS"].values())}
    assert asked <= routes


@pytest.fixture
def naps():
    return []


@pytest.fixture
def client(httpserver, naps):
    here = httpserver.url_for("")
    return Client(ztf_url=here, lsst_url=here, avro_url=here, timeout=10.0, retries=1, sleep=naps.append)


def serve_ztf(httpserver, oid, about=None, detections=(SEEN,)):
    httpserver.expect_request(f"/ztf/v1/objects/{oid}").respond_with_json(about or ABOUT | {"oid": oid})
    httpserver.expect_request(f"/ztf/v1/objects/{oid}/lightcurve").respond_with_json({"detections": list(detections), "non_detections": []})
    httpserver.expect_request(f"/ztf/v1/objects/{oid}/probabilities").respond_with_json([])
    httpserver.expect_request(f"/v2/lightcurve/forced-photometry/{oid}").respond_with_json([])


def page(items, has_next):
    return {"total": None, "next": None, "has_next": has_next, "prev": None, "has_prev": None, "items": items}


def test_a_search_turns_pages_names_an_object_once_and_stops_at_the_limit(client, httpserver):
    names = [f"ZTF26aaaaaa{c}" for c in "abcdef"]
    for name in names:
        serve_ztf(httpserver, name)
    pages = {"1": page([{**ABOUT, "oid": n} for n in (names[0], names[0], names[1])], True),
             "2": page([{**ABOUT, "oid": n} for n in (names[1], names[2], names[3])], True),
             "3": page([{**ABOUT, "oid": n} for n in names[4:]], False)}  # fmt: skip
    asked = []

    def listing(request):
        asked.append(request.args)
        return Response(json.dumps(pages[request.args["page"]]), content_type="application/json")

    httpserver.expect_request("/ztf/v1/objects/").respond_with_handler(listing)
    query = Query(
        "ztf", classifier="lc_classifier", label="SNIa", probability=0.5, since=61000.0, until=61001.0, ra=0.0, dec=0.0, radius=5.0
    )
    assert [a.object_id for a in client.search(query)] == names
    assert asked[0].getlist("lastmjd") == ["61000.0", "61001.0"]
    expected = {"classifier": "lc_classifier", "class": "SNIa", "probability": "0.5", "ra": "0.0", "dec": "0.0", "radius": "5.0"}
    assert {name: asked[0][name] for name in expected} == expected
    asked.clear()
    assert [a.object_id for a in client.search(Query("ztf", limit=3))] == names[:3]
    assert len(asked) == 2


def test_a_list_that_never_ends_ends(client, httpserver):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(page([ABOUT], True))
    assert [about["oid"] for about in client.objects(Query("ztf"))] == [OID]
    assert len(httpserver.log) == 2


def test_unknown_objects_are_left_out(client, httpserver):
    httpserver.expect_request("/ztf/v1/objects/ZTF26zzzzzzz").respond_with_json({"message": "not found"}, status=404)
    serve_ztf(httpserver, OID)
    assert [a.object_id for a in client.fetch("ztf", ["ZTF26zzzzzzz", OID])] == [OID]


def test_one_object_that_cannot_be_read_does_not_hide_the_others(client, httpserver):
    serve_ztf(httpserver, "ZTF26aaaaaaa", about=ABOUT | {"oid": "ZTF26aaaaaaa", "lastmjd": None}, detections=())
    serve_ztf(httpserver, OID)
    assert [a.object_id for a in client.fetch("ztf", ["ZTF26aaaaaaa", OID])] == [OID]
    assert [name for name, _ in client.rejected] == ["ZTF26aaaaaaa"]


def test_an_object_without_light_curve_and_probabilities(client, httpserver):
    httpserver.expect_request(f"/ztf/v1/objects/{OID}").respond_with_json(ABOUT)
    httpserver.expect_request(re.compile(".*")).respond_with_json({"message": "not found"}, status=404)
    (alert,) = client.fetch("ztf", [OID])
    assert len(alert.detections) == 0


def serve_lsst(httpserver, oid, about=None):
    which = {"survey_id": "lsst", "oid": str(oid)}
    httpserver.expect_request("/object_api/object", query_string=which).respond_with_json(about or LSST_ABOUT | {"oid": oid})
    httpserver.expect_request("/lightcurve_api/detections", query_string=which).respond_with_json([SOURCE])
    httpserver.expect_request("/lightcurve_api/forced-photometry", query_string=which).respond_with_json([])
    said = [{"classifier_name": "stamp_classifier_rubin", "classifier_version": "2.0.1", "class_name": "SN", "probability": 0.98}]
    httpserver.expect_request("/probability_api/probability", query_string={"oid": str(oid)}).respond_with_json(said)


def test_a_cone_over_lsst_finds_what_is_not_classified_in_degrees(client, httpserver):
    asked = []

    def cone(request):
        asked.append(request.args)
        near = [{"objectId": str(DIA), "survey_id": "lsst", "ra": 1, "dec": 1}, {"objectId": OID, "survey_id": "ztf", "ra": 1, "dec": 1}]
        return Response(json.dumps(near), content_type="application/json")

    httpserver.expect_request("/lightcurve_api/conesearch/objects_by_coordinates").respond_with_handler(cone)
    serve_lsst(httpserver, DIA)
    (alert,) = client.search(Query("lsst", ra=187.0, dec=6.9, radius=3.6))
    assert float(asked[0]["radius"]) == pytest.approx(0.001)
    assert (alert.object_id, alert.labels[0].label) == (str(DIA), "SN")
    assert list(client.search(Query("lsst", ra=187.0, dec=6.9, since=61098.2400))) == []
    assert len(list(client.search(Query("lsst", ra=187.0, dec=6.9, since=61098.2395)))) == 1


def test_a_search_over_lsst_asks_in_tai(client, httpserver):
    asked = []

    def listing(request):
        asked.append(request.args)
        return Response(json.dumps(page([LSST_ABOUT, LSST_ABOUT], False)), content_type="application/json")

    httpserver.expect_request("/object_api/list_objects").respond_with_handler(listing)
    serve_lsst(httpserver, DIA)
    assert len(list(client.search(Query("lsst", label="SN", since=61000.0)))) == 1
    assert asked[0]["survey"] == "lsst"
    assert asked[0]["class_name"] == "SN"
    assert float(asked[0]["lastmjd"]) == pytest.approx(61000 + 37 / 86400, abs=1e-9)


def test_an_unknown_lsst_object_is_500_and_a_broken_service_too(client, httpserver):
    httpserver.expect_request("/object_api/object").respond_with_json({"detail": "An error occurred"}, status=500)
    for oid, detections in (("1", []), (str(DIA), [SOURCE])):
        which = {"survey_id": "lsst", "oid": oid}
        httpserver.expect_request("/lightcurve_api/detections", query_string=which).respond_with_json(detections)
    assert list(client.fetch("lsst", ["1"])) == []
    assert list(client.fetch("lsst", [str(DIA)])) == []
    ((name, error),) = client.rejected
    assert name == str(DIA)
    assert isinstance(error, Unavailable)
    assert "which it knows" in str(error)


def test_stamps_of_lsst_are_those_of_the_first_alert_that_has_some(httpserver):
    here = httpserver.url_for("")
    later = SOURCE | {"measurement_id": 9, "mjd": 61099.0}
    without = SOURCE | {"measurement_id": 8, "mjd": 61000.0, "has_stamp": False}
    which = {"survey_id": "lsst", "oid": str(DIA)}
    httpserver.expect_ordered_request("/object_api/object").respond_with_json(LSST_ABOUT)
    httpserver.expect_request("/lightcurve_api/detections", query_string=which).respond_with_json([later, SOURCE, without])
    for kind in ("Science", "Template"):
        query = which | {"measurement_id": str(DIA), "stamp_type": f"cutout{kind}", "file_format": "fits"}
        httpserver.expect_request("/stamps_api/stamp", query_string=query).respond_with_data(kind.encode())
    httpserver.expect_request("/stamps_api/stamp").respond_with_json({}, status=404)
    httpserver.expect_request("/probability_api/probability").respond_with_json({}, status=404)
    client = Client(lsst_url=here, stamps=True, forced=False)
    (alert,) = client.fetch("lsst", [str(DIA)])
    assert (alert.cutouts.science, alert.cutouts.template, alert.cutouts.difference) == (b"Science", b"Template", None)
    assert alert.source_id == str(DIA)


@pytest.mark.real_data
def test_stamps_of_ztf_come_with_the_packet_and_its_metadata(real_data, httpserver):
    here = httpserver.url_for("")
    path = real_data / "broker_samples" / "ztf" / "2695378462115010012.avro"
    serve_ztf(httpserver, OID, detections=[SEEN | {"candid": "2695378462115010012"}])
    httpserver.expect_request("/get_avro", query_string={"oid": OID, "candid": "2695378462115010012"}).respond_with_data(path.read_bytes())
    (alert,) = Client(ztf_url=here, avro_url=here, stamps=True).fetch("ztf", [OID])
    assert alert.source_id == "2695378462115010012"
    assert alert.cutouts.science[:2] == b"\x1f\x8b"
    assert "magnr" in alert.metadata


def test_rate_limits_broken_pages_and_unknown_surveys(client, httpserver, naps):
    httpserver.expect_ordered_request("/ztf/v1/objects/").respond_with_data("", status=429, headers={"Retry-After": "300"})
    with pytest.raises(RateLimited) as caught:
        list(client.search(Query("ztf")))
    assert caught.value.retry_after == 300
    for body in ("<html>Bad Gateway</html>", '{"items": [', "[]"):
        httpserver.expect_ordered_request("/ztf/v1/objects/").respond_with_data(body)
        with pytest.raises(Unavailable):
            list(client.search(Query("ztf")))
    for items in ("none", [7], [{"oid": None}], {"oid": OID}):
        httpserver.expect_ordered_request("/ztf/v1/objects/").respond_with_json({"items": items})
        with pytest.raises(Unavailable, match="cannot be used"):
            list(client.search(Query("ztf")))
    for near in ({}, [{"objectId": "<b>"}], "x"):
        httpserver.expect_ordered_request("/lightcurve_api/conesearch/objects_by_coordinates").respond_with_json(near)
        with pytest.raises(Unavailable, match="cannot be used"):
            list(client.search(Query("lsst", ra=1.0, dec=1.0)))
    assert list(client.fetch("ztf", ["<script>", "a/b"])) == []
    assert [name for name, _ in client.rejected] == ["<script>", "a/b"]
    with pytest.raises(SourceError, match="atlas"):
        list(client.search(Query("atlas")))


@pytest.mark.real_data
def test_the_recorded_cassettes_through_the_client(real_data, httpserver):
    here = httpserver.url_for("")
    client = Client(ztf_url=here, lsst_url=here)
    folder = real_data / "broker_samples" / "skyportal_cassettes"
    answers = recorded(folder / "alerce_get_alert.yaml")
    oid = "ZTF18abcgqmz"
    serve_ztf(httpserver, oid, answers[f"/ztf/v1/objects/{oid}"][1], answers[f"/ztf/v1/objects/{oid}/detections"][1])
    (alert,) = client.fetch("ztf", [oid])
    assert len(alert.detections) == 2
    for path, (query, answer) in recorded(folder / "alerce_lsst_get_alert.yaml").items():
        httpserver.expect_request(path, query_string=query).respond_with_json(answer)
    httpserver.expect_request("/lightcurve_api/forced-photometry").respond_with_json([])
    httpserver.expect_request("/probability_api/probability").respond_with_json({"detail": "none"}, status=404)
    (alert,) = client.fetch("lsst", ["170587116732416143"])
    assert len(alert.detections) == 3
