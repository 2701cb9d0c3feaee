"""The form data of LCO, filled into the toolkit's own forms against a portal that answers as the real one does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from datetime import timezone as tz

import pytest
from django.core.cache import cache
from django.utils import timezone
from werkzeug import Response

from followup.facilities import lco
from followup.records import Exposure, FollowupError, ObservationRequest

REQUEST = ObservationRequest(
    target="17",
    name="ZTF26aacextk",
    ra=40.0,
    dec=-20.0,
    facility="lco",
    instrument="1M0-SCICAM-SINISTRO",
    exposures=(Exposure("gp", 60.0, 2), Exposure("rp", 45.0)),
    start=61367.0,
    end=61367.25,
    priority=0.8,
    max_airmass=2.0,
    min_lunar_distance=20.0,
    night="2026-11-22",
)


def instrument(category, telescope, elements, **modes):
    """One entry of /api/instruments/ in the portal's shape (observation portal 4.18)."""

    def listed(codes, **more):
        return [{"code": code, "name": code, "schedulable": True, **more} for code in codes]

    modes = {"readout": ["full_frame"], "guiding": ["ON", "OFF"], **modes}
    return {
        "type": category,
        "class": telescope,
        "name": telescope,
        "optical_elements": {kind: listed(codes, default=False) for kind, codes in elements.items()},
        "modes": {kind: {"type": kind, "default": codes[0], "modes": listed(codes, overhead=0.0)} for kind, codes in modes.items()},
        "configuration_types": {},
        "default_configuration_type": "SPECTRUM" if category == "SPECTRA" else "EXPOSE",
    }


FILTERS = {"filters": ["up", "gp", "rp", "ip", "zs", "B", "V", "R", "I"]}
INSTRUMENTS = {
    "1M0-SCICAM-SINISTRO": instrument("IMAGE", "1m0", FILTERS),
    "0M4-SCICAM-QHY600": instrument("IMAGE", "0m4", FILTERS),
    lco.MUSCAT: instrument(
        "IMAGE", "2m0", {f"narrowband_{band}_positions": ["out", "in"] for band in "griz"}, exposure=["SYNCHRONOUS", "ASYNCHRONOUS"]
    ),
    "2M0-FLOYDS-SCICAM": instrument(
        "SPECTRA", "2m0", {"slits": ["slit_1.6as", "slit_2.0as"]}, acquisition=["WCS", "OFF"], rotator=["VFLOAT", "SKY"]
    ),
}


@pytest.fixture
def portal(httpserver, settings):
    """A portal on loopback that knows our instruments and one proposal, and keeps what it was asked to validate."""
    cache.clear()
    asked = []

    def validate(request):
        asked.append(json.loads(request.data))
        return Response(json.dumps({"request_durations": {"duration": 245, "requests": []}, "errors": {}}), content_type="application/json")

    profile = {"username": "tom", "proposals": [{"id": "TOM2026", "title": "A TOM", "current": True}]}
    httpserver.expect_request("/api/instruments/").respond_with_json(INSTRUMENTS)
    httpserver.expect_request("/api/profile/").respond_with_json(profile)
    httpserver.expect_request("/api/requestgroups/validate/", method="POST").respond_with_handler(validate)
    settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "api_key": "token", "archive_url": httpserver.url_for("/")}}
    yield asked
    cache.clear()


@pytest.fixture
def target(db):
    from tom_targets.models import Target

    return Target.objects.create(name="ZTF26aacextk", type="SIDEREAL", ra=40.0, dec=-20.0)


def filled(data):
    from tom_observations.facilities.lco import LCOFacility

    return LCOFacility().create_form_instance(data["observation_type"], data=dict(data))


