"""Our data services through the toolkit's own pages and commands, with the brokers' servers on loopback."""

import json
import logging
import math
import re
import threading

import pytest
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.core.management import call_command
from django.urls import reverse
from tom_dataproducts.models import PhotometryReducedDatum
from tom_dataservices.dataservices import get_data_service_class, get_data_service_classes
from tom_dataservices.models import DataServiceQuery
from tom_targets.models import Target, TargetExtra, TargetName
from werkzeug import Response

from tom_alerce.dataservices.alerce import AlerceDataService
from tom_alerce.dataservices.atlas import KEY, AtlasDataService
from tom_alerce.dataservices.base import BrokerError, object_ids
from tom_alerce.dataservices.lasair import LasairDataService
from tom_alerce.models import SkyObject, SurveyObject

pytestmark = pytest.mark.django_db

OID, DIA = "ZTF26aacextk", 170028526513684557
ABOUT = {"oid": OID, "ndet": 2, "lastmjd": 61078.5, "meanra": 187.02, "meandec": 6.96, "class": "SN<b>", "probability": 0.9}
SEEN = {"mjd": 61059.5, "candid": "33", "fid": 1, "isdiffpos": 1, "magpsf": 20.0, "sigmapsf": 0.1, "ra": 187.02, "dec": 6.96}
LSST_ABOUT = {"oid": DIA, "sid": 1, "meanra": 187.02, "meandec": 6.96, "lastmjd": 61098.24, "n_det": 2}
SOURCE = {
    "band": 3, "mjd": 61090.25, "measurement_id": DIA, "psfFlux": 26150.0, "psfFluxErr": 216.0, "ra": 187.02, "dec": 6.96,
}  # fmt: skip
LASAIR = {
    "diaObjectId": DIA,
    "lasairData": {"sherlock": {"classification": "SN"}, "TNS": {"tns_name": "2026asx", "tns_prefix": "SN", "arcsec": 0.1}},
    "diaObject": {"ra": 187.02, "decl": 6.96, "lastDiaSourceMjdTai": 61090.25},
    "diaSourcesList": [{"diaSourceId": DIA, "midpointMjdTai": 61090.25, "band": "i", "psfFlux": 26150.0, "psfFluxErr": 216.0}],
    "diaForcedSourcesList": [],
}
TABLE = """###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec        x        y     maj  min   phi  apfit mag5sig Sky   Obs
61000.500000  17.000  0.010  575  5 o  0 1.10 187.02000   6.96000  5000.0 5000.0 2.10 2.00 -46.5 -0.454 19.35 20.23 02a61000o0467o
"""


@pytest.fixture(autouse=True)
def _configured(settings, httpserver, request):
    here = httpserver.url_for("")
    quick = {"timeout": 10.0, "retries": 0}
    token = re.sub(r"\W", "_", request.node.name)
    settings.TOM_ALERCE = {
        "BROKERS": {
            "alerce": {"ztf_url": here, "lsst_url": here, **quick},
            "lasair": {"lsst_token": token, "lsst_url": here + "/api", **quick},
            "atlas_forced": {"token": token, "url": here + "/forcedphot", **quick},
        }
    }
    cache.clear()


@pytest.fixture
def page(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("observer"))
    return client


def serve_alerce(httpserver, *detections):
    httpserver.expect_request(f"/ztf/v1/objects/{OID}").respond_with_json(ABOUT)
    curve = {"detections": list(detections or [SEEN]), "non_detections": [{"mjd": 61050.0, "fid": 2, "diffmaglim": 20.5}]}
    httpserver.expect_request(f"/ztf/v1/objects/{OID}/lightcurve").respond_with_json(curve)
    httpserver.expect_request(f"/ztf/v1/objects/{OID}/probabilities").respond_with_json([])
    httpserver.expect_request(f"/v2/lightcurve/forced-photometry/{OID}").respond_with_json([])
    httpserver.expect_request("/object_api/object").respond_with_json(LSST_ABOUT)
    httpserver.expect_request("/lightcurve_api/detections").respond_with_json([SOURCE])
    httpserver.expect_request("/lightcurve_api/forced-photometry").respond_with_json([])
    httpserver.expect_request("/probability_api/probability").respond_with_json([])
    httpserver.expect_request("/lightcurve_api/conesearch/objects_by_coordinates").respond_with_json([])


