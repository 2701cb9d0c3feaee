"""From the servers of brokers to objects on the sky: the whole way, with the servers on loopback."""

import json

import pytest
from werkzeug import Response

from broker_adapters.records import Query
from tests.tom_alerce.test_dataservices import ABOUT, DIA, LASAIR, LSST_ABOUT, OID, SEEN, serve_alerce
from tom_alerce.models import Classification, DeadLetter, Detection, SkyObject, SurveyObject
from tom_alerce.pipeline import poll

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured(settings, httpserver, request):
    here = httpserver.url_for("")
    settings.TOM_ALERCE = {
        "BROKERS": {
            "alerce": {"ztf_url": here, "lsst_url": here, "retries": 0},
            "lasair": {"lsst_token": request.node.name, "lsst_url": here + "/api", "retries": 0},
        }
    }


def listing(*items):
    return {"items": list(items), "has_next": False}


def test_one_source_through_two_surveys_and_two_brokers_is_one_object(httpserver):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(listing(ABOUT, ABOUT))
    httpserver.expect_request("/object_api/list_objects").respond_with_json(listing(LSST_ABOUT))
    httpserver.expect_request("/api/query/").respond_with_json([{"diaObjectId": DIA}])
    httpserver.expect_request("/api/object/").respond_with_json(LASAIR)
    serve_alerce(httpserver)
    for broker, survey in (("alerce", "ztf"), ("alerce", "lsst"), ("lasair", "lsst"), ("alerce", "ztf")):
        report = poll.poll(broker, Query(survey, since=61000.0))
        assert report.problem is None
    sky = SkyObject.objects.get()
    assert {str(member) for member in sky.survey_objects.all()} == {OID, f"LSST {DIA}"}
    assert Detection.objects.count() == 3  # a detection and a limit of ZTF, and one of Rubin that both brokers have
    assert SurveyObject.objects.get(survey="lsst").names == ["SN 2026asx"]
    assert Classification.objects.get(origin="lasair").label == "SN"


def test_what_cannot_be_read_is_a_dead_letter_and_a_broken_answer_is_a_problem(httpserver):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json(listing(ABOUT | {"oid": "ZTF26aaaaaaa", "meanra": None}, ABOUT))
    bad = {"detections": [SEEN | {"fid": 9}], "non_detections": []}
    httpserver.expect_request("/ztf/v1/objects/ZTF26aaaaaaa/lightcurve").respond_with_json(bad)
    httpserver.expect_request("/v2/lightcurve/forced-photometry/ZTF26aaaaaaa").respond_with_json([])
    httpserver.expect_request("/ztf/v1/objects/ZTF26aaaaaaa/probabilities").respond_with_json([])
    serve_alerce(httpserver)
    report = poll.poll("alerce", Query("ztf", since=61000.0))
    assert (report.refused, report.read["ztf"], report.problem) == (1, 1, None)
    assert DeadLetter.objects.get().position == "ZTF26aaaaaaa"

    def cut(request):
        page = listing(ABOUT | {"oid": "ZTF26aaaaaab"}) | {"has_next": True}
        return Response(json.dumps(page) if request.args["page"] == "1" else "<html>Bad Gateway</html>", content_type="application/json")

    httpserver.clear()
    for path, answer in (("lightcurve", {"detections": [SEEN | {"candid": "7"}]}), ("probabilities", [])):
        httpserver.expect_request(f"/ztf/v1/objects/ZTF26aaaaaab/{path}").respond_with_json(answer)
    httpserver.expect_request("/v2/lightcurve/forced-photometry/ZTF26aaaaaab").respond_with_json([])
    httpserver.expect_request("/ztf/v1/objects/").respond_with_handler(cut)
    report = poll.poll("alerce", Query("ztf", since=61000.0))
    assert "not JSON" in str(report.problem)
    assert report.read["ztf"] == 1  # what came before it is kept