@pytest.mark.parametrize("time_zone", ["UTC", "America/Santiago"])
def test_the_form_of_the_toolkit_takes_it_and_the_portal_gets_what_was_meant(portal, target, settings, time_zone):
    settings.TIME_ZONE = time_zone
    data = lco.payload(REQUEST, target_id=target.pk, proposal="TOM2026")
    assert lco.check(data) == ()
    json.dumps(data)
    with timezone.override("UTC"):
        form = filled(data)
        assert form.is_valid(), form.errors
    (sent,) = portal
    (request,) = sent["requests"]
    (configuration,) = request["configurations"]
    assert sent["proposal"] == "TOM2026"
    assert REQUEST.key[:16] in sent["name"]
    assert configuration["type"] == "EXPOSE"
    assert configuration["constraints"] == {"max_airmass": 2.0, "min_lunar_distance": 20}
    assert (configuration["target"]["ra"], configuration["target"]["dec"]) == (40.0, -20.0)
    got = [(c["optical_elements"]["filter"], c["exposure_time"], c["exposure_count"]) for c in configuration["instrument_configs"]]
    assert got == [("gp", 60.0, 2), ("rp", 45.0, 1)]
    (window,) = request["windows"]
    assert [datetime.fromisoformat(window[end]).astimezone(tz.utc) for end in ("start", "end")] == [
        datetime(2026, 11, 23, 0, tzinfo=tz.utc),
        datetime(2026, 11, 23, 6, tzinfo=tz.utc),
    ]
    assert request["location"] == {"telescope_class": "1m0"}


@pytest.mark.parametrize("name", sorted(lco.INSTRUMENTS))
def test_every_instrument_with_every_filter_fills_its_form(portal, target, name):
    for element in lco.INSTRUMENTS[name].filters:
        request = replace(REQUEST, instrument=name, exposures=(Exposure(element, 120.0),))
        form = filled(lco.payload(request, target_id=target.pk, proposal="TOM2026"))
        assert form.is_valid(), form.errors
    assert len(portal) == len(lco.INSTRUMENTS[name].filters)


def test_what_the_form_refuses_is_an_error_of_the_form(portal, target):
    """``form.errors``, since the toolkit's ``is_valid()`` builds the payload of a form that has errors all the same: a KeyError."""
    assert set(filled(lco.payload(REQUEST, target_id=target.pk, proposal="NOT-OURS")).errors) == {"proposal"}
    assert set(filled(lco.payload(REQUEST, target_id=target.pk, proposal="TOM2026", ipp_value=3.0)).errors) == {"ipp_value"}
    assert portal == []


def test_our_own_check_says_what_is_missing():
    assert lco.check(lco.payload(REQUEST)) == ("no proposal: give its code in the settings of the facility", "not a TOM target yet")
    empty = replace(REQUEST, end=REQUEST.start)
    problems = lco.check(lco.payload(empty, target_id=1, proposal="P", ipp_value=2.5))
    assert len(problems) == 2


def test_settings_reach_the_form_data():
    options = {"ipp_value": 1.5, "observation_mode": "TIME_CRITICAL", "optimization_type": "AIRMASS"}
    data = lco.payload(REQUEST, proposal="P", readout_mode="fast", **options)
    assert {name: data[name] for name in options} == options
    assert data["c_1_ic_2_readout_mode"] == "fast"


@pytest.mark.parametrize("name", ["x" * 300, "<script>alert(1)</script>\n", "Ünïcode ✨", "", "SN 2026asx"])
def test_hostile_names_make_tame_titles_that_still_find_the_request(name):
    title = replace(REQUEST, name=name).title(50)
    assert len(title) <= 50
    assert title.endswith(REQUEST.key[:16])
    assert title.isascii()
    assert title.isprintable()
    assert "<" not in title


def test_too_many_filters_and_unknown_instruments_are_refused():
    with pytest.raises(FollowupError, match="1 to 5"):
        lco.payload(replace(REQUEST, exposures=(Exposure("rp", 10.0),) * 6))
    with pytest.raises(FollowupError, match="it has"):
        lco.payload(replace(REQUEST, instrument="1M0-NRES"))