def ask(page, service, **fields):
    """Fill in the form as a person does, and follow to the results."""
    data = {"data_service": service.name, "survey": "ztf", "limit": 10, **fields}
    return page.post(reverse("dataservices:create"), data, follow=True)


def create(page, service, *rows):
    data = {"data_service": service.name, "query_id": "", "selected_results": [str(i) for i in rows]}
    return page.post(reverse("dataservices:create-target"), data)


def update(page, service, target):
    return page.post(reverse("dataservices:update-data"), {"data_service": service.name, "target": target.pk})


def told(response):
    """The latest message; those before it were for pages that no test looks at."""
    return ([""] + [str(message) for message in get_messages(response.wsgi_request)])[-1]


SERVICES = (AlerceDataService, LasairDataService, AtlasDataService)


def test_ours_stand_beside_the_toolkits_own():
    from tom_dataservices.data_services.alerce import AlerceDataService as BuiltIn

    found = get_data_service_classes()
    assert found["ALeRCE"] is BuiltIn
    for service in SERVICES:
        assert get_data_service_class(service.name) is service
        assert not set(service.name) & set("+&#%?=")  # the toolkit puts the name into addresses as it is


@pytest.mark.parametrize("service", SERVICES)
def test_the_form_is_a_page_that_asks_nobody(page, httpserver, service):
    response = page.get(reverse("dataservices:create"), {"data_service": service.name})
    assert response.status_code == 200
    assert b'name="ra"' in response.content
    assert not httpserver.log


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_alerce_from_the_form_to_a_target_with_photometry(page, httpserver, survey):
    serve_alerce(httpserver)
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json({"items": [ABOUT, ABOUT], "has_next": False})
    httpserver.expect_request("/object_api/list_objects").respond_with_json({"items": [LSST_ABOUT], "has_next": False})
    response = ask(page, AlerceDataService, survey=survey, label="SN", ra="0.0", dec="0.0", radius="5")
    name = OID if survey == "ztf" else f"LSST {DIA}"
    assert [result["name"] for result in response.context["results"]] == [name]
    assert b"SN<b>" not in response.content
    response = create(page, AlerceDataService, 0)
    target = Target.objects.get()
    assert (target.name, target.ra, target.dec) == (name, 187.02, 6.96)
    assert response.url == reverse("tom_targets:detail", kwargs={"pk": target.pk})
    datums = PhotometryReducedDatum.objects.filter(target=target)
    assert {d.source_name for d in datums} == {AlerceDataService.name}
    band = "ZTF-g" if survey == "ztf" else "LSST-i"
    (seen,) = datums.filter(bandpass=band)
    expected = 20.0 if survey == "ztf" else 31.4 - 2.5 * math.log10(26150.0)
    assert seen.brightness == pytest.approx(expected, abs=1e-6)
    assert datums.filter(limit__isnull=False).count() == 1


def test_an_update_with_revised_errors_changes_rows_and_adds_none(page, httpserver):
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    near = {"objectId": str(DIA), "survey_id": "lsst"}
    httpserver.expect_request("/lightcurve_api/conesearch/objects_by_coordinates").respond_with_json([near])
    serve_alerce(httpserver)
    assert not told(update(page, AlerceDataService, target))
    before = PhotometryReducedDatum.objects.count()
    assert before == 3  # both surveys: by its name, and what is at its place
    assert TargetName.objects.get(target=target).name == f"LSST {DIA}"
    httpserver.clear()  # with it goes the place: LSST is now asked by name
    serve_alerce(httpserver, SEEN | {"sigmapsf": 0.2})
    update(page, AlerceDataService, target)
    assert PhotometryReducedDatum.objects.count() == before
    assert PhotometryReducedDatum.objects.get(value__source_id="33").brightness_error == pytest.approx(0.2, abs=1e-6)


def test_our_links_say_which_objects_a_target_is(httpserver):
    target = Target.objects.create(name="SN 2026asx", type="SIDEREAL", ra=1.0, dec=2.0)
    sky = SkyObject.objects.create(ra=1.0, dec=2.0, position_err=0.1, healpix=0, target=target)
    place = {"ra": 1.0, "dec": 2.0, "position_err": 0.1, "healpix": 0, "sky_object": sky}
    SurveyObject.objects.create(survey="ztf", object_id=OID, **place)
    SurveyObject.objects.create(survey="lsst", object_id=str(DIA), **place)
    TargetName.objects.create(target=target, name=f"LSST {DIA}")
    asked = AlerceDataService().build_query_parameters_from_target(target)
    assert asked["ids"] == {"ztf": [OID], "lsst": [str(DIA)], "atlas": []}


