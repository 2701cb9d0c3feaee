"""What the pages show and do, by the API: objects whole, images, profiles, decisions, requests by the rights; and its description."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from astropy.io import fits
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from guardian.shortcuts import assign_perm

from tests.tom_alerce import factories
from tom_alerce.api import routes, schema
from tom_alerce.models import Explanation, FollowupRequest, MatchCandidate, RequestEvent, Series, SkyObject, TnsObject

pytestmark = pytest.mark.django_db


@pytest.fixture
def sky(observer):
    """An object of which everything is known."""
    one = factories.sky_object(surveys=("ztf", "lsst"), target=factories.target("SN 2026abc"))
    assign_perm("tom_targets.change_target", observer, one.target)
    factories.classification(one)
    factories.rank(factories.ranking(), one)
    factories.request(one)
    stamps = one.survey_objects.first().stamps.first()
    weights = bytes(63 * 63 * 2)
    Explanation.objects.create(
        stamps=stamps, source_id=stamps.source_id, classifier="stamp", version="1", label="SN", probability=0.8, weights=weights
    )
    TnsObject.objects.create(
        objid=7, prefix="SN", name="2026abc", ra=one.ra, dec=one.dec, healpix=one.healpix, type="SN Ia", redshift=0.03, digest=1
    )
    return one


def read(client, address, **parameters):
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("name", routes.ENDPOINTS)
def test_every_list_answers_with_few_queries(client, sky, name, django_assert_max_num_queries):
    address = reverse(f"api:{name}-list")
    client.get(address)
    with django_assert_max_num_queries(20 if name == "alerce-yield" else 60 if name == "alerce-nights" else 12):
        assert client.get(address).status_code == 200
    assert client.get(address, {"format": "csv"}).status_code == 200


def test_everything_about_an_object_is_one_answer(client, sky):
    found = read(client, f"/api/alerce-objects/{sky.pk}/everything/")
    assert found["object"]["name"] == "SN 2026abc"
    assert {"flux": "nJy", "magnitude": "mag (AB)"}.items() <= found["photometry"]["units"].items()
    assert {"survey": "ztf", "band": "g", "wavelength": 472.0} in found["photometry"]["bands"]
    assert found["classifications"][0]["probabilities"]["SN"] == 0.81
    assert found["rank"]["terms"]["moon"]["reason"]
    assert len(found["rank"]["visibility"]["times"]) == 48
    assert found["surroundings"]["tns"]["type"] == "SN Ia"
    assert found["surroundings"]["redshift"] == 0.03
    assert [one["state"] for one in found["requests"]] == ["validated"]
    assert len(found["stamps"]) == 4
    for part in ("photometry", "statistics", "surroundings", "outlook", "rank"):
        assert read(client, f"/api/alerce-objects/{sky.pk}/{part}/") is not None


def test_what_is_private_is_in_no_part(client, observer):
    one = factories.sky_object(target=factories.target("Secret", permissions="PRIVATE"))
    factories.rank(factories.ranking(), one)
    factories.request(one, user=factories.user("owner"))
    everything = client.get(f"/api/alerce-objects/{one.pk}/everything/")
    assert everything.status_code == 200
    assert b"Secret" not in everything.content
    assert everything.json()["requests"] == read(client, "/api/alerce-requests/")["results"] == []


def test_images_are_images(client, sky):
    stamps = read(client, "/api/alerce-stamps/", sky_object=sky.pk)["results"]
    assert client.get(stamps[0]["image"]).content.startswith(b"\x89PNG")
    cutout = client.get(f"/api/alerce-stamps/{stamps[0]['id']}/cutout/", {"kind": "science"})
    assert fits.getdata(io.BytesIO(cutout.content)).shape == (63, 63)
    assert client.get(f"/api/alerce-stamps/{stamps[0]['id']}/cutout/", {"kind": "odd"}).status_code == 400
    (one,) = read(client, "/api/alerce-explanations/", sky_object=sky.pk)["results"]
    assert client.get(one["image"]).content.startswith(b"\x89PNG")
    assert len(read(client, f"/api/alerce-explanations/{one['id']}/")["weights"]) == 63


def test_profiles_are_read_ordered_stored_and_used(client, sky, observer):
    every = read(client, "/api/alerce-profiles/")
    assert every[0]["name"] == "default"
    assert client.get("/api/alerce-profiles/nobody/").status_code == 404
    assert set(read(client, "/api/alerce-profiles/default/order/")) == {"places", "n", "vetoed", "by_veto"}
    assert client.post("/api/alerce-profiles/", every[0], content_type="application/json").status_code == 403
    factories.roles(observer, "configure")
    client.force_login(type(observer).objects.get(pk=observer.pk))
    made = client.post("/api/alerce-profiles/", every[0] | {"title": "Mine"}, content_type="application/json")
    assert (made.status_code, made.json()["title"]) == (201, "Mine")
    assert client.post("/api/alerce-profiles/", {"name": "default", "merits": 1}, content_type="application/json").status_code == 400
    versions = read(client, "/api/alerce-profiles/default/versions/")
    assert [one["active"] for one in versions] == [True, False]
    assert (
        client.post("/api/alerce-profiles/default/use/", {"version": versions[1]["number"]}, content_type="application/json").status_code
        == 200
    )
    assert client.post("/api/alerce-profiles/default/use/", {"version": 99}, content_type="application/json").status_code == 400


def test_a_match_is_decided_and_members_are_unlinked_and_linked(client, sky):
    other = factories.sky_object(ra=sky.ra, dec=sky.dec + 1.2 / 3600, images=False)
    member = other.survey_objects.get()
    factories.candidate(member, sky)
    (match,) = read(client, "/api/alerce-matches/", sky_object=sky.pk)["results"]
    assert client.post(f"/api/alerce-matches/{match['id']}/accept/").status_code == 200
    assert not MatchCandidate.objects.filter(decided=False).exists()
    for action, survived in (("unlink", 2), ("link", 1)):
        answer = client.post(f"/api/alerce-objects/{sky.pk}/{action}/", {"name": member.object_id}, content_type="application/json")
        assert answer.status_code == 200, answer.content
        assert SkyObject.objects.count() == survived


def test_far_links_ask_for_confirmation_and_for_their_role(client, sky, observer):
    far = factories.sky_object(ra=sky.ra, dec=sky.dec + 5 / 3600, images=False).survey_objects.get()
    address = f"/api/alerce-objects/{sky.pk}/link/"
    assert "confirmed" in client.post(address, {"name": far.object_id}, content_type="application/json").json()["detail"]
    assert client.post(address, {"name": far.object_id, "sure": True}, content_type="application/json").json()["sure"]
    farther = factories.sky_object(ra=sky.ra, dec=sky.dec + 1, images=False).survey_objects.get()
    assert client.post(address, {"name": farther.object_id, "confirmed": True}, content_type="application/json").status_code == 403


def test_hosts_and_promotion(client, observer):
    one = factories.sky_object(images=False)
    address = f"/api/alerce-objects/{one.pk}/"
    assert client.post(f"{address}host/", {"galaxy": "", "text": "nothing there"}, content_type="application/json").status_code == 200
    assert read(client, f"{address}surroundings/")["chosen"]["text"] == "nothing there"
    assert client.delete(f"{address}host/").status_code == 200
    assert client.post(f"{address}host/", {"galaxy": "NGC 0"}, content_type="application/json").status_code == 400
    assert client.post(f"{address}place/").status_code == 400
    assert client.post(f"{address}promote/").status_code == 200
    assert client.post(f"{address}place/").status_code == 200


def test_people_label_and_tag(client, sky, observer):
    address, body = f"/api/alerce-objects/{sky.pk}/tag/", {"name": "Look again"}
    assert client.post(address, body, content_type="application/json").status_code == 200
    made = client.post(
        "/api/alerce-labels/", {"sky_object": str(sky.pk), "label": "CV/Nova", "text": "hot"}, content_type="application/json"
    )
    assert (made.status_code, made.json()["author"]) == (201, "observer")
    wrong = client.post("/api/alerce-labels/", {"sky_object": str(sky.pk), "label": "odd"}, content_type="application/json")
    assert wrong.status_code == 400
    whole = read(client, f"/api/alerce-objects/{sky.pk}/everything/")
    assert (whole["tags"], [one["label"] for one in whole["labels"]]) == (["look-again"], ["CV/Nova"])
    assert [one["id"] for one in read(client, "/api/alerce-objects/", tag="look-again")["results"]] == [str(sky.pk)]
    assert client.post(f"/api/alerce-labels/{made.json()['id']}/undo/").json()["undone"]
    assert read(client, "/api/alerce-labels/", active="true")["results"] == []
    assert client.delete(address, {"name": "look-again"}, content_type="application/json").status_code == 200
    assert client.delete(address, {"name": "look-again"}, content_type="application/json").status_code == 400


ACTIONS = {
    "check": {}, "ask": {}, "approve": {}, "send": {}, "cancel": {}, "reopen": {}, "override": {"guards": ["moon"], "reason": "x"},
}  # fmt: skip


def test_who_lacks_the_right_gets_403_from_page_and_api_and_nothing_is_stored(client, observer, settings):
    """As a user who sees the request, and may ask for none."""
    settings.TOM_ALERCE = {"EVERYBODY": ("view",)}
    row = factories.request(factories.sky_object(images=False, target=factories.target()))
    client.force_login(factories.user("viewer"))
    before = FollowupRequest.objects.values().get()
    address = f"/api/alerce-requests/{row.pk}/"
    assert client.get(address).status_code == 200
    assert client.patch(address, {"payload": {"exposure_time": 1}}, content_type="application/json").status_code == 403
    assert client.post(reverse("tom_alerce:request-save", args=[row.pk]), {"f_exposure_time": "1"}).status_code == 403
    for action, body in ACTIONS.items():
        assert client.post(f"{address}{action}/", body, content_type="application/json").status_code == 403, action
        assert client.post(reverse(f"tom_alerce:request-{action}", args=[row.pk]), body).status_code == 403, action
    assert FollowupRequest.objects.values().get() == before
    assert not RequestEvent.objects.exists()


def test_nor_does_the_command_or_a_draft_get_further(client, observer, settings):
    settings.TOM_ALERCE = {"EVERYBODY": ("view",)}
    one = factories.sky_object(images=False, target=factories.target())
    row = factories.request(one, state="approved")
    client.force_login(factories.user("viewer"))
    drafted = client.post("/api/alerce-requests/", {"sky_object": str(one.pk)}, content_type="application/json")
    assert drafted.status_code == 403
    with pytest.raises(CommandError):
        call_command("alerce_submit", "--user", "viewer")
    row.refresh_from_db()
    assert (row.state, FollowupRequest.objects.count(), RequestEvent.objects.count()) == ("approved", 1, 0)


def test_a_series_is_seen_and_stopped(client, sky, observer):
    row = FollowupRequest.objects.get()
    made = Series.objects.create(every=3.0, most=5, until=timezone.now() + timedelta(days=30), owner=observer)
    FollowupRequest.objects.update(series=made, round=1)
    (found,) = read(client, "/api/alerce-series/", active="true")["results"]
    assert found["rounds"] == [str(row.pk)]
    stopped = client.post(f"/api/alerce-series/{found['id']}/stop/", {"reason": "clouds"}, content_type="application/json")
    assert stopped.status_code == 200, stopped.content
    assert "clouds" in stopped.json()["message"]


@pytest.fixture
def asked(client, observer, settings):
    """A request at the demo's facility, drafted by the API; everything is allowed."""
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake"}, "EVERYBODY": ("view", "decide", "request", "approve", "send", "override")}
    one = factories.sky_object(ra=40.0, dec=-20.0, images=False)
    factories.classification(one)
    answer = client.post("/api/alerce-requests/", {"sky_object": str(one.pk), "snr": 20}, content_type="application/json")
    assert answer.status_code in (201, 400), answer.content
    if answer.status_code == 400:
        pytest.skip(f"not visible now: {answer.json()}")
    return answer.json()