def test_what_the_portal_lists_now_is_checked_where_it_has_been_asked(portal, target, httpserver):
    data = lco.payload(REQUEST, target_id=target.pk, proposal="TOM2026")
    assert lco.portal_problems(filled(data), data) == ()
    cache.clear()
    changed = {**INSTRUMENTS, "1M0-SCICAM-SINISTRO": instrument("IMAGE", "1m0", {"filters": ["gp", "ip"]})}
    changed["1M0-SCICAM-SINISTRO"]["optical_elements"]["filters"].append({"code": "rp", "name": "rp", "schedulable": False})
    httpserver.clear()
    httpserver.expect_request("/api/instruments/").respond_with_json(changed)
    httpserver.expect_request("/api/profile/").respond_with_json({"proposals": []})
    assert lco.portal_problems(filled(data), data) == ("1M0-SCICAM-SINISTRO has no rp; it has: gp, ip",)


def test_a_portal_that_lists_nothing_blocks_nothing(portal, target):
    data = lco.payload(REQUEST, target_id=target.pk, proposal="TOM2026")

    class Form:
        def __init__(self, listed):
            self.get_instruments = lambda: listed

    for listed in ({}, None, {"No Instrument Found": {}}, {"1M0-SCICAM-SINISTRO": {}}, {"1M0-SCICAM-SINISTRO": None}):
        assert lco.portal_problems(Form(listed), data) == ()
    assert lco.portal_problems(object(), data) == ()


def test_muscat_exposes_in_its_four_bands_at_once(portal, target):
    request = replace(REQUEST, instrument=lco.MUSCAT, exposures=(Exposure("griz", 90.0, 3),))
    form = filled(lco.payload(request, target_id=target.pk, proposal="TOM2026"))
    assert form.is_valid(), form.errors
    (configuration,) = portal[0]["requests"][0]["configurations"]
    (camera,) = configuration["instrument_configs"]
    assert camera["extra_params"] == {"exposure_mode": "SYNCHRONOUS"} | {f"exposure_time_{band}": 90.0 for band in "griz"}
    assert (camera["exposure_count"], camera["optical_elements"]["narrowband_g_position"]) == (3, "out")
    assert lco.asked(lco.payload(request)).exposures == request.exposures
    longer = lco.payload(request) | {"c_1_ic_1_exposure_time_z": 120.0}
    assert lco.asked(longer).exposures == (Exposure("griz", 120.0, 3),)


@pytest.mark.parametrize(("name", "kind"), [(REQUEST.instrument, "EXPOSE"), ("2M0-FLOYDS-SCICAM", "SPECTRUM")])
def test_a_sequence_is_repeated_and_goes_on_for_a_time(portal, target, name, kind):
    filters = ("gp", "rp", "ip") if kind == "EXPOSE" else ("slit_1.6as",)
    request = replace(REQUEST, instrument=name, exposures=tuple(Exposure(one, 60.0, 2) for one in filters))
    data = lco.payload(request, target_id=target.pk, proposal="TOM2026", repeats=3, lasting=1800.0)
    with timezone.override("UTC"):
        form = filled(data)
        assert form.is_valid(), form.errors
        (got,) = form.observation_payload()["requests"]
    (configuration,) = got["configurations"]
    assert (got["configuration_repeats"], configuration["type"], configuration["repeat_duration"]) == (3, f"REPEAT_{kind}", 1800.0)
    assert len(configuration["instrument_configs"]) == len(filters)
    asked = lco.asked(data)
    assert (asked.repeats, asked.lasting) == (3, 1800.0)
    camera = lco.INSTRUMENTS[name]
    assert asked.hours(lco.INSTRUMENTS) == pytest.approx((camera.setup + 3 * 1800.0) / 3600.0)
    once = lco.asked(lco.payload(request, target_id=1, proposal="P"))
    assert once.hours(lco.INSTRUMENTS) < asked.hours(lco.INSTRUMENTS) / 2