def test_what_one_survey_delivers_is_kept_when_the_other_fails(page, httpserver, caplog):
    httpserver.expect_request("/lightcurve_api/conesearch/objects_by_coordinates").respond_with_data("", status=503)
    serve_alerce(httpserver)
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    with caplog.at_level(logging.WARNING):
        update(page, AlerceDataService, target)
    assert PhotometryReducedDatum.objects.filter(bandpass="ZTF-g").exists()
    assert "503" in caplog.text


def test_the_commands_of_the_toolkit_update_and_run_queries(page, httpserver, caplog, monkeypatch):
    ours = {service.name: service for service in SERVICES}
    # the toolkit's Simbad asks the network as soon as it is made
    monkeypatch.setattr("tom_dataproducts.management.commands.updatereduceddata.get_data_service_classes", lambda: ours)
    serve_alerce(httpserver)
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    update(page, AlerceDataService, target)
    PhotometryReducedDatum.objects.filter(brightness__isnull=False).delete()
    call_command("updatereduceddata", target_id=target.pk)
    assert PhotometryReducedDatum.objects.filter(brightness__isnull=False).count() == 1
    httpserver.clear()  # now everything is 500
    assert "errors" in call_command("updatereduceddata")

    Target.objects.all().delete()
    serve_alerce(httpserver)
    response = ask(page, AlerceDataService, object_ids=OID, query_save="on", query_name="mine")
    assert response.status_code == 200
    with caplog.at_level(logging.ERROR):
        call_command("rundataquery", str(DataServiceQuery.objects.get(name="mine").pk))
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert PhotometryReducedDatum.objects.filter(target__name=OID).count() == 2


def test_a_source_that_the_tom_has_under_another_name_is_not_doubled(page, httpserver):
    serve_alerce(httpserver)
    mine = Target.objects.create(name="SN 2026asx", type="SIDEREAL", ra=187.0200001, dec=6.96, permissions="PUBLIC")
    ask(page, AlerceDataService, object_ids=OID)
    response = create(page, AlerceDataService, 0)
    assert Target.objects.get() == mine
    assert "already exists" in told(response)
    assert PhotometryReducedDatum.objects.filter(target=mine).exists()
    assert TargetName.objects.get(target=mine).name == OID


def test_a_target_that_one_may_not_see_is_not_found_that_way(page, httpserver):
    serve_alerce(httpserver)
    hidden = Target.objects.create(name="hidden-away", type="SIDEREAL", ra=187.02, dec=6.96, permissions="PRIVATE")
    ask(page, AlerceDataService, object_ids=OID)
    response = create(page, AlerceDataService, 0)
    assert set(Target.objects.values_list("name", flat=True)) == {"hidden-away", OID}
    assert "hidden-away" not in told(response)
    assert not PhotometryReducedDatum.objects.filter(target=hidden).exists()


def test_lasair_brings_names_and_photometry_in_one_call_for_each_object(page, httpserver):
    httpserver.expect_request("/api/query/").respond_with_json([{"diaObjectId": DIA}])
    httpserver.expect_request("/api/object/").respond_with_json(LASAIR)
    response = ask(page, LasairDataService, survey="lsst", label="SN", days="3")
    (result,) = response.context["results"]
    assert (result["name"], result["label"], result["n"]) == (f"LSST {DIA}", "SN", 1)
    create(page, LasairDataService, 0)
    target = Target.objects.get()
    assert PhotometryReducedDatum.objects.get(target=target).bandpass == "LSST-i"
    assert set(target.names) == {f"LSST {DIA}", "SN 2026asx"}
    assert len(httpserver.log) == 2


def test_lasair_is_asked_only_about_the_surveys_that_have_a_token(page, httpserver):
    httpserver.expect_request("/api/object/").respond_with_json(LASAIR)
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    TargetName.objects.create(target=target, name=f"LSST {DIA}")
    update(page, LasairDataService, target)
    assert PhotometryReducedDatum.objects.get().bandpass == "LSST-i"
    response = ask(page, LasairDataService, survey="ztf", label="SN")
    assert "no token" in response.context["query_feedback"]