def test_a_request_goes_its_way_by_the_api(client, asked):
    address = f"/api/alerce-requests/{asked['id']}/"
    assert asked["state"] == "validated"
    assert {one["name"] for one in asked["verdicts"]} >= {"visible", "moon", "budget"}
    refused = client.patch(address, {"payload": {"target_id": 1, "odd": 2}}, content_type="application/json")
    assert set(refused.json()["payload"]) == {"target_id", "odd"}
    assert client.post(f"{address}ask/").json()["asking"]
    assert [one["id"] for one in read(client, "/api/alerce-requests/", waiting="true")["results"]] == [asked["id"]]
    against = [one["name"] for one in asked["verdicts"] if not one["passed"]]
    if against:
        stopped = client.post(f"{address}send/")
        assert stopped.status_code == 400
        assert [one["name"] for one in stopped.json()["verdicts"]] == against
        client.post(f"{address}override/", {"guards": against, "reason": "a test"}, content_type="application/json")
    sent = client.post(f"{address}send/")
    assert sent.status_code == 200, sent.content
    assert sent.json()["observation_id"]
    assert [one["after"] for one in sent.json()["events"]][-2:] == ["sending", "submitted"]
    given_up = client.post(f"{address}cancel/", {"reason": "clouds"}, content_type="application/json")
    assert given_up.status_code in (200, 400)


def test_the_description_has_every_address_and_no_warning():
    schema._schema.cache_clear()
    GENERATOR_STATS.reset()
    made = schema.schema()
    assert not GENERATOR_STATS
    for name in routes.ENDPOINTS:
        assert f"/api/{name}/" in made["paths"]
    for group in schema.groups(made):
        for one in group["operations"]:
            assert one["text"], one["address"]
            assert all(p["text"] for p in one["parameters"]), one["address"]


def test_the_page_of_the_api_lists_it_and_loads_nothing_from_elsewhere(client, observer):
    page = client.get(reverse("tom_alerce:api"))
    assert page.status_code == 200
    text = page.content.decode()
    assert "/api/alerce-requests/{id}/send/" in text
    assert 'id="alerce-objects"' in text
    assert read(client, reverse("tom_alerce:api-schema"))["openapi"].startswith("3.")
