"""The form data of SOAR and Blanco, filled into the toolkit's own forms against a portal that answers as the real one does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.utils import timezone
from tom_observations.facilities.blanco import BLANCOFacility
from tom_observations.facilities.soar import SOARFacility
from werkzeug import Response

from followup.facilities import blanco, lt, soar, swift
from followup.records import Exposure, FollowupError
from tests.followup.test_lco import REQUEST, instrument

#: As the portal lists them, by AEONlib (SOAR) and GOATS (Blanco), which keep its answers: a spectrograph has no slits and gratings there.
LISTED = {
    "SOAR_GHTS_REDCAM": instrument(
        "SPECTRA", "4m0", {},
        readout=["GHTS_R_400m1_2x2", "GHTS_R_400m2_2x2", "GHTS_R_2100_5000A_1x2_slit1p0"],
        acquisition=["MANUAL"], guiding=["ON"], rotator=["SKY"],
    ),
    "SOAR_GHTS_REDCAM_IMAGER": instrument(
        "IMAGE", "4m0", {"filters": ["g-SDSS", "r-SDSS", "i-SDSS", "z-SDSS"]}, readout=["GHTS_R_Image_2x2"], acquisition=["MANUAL"],
    ),
    "BLANCO_DECAM": instrument(
        "IMAGE", "4m0", {"filters": ["r", "g", "i", "z"]}, readout=["default"], acquisition=["OFF"], guiding=["ON"],
    ),
}  # fmt: skip
#: Where a target may fall on DECam, by the portal's ``validation_schema``.
CENTERING = ("central_gap", "N4", "S4")
LISTED["SOAR_GHTS_REDCAM"]["name"] = "SOAR Goodman Spectrograph RedCam"
for _one in LISTED.values():
    _one["configuration_types"] = {"EXPOSE": {}, "SPECTRUM": {}, "ARC": {}}
FACILITIES = {"SOAR": (soar, SOARFacility), "BLANCO": (blanco, BLANCOFacility)}


@pytest.fixture
def portal(httpserver, settings):
    """A portal on loopback that keeps what it was asked to validate."""
    cache.clear()
    asked = []

    def validate(request):
        asked.append(json.loads(request.data))
        return Response(json.dumps({"request_durations": {"duration": 245, "requests": []}, "errors": {}}), content_type="application/json")

    profile = {"username": "tom", "proposals": [{"id": "TOM2026", "title": "A TOM", "current": True}]}
    httpserver.expect_request("/api/instruments/").respond_with_json(LISTED)
    httpserver.expect_request("/api/profile/").respond_with_json(profile)
    httpserver.expect_request("/api/requestgroups/validate/", method="POST").respond_with_handler(validate)
    url = httpserver.url_for("/")
    settings.TOM_FACILITY_CLASSES = [f"{facility.__module__}.{facility.__name__}" for _, facility in FACILITIES.values()]
    settings.FACILITIES = {name: {"portal_url": url, "api_key": "token", "archive_url": url} for name in FACILITIES}
    yield asked
    cache.clear()


@pytest.fixture
def target(db):
    from tom_targets.models import Target

    return Target.objects.create(name="ZTF26aacextk", type="SIDEREAL", ra=40.0, dec=-20.0)


def cases():
    for name, (plugin, _) in FACILITIES.items():
        for camera, described in plugin.INSTRUMENTS.items():
            for element in described.filters:
                yield name, camera, element


@pytest.mark.parametrize(("name", "camera", "element"), [*cases()])
def test_every_instrument_with_every_filter_fills_the_form_of_the_toolkit(portal, target, name, camera, element):
    plugin, facility = FACILITIES[name]
    request = replace(REQUEST, instrument=camera, exposures=(Exposure(element, 120.0, 2),))
    data = plugin.payload(request, target_id=target.pk, proposal="TOM2026")
    assert plugin.check(data) == ()
    with timezone.override("UTC"):
        form = facility().create_form_instance(data["observation_type"], data=dict(data))
        getattr(plugin, "adapt", bool)(form)
        assert form.is_valid(), form.errors
    assert plugin.portal_problems(form, data) == ()
    assert not plugin.credentials_refused(form)
    (sent,) = portal
    (got,) = sent["requests"]
    assert REQUEST.title(50)[:12] in sent["name"]
    first = got["configurations"][0]
    assert first["instrument_type"] == camera
    assert list(first["instrument_configs"][0]["optical_elements"].values()) == ([] if first["type"] == "SPECTRUM" else [element])
    modes = {kind: [one["code"] for one in listed["modes"]] for kind, listed in LISTED[camera]["modes"].items()}
    assert all(c["guiding_config"].get("mode", "ON") in modes["guiding"] for c in got["configurations"])
    assert all(c["acquisition_config"].get("mode", "MANUAL") in (*modes["acquisition"], "MANUAL") for c in got["configurations"])
    assert all(one["mode"] in modes["readout"] for c in got["configurations"] for one in c["instrument_configs"] if one.get("mode"))
    assert first.get("extra_params", {}).get("detector_centering", CENTERING[0]) in CENTERING
    assert (first["instrument_configs"][0]["exposure_time"], first["instrument_configs"][0]["exposure_count"]) == (120.0, 2)
    assert (got["windows"][0]["start"][:10], got["windows"][0]["end"][:13]) == ("2026-11-23", "2026-11-23T06")
    assert [c["type"] for c in got["configurations"]] == (["SPECTRUM", "ARC"] if data["observation_type"] != "IMAGING" else ["EXPOSE"])


def test_swift_is_never_asked_in_its_debug_mode_and_urgency_never_wakes_anybody():
    request = replace(REQUEST, instrument="UVOT", exposures=(Exposure("u", 500.0),))
    data = swift.payload(request, target_id=1, science_justification="young", exposure_justification="S/N 5")
    assert data["debug"] is False
    assert swift.check(data) == ()
    assert data["urgency"] == 2
    assert swift.payload(replace(request, end=request.start + 5.0))["urgency"] == 3
    assert len(swift.check(swift.payload(request))) == 3
    assert "not real" in swift.check(data | {"debug": True})[0]


def test_swift_has_modes_for_each_filter_and_for_all_three_alone():
    request = replace(REQUEST, instrument="UVOT")
    three = replace(request, exposures=tuple(Exposure(f, 100.0) for f in "ubv"))
    assert swift.payload(three)["uvot_mode_choices"] == str(0x209A)
    with pytest.raises(FollowupError, match="no mode"):
        swift.payload(replace(request, exposures=(Exposure("u", 1.0), Exposure("v", 1.0))))


def test_the_toolkits_stub_of_the_liverpool_telescope_is_told_from_the_real_one():
    from tom_observations.facilities.lt import LTFacility

    form = LTFacility().create_form_instance("ALL", initial={"target_id": 1})
    assert "stub" in lt.portal_problems(form, {})[0]
    assert lt.check(lt.payload(replace(REQUEST, instrument="IO:O", exposures=(Exposure("G", 60.0),)))) == (
        "no proposal: give project in the settings of the facility",
        "not a TOM target yet",
    )


def test_the_liverpool_telescope_takes_one_grating_and_a_window_of_whole_minutes_within_ours():
    request = replace(REQUEST, instrument="SPRAT", exposures=(Exposure("red", 300.0),), start=61367.00001, end=61367.24999)
    data = lt.payload(request, target_id=1, project="P")
    assert (data["starttime"], data["endtime"]) == ("00:01", "05:59")
    with pytest.raises(FollowupError, match="one grating"):
        lt.payload(replace(request, exposures=(Exposure("red", 300.0), Exposure("blue", 300.0))))
