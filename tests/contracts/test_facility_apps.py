"""The form data of Swift, the Liverpool Telescope and ESO in the forms of the real apps, whose servers are on loopback or doubles."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from werkzeug import Response

from followup.facilities import eso, lt, swift
from followup.records import Exposure
from tests.followup.test_lco import REQUEST
from tests.tom_alerce import factories
from tom_alerce.requests import portal

pytestmark = pytest.mark.django_db
NEEDS = "no {}: pip install 'tom-alerce[test]'"


@pytest.fixture
def target():
    return factories.target("ZTF26aacextk", 40.0, 20.0)


def filled(facility, plugin, data):
    """The form of the app, filled in; nothing that is ours is missing in it or wrong."""
    assert tuple(plugin.check(data)) == ()
    with timezone.override("UTC"):
        form = facility.create_form_instance(data["observation_type"], data=dict(data))
        assert not form.errors, form.errors
    return form


@pytest.mark.filterwarnings("ignore:The HMAC key")  # of anonymous questions: the app has every name looked up
class TestSwift:
    """Its server answers as the TOO API does (JSON in a JSON web token)."""

    @pytest.fixture
    def facility(self, settings, httpserver, monkeypatch):
        app = pytest.importorskip("tom_swift.swift", reason=NEEDS.format("tom-swift"))
        from swifttools.swift_too import api_common

        self.sent, self.answer = [], {"status": "Accepted", "too_id": 21001}

        def too(request):
            middle = request.form["jwt"].split(".")[1]
            asked = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
            self.sent += [asked["api_data"]] if asked["api_name"] == "Swift_TOO_Request" else []
            body = {"api_name": "Swift_TOO_Status", "api_data": {"errors": [], "warnings": [], **self.answer}}
            body["api_version"] = asked["api_version"]
            return Response(json.dumps(body), content_type="application/json")

        httpserver.expect_request("/toop/submit_json.php").respond_with_handler(too)
        monkeypatch.setattr(api_common, "API_URL", httpserver.url_for("/toop/submit_json.php"))
        settings.TOM_FACILITY_CLASSES = ["tom_swift.swift.SwiftFacility"]
        settings.FACILITIES = {"SWIFT": {"SWIFT_USERNAME": "tom", "SWIFT_SHARED_SECRET": "s" * 32}}
        return app.SwiftFacility()

    def data(self, target, filters=("u",), **options):
        request = replace(REQUEST, instrument="UVOT", exposures=tuple(Exposure(one, 500.0, 2) for one in filters))
        return swift.payload(request, target_id=target.pk, science_justification="young", exposure_justification="S/N 5", **options)

    @pytest.mark.parametrize("filters", [("u",), ("b",), ("v",), ("u", "b", "v")])
    def test_every_mode_is_asked_for_as_it_is_meant(self, facility, target, filters):
        form = filled(facility, swift, self.data(target, filters))
        assert form.is_valid(), form.errors
        assert facility.submit_observation(json.loads(json.dumps(form.observation_payload(), default=str))) == [21001]
        validated, submitted = self.sent
        assert validated["validate_only"] is True
        for asked in (validated, submitted):
            assert (asked["source_name"], asked["ra"], asked["dec"], asked["instrument"]) == ("ZTF26aacextk", 40.0, 20.0, "UVOT")
            assert asked["exposure"] == 1000.0 * len(filters)
            assert int(asked["uvot_mode"], 16) == swift._MODES[frozenset(filters)]
            assert (asked["urgency"], asked["debug"]) in ((2, False), ("2", False))
            assert REQUEST.title()[:12] in asked["immediate_objective"]

    def test_a_programme_is_triggered_with_its_names(self, facility, target):
        form = filled(facility, swift, self.data(target, proposal_id="1922001", proposal_pi="Vera"))
        assert form.is_valid(), form.errors
        facility.submit_observation(form.observation_payload())
        asked = self.sent[-1]
        assert (asked["proposal_id"], asked["proposal_pi"], asked["proposal_trigger_just"]) == ("1922001", "Vera", "young")

    def test_a_refusal_is_an_error_of_the_form_and_no_identity(self, facility, target):
        form = filled(facility, swift, self.data(target))
        self.answer = {"status": "Rejected", "too_id": None, "errors": ["target is too close to the Sun"]}
        assert not form.is_valid()
        assert "too close to the Sun" in str(form.errors)
        assert portal.identities(facility.submit_observation(form.observation_payload())) == []


class TestLiverpool:
    """Its node agent is a web service of one operation on loopback."""

    WSDL = """<?xml version="1.0"?><definitions name="a" targetNamespace="urn:a" xmlns:t="urn:a" xmlns="http://schemas.xmlsoap.org/wsdl/"
      xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
      <message name="in"><part name="rtml" type="xsd:string"/></message>
      <message name="out"><part name="answer" type="xsd:string"/></message>
      <portType name="p"><operation name="handle_rtml"><input message="t:in"/><output message="t:out"/></operation></portType>
      <binding name="b" type="t:p"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
      <operation name="handle_rtml">
      <soap:operation soapAction=""/><input><soap:body use="literal" namespace="urn:a"/></input><output><soap:body use="literal"
      namespace="urn:a"/></output></operation></binding><service name="s"><port name="p" binding="t:b"><soap:address location="{}"/></port>
      </service></definitions>"""
    ANSWER = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r:handle_rtmlResponse xmlns:r="urn:a"><answer>
      &lt;RTML mode="{}" uid="{}"/&gt;</answer></r:handle_rtmlResponse></e:Body></e:Envelope>"""

    @pytest.fixture
    def facility(self, settings, httpserver, monkeypatch):
        app = pytest.importorskip("tom_lt.lt", reason=NEEDS.format("tom-lt"))
        from suds.cache import NoCache

        self.sent, self.refuses = [], False

        def agent(request):
            if request.method == "GET":
                return Response(self.WSDL.format(httpserver.url_for("/node_agent2/node_agent")), content_type="text/xml")
            text = ElementTree.fromstring(request.data)[-1][0][0].text
            if "Element" in text:  # the app sends the picture of an object instead of an inquiry: it asks for no more than an answer
                return Response(self.ANSWER.format("reject" if self.refuses else "offer", ""), content_type="text/xml")
            self.sent.append(ElementTree.fromstring(text))
            return Response(self.ANSWER.format("confirm", self.sent[-1].get("uid")), content_type="text/xml")

        httpserver.expect_request("/node_agent2/node_agent").respond_with_handler(agent)
        account = {"username": "tom", "password": "secret", "LT_HOST": httpserver.host, "LT_PORT": httpserver.port, "DEBUG": False}
        monkeypatch.setattr(app, "LT_SETTINGS", account)
        client = app.Client
        monkeypatch.setattr(app, "Client", lambda **options: client(cache=NoCache(), **options))
        for form in app.LTFacility.observation_forms.values():
            monkeypatch.setattr(form.base_fields["project"], "choices", [("JL26B01", "ours")])
        settings.TOM_FACILITY_CLASSES = ["tom_lt.lt.LTFacility"]
        return app.LTFacility()

    @pytest.mark.parametrize(("camera", "filters"), [("IO:O", tuple(lt._FILTERS)), ("SPRAT", ("red",)), ("SPRAT", ("blue",))])
    def test_every_instrument_is_asked_for_as_it_is_meant(self, facility, target, camera, filters):
        for part in [filters[i : i + 5] for i in range(0, len(filters), 5)]:
            request = replace(REQUEST, instrument=camera, exposures=tuple(Exposure(one, 90.0, 2) for one in part))
            form = filled(facility, lt, lt.payload(request, target_id=target.pk, project="JL26B01"))
            assert lt.portal_problems(form, {}) == ()
            assert form.is_valid(), form.errors
            assert portal.identities(facility.submit_observation(form.observation_payload()))
            text = ElementTree.tostring(self.sent[-1], encoding="unicode")
            assert self.sent[-1].get("mode") == "request"
            assert text.count("Schedule>") == 2 * len(part)
            for expected in ("JL26B01", "ZTF26aacextk", "2026-11-23T00:00:00+00:00", "2026-11-23T06:00:00+00:00", ">90.0<", 'count="2"'):
                assert expected in text
            assert all(f'"{one}"' in text for one in part)

    def test_what_it_rejects_is_not_valid(self, facility, target):
        self.refuses = True
        request = replace(REQUEST, instrument="IO:O", exposures=(Exposure("R", 90.0),))
        form = filled(facility, lt, lt.payload(request, target_id=target.pk, project="JL26B01"))
        assert not form.is_valid()