def test_atlas_submits_comes_back_and_brings_the_result_once(page, httpserver):
    task = {"url": httpserver.url_for("/forcedphot/queue/7/"), "queuepos": 4}
    httpserver.expect_request("/forcedphot/queue/").respond_with_json(task, status=201)
    response = ask(page, AtlasDataService, ra="187.02", dec="6.96")
    assert [result["name"] for result in response.context["results"]] == ["J122804.80+065736.00"]
    response = create(page, AtlasDataService, 0)
    target = Target.objects.get()
    assert "The task was sent to ATLAS" in told(response)
    assert TargetExtra.objects.get(target=target, key=KEY).value == task["url"]
    assert len(httpserver.log) == 1

    httpserver.expect_ordered_request("/forcedphot/queue/7/").respond_with_json(task | {"starttimestamp": "x"})
    assert "running" in told(update(page, AtlasDataService, target))
    done = task | {"starttimestamp": "x", "finishtimestamp": "y", "result_url": httpserver.url_for("/forcedphot/static/7.txt")}
    httpserver.expect_ordered_request("/forcedphot/queue/7/").respond_with_json(done)
    httpserver.expect_request("/forcedphot/static/7.txt").respond_with_data(TABLE)
    update(page, AtlasDataService, target)
    (datum,) = PhotometryReducedDatum.objects.all()
    assert datum.bandpass == "ATLAS-o"
    assert datum.brightness == pytest.approx(17.0, abs=0.01)
    assert not TargetExtra.objects.filter(key=KEY).exists()

    update(page, AtlasDataService, target)  # a new task, from where the last one ended
    assert float(httpserver.log[-1][0].form["mjd_min"]) == pytest.approx(61000.5 - 30, abs=0.01)


@pytest.mark.parametrize("ending", [{"error_msg": "No data returned"}, None])
def test_atlas_without_data_and_without_the_task(page, httpserver, ending):
    target = Target.objects.create(name="x", type="SIDEREAL", ra=187.02, dec=6.96)
    url = httpserver.url_for("/forcedphot/queue/7/")
    TargetExtra.objects.create(target=target, key=KEY, value=url)
    if ending:
        answer = {"url": url, "starttimestamp": "x", "finishtimestamp": "y", **ending}
        httpserver.expect_request("/forcedphot/queue/7/").respond_with_json(answer)
        update(page, AtlasDataService, target)
        assert not TargetExtra.objects.filter(key=KEY).exists()
    else:
        httpserver.expect_request("/forcedphot/queue/7/").respond_with_data("gone", status=404)
        again = {"url": httpserver.url_for("/forcedphot/queue/8/")}
        httpserver.expect_request("/forcedphot/queue/").respond_with_json(again, status=201)
        assert "The task was sent to ATLAS" in told(update(page, AtlasDataService, target))
        assert TargetExtra.objects.get(key=KEY).value.endswith("/queue/8/")
    assert not PhotometryReducedDatum.objects.exists()


def test_two_updates_at_once_submit_one_task_and_a_failed_one_none(page, httpserver):
    target = Target.objects.create(name="x", type="SIDEREAL", ra=187.02, dec=6.96)
    httpserver.expect_request("/forcedphot/queue/").respond_with_json({"detail": "Invalid token."}, status=401)
    assert "401" in told(update(page, AtlasDataService, target))
    assert not TargetExtra.objects.exists()
    extra = TargetExtra.objects.create(target=target, key=KEY, value=f"submitting since {target.created.isoformat()}")
    httpserver.clear()
    assert "Another request" in told(update(page, AtlasDataService, target))
    assert not httpserver.log
    TargetExtra.objects.filter(pk=extra.pk).update(value="submitting since 2026-01-01T00:00:00+00:00")
    httpserver.expect_request("/forcedphot/queue/").respond_with_json({"url": httpserver.url_for("/forcedphot/queue/7/")}, status=201)
    assert "The task was sent to ATLAS" in told(update(page, AtlasDataService, target))


def test_atlas_measures_no_moving_targets(page):
    comet = Target.objects.create(name="comet", type="NON_SIDEREAL")
    assert "fixed positions" in told(update(page, AtlasDataService, comet))


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (500, "<html><script>alert(1)</script>Broken</html>", {}, "500"),
        (429, "slow <img src=x onerror=alert(1)> down &lt;", {"Retry-After": "99"}, "429"),
        (200, "<html>Maintenance</html>", {}, "not JSON"),
        (200, '{"items": [', {}, "not JSON"),
        (400, '{"detail": "bad <b>class</b>"}', {}, "bad"),
    ],
)
def test_errors_are_told_on_the_page_and_are_harmless(page, httpserver, status, body, headers, words):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_data(body, status=status, headers=headers)
    response = ask(page, AlerceDataService, label="SN")
    assert response.status_code == 200
    feedback = response.context["query_feedback"]
    assert words in feedback
    assert not re.search(r"<(?!/br>)", feedback)
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    httpserver.expect_request(re.compile(".*")).respond_with_data(body, status=status, headers=headers)
    assert "Error retrieving data" in told(update(page, AlerceDataService, target))


def test_a_hanging_server_is_told(page, httpserver, settings):
    settings.TOM_ALERCE["BROKERS"]["alerce"]["timeout"] = 0.1
    release = threading.Event()
    httpserver.expect_oneshot_request("/ztf/v1/objects/").respond_with_handler(lambda _: release.wait(30) and Response(""))
    with httpserver.wait(timeout=30):  # the server must have done with this test before the next one
        assert "no answer" in ask(page, AlerceDataService, label="SN").context["query_feedback"]
        release.set()


@pytest.mark.parametrize("brokers", [{}, {"alerce": {"no_such_argument": 1}}])
def test_a_broker_that_is_not_configured_is_told(page, settings, brokers):
    settings.TOM_ALERCE = {"BROKERS": brokers}
    assert "not configured" in ask(page, AlerceDataService, label="SN").context["query_feedback"]
    target = Target.objects.create(name=OID, type="SIDEREAL", ra=187.02, dec=6.96)
    assert "not configured" in told(update(page, AlerceDataService, target))


@pytest.mark.parametrize(
    ("service", "fields", "words"),
    [
        (AlerceDataService, {}, "Give a name, position"),
        (AlerceDataService, {"ra": "1"}, "both RA and Dec"),
        (AlerceDataService, {"object_ids": "ZTF26aacextk/../x"}, "identifier"),
        (AlerceDataService, {"label": "SN", "limit": "1000"}, "100"),
        (LasairDataService, {"ra": "1", "dec": "1", "label": "SN"}, "neither a class nor a time"),
        (AtlasDataService, {"ra": "1"}, "required"),
        (AtlasDataService, {"ra": "1", "dec": "91"}, "90"),
    ],
)
def test_what_cannot_be_asked_is_said_in_the_form(page, httpserver, service, fields, words):
    response = ask(page, service, **fields)
    assert words in str(response.context["form"].errors)
    assert not httpserver.log


def test_right_ascension_nought_is_a_position(page, httpserver):
    asked = []

    def listing(request):
        asked.append(request.args)
        return Response(json.dumps({"items": [], "has_next": False}), content_type="application/json")

    httpserver.expect_request("/ztf/v1/objects/").respond_with_handler(listing)
    response = ask(page, AlerceDataService, ra="0", dec="0", radius="5")
    assert b"Nothing was found" in response.content
    assert (asked[0]["ra"], asked[0]["dec"]) == ("0.0", "0.0")


def test_results_of_one_person_and_service_are_not_those_of_another(page, httpserver):
    one = AlerceDataService(user=None).build_query_parameters({"ra": 1.0, "dec": 1.0})
    assert one != LasairDataService(user=None).build_query_parameters({"ra": 1.0, "dec": 1.0})


def test_names_in_a_text():
    assert object_ids(f" {OID}, LSST {DIA};LSST{DIA}\n1 ") == (OID, str(DIA), str(DIA), "1")


def test_the_error_is_both_that_the_toolkit_catches():
    from requests import HTTPError
    from tom_dataservices.dataservices import QueryServiceError

    error = BrokerError("a <b> & c")
    assert isinstance(error, HTTPError)
    assert isinstance(error, QueryServiceError)
    assert str(error) == "a ‹b› + c"


@pytest.mark.parametrize("service", SERVICES[:2])
def test_a_query_that_failed_does_not_say_that_nothing_is_there(page, httpserver, settings, service):
    settings.TOM_ALERCE = {"BROKERS": {}}
    text = ask(page, service, ra="10.0", dec="0.0", radius="5", object_ids=OID).content.decode()
    assert "not configured" in text
    assert "The query failed" in text
    assert "Nothing was found" not in text


def test_a_query_that_found_nothing_says_so(page, httpserver):
    httpserver.expect_request("/ztf/v1/objects/").respond_with_json({"items": [], "has_next": False})
    text = ask(page, AlerceDataService, ra="10.0", dec="0.0", radius="5").content.decode()
    assert "Nothing was found" in text
    assert "The query failed" not in text