class TestEso:
    """Its form makes an empty block in a run of a person's own; P2 is a double."""

    @pytest.fixture
    def facility(self, settings, monkeypatch):
        pytest.importorskip("tom_eso", reason=NEEDS.format("tom-eso"))
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "tom_eso"]
        from tom_eso import eso as app

        made = self.made = []

        class P2:
            def __init__(self, *account):
                made.append(account)

            def observing_run_choices(self):
                return [(5, "60.A-9253(A)")]

            def folder_name_choices(self, observing_run_id):
                return [(7, "SNe")]

            def folder_ob_choices(self, folder_id):
                return []

            def create_observation_block(self, folder_id, ob_name, target):
                made.append((folder_id, ob_name, target.name))

        class Profiles:
            """The account of one person."""

            def get(self, user):
                return app.ESOProfile(user=user, p2_environment="demo", p2_username="vera", p2_password="secret")

        monkeypatch.setattr(app, "ESOAPI", P2)
        monkeypatch.setattr(app.ESOProfile, "objects", Profiles())
        settings.TOM_FACILITY_CLASSES = ["tom_eso.eso.ESOFacility"]
        facility = app.ESOFacility()
        facility.set_user(factories.user("vera"))
        return facility

    @pytest.mark.parametrize("camera", eso.INSTRUMENTS)
    def test_its_form_takes_run_folder_and_name_of_the_block(self, facility, target, camera):
        request = replace(REQUEST, instrument=camera, exposures=(Exposure(next(iter(eso.INSTRUMENTS[camera].filters)), 600.0),))
        data = eso.payload(request, target_id=target.pk, run=5, folder=7)
        form = facility.create_form_instance("ESO", data=dict(data))
        assert form.is_valid(), form.errors
        assert facility.submit_observation(form.observation_payload()) == []
        assert self.made[-1] == (7, request.title(), "ZTF26aacextk")
