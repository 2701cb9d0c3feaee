"""Keys of people: their calls carry them, nobody else's do, and nobody sees them."""

from __future__ import annotations

import json

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from werkzeug import Response

from tests.followup.test_lco import INSTRUMENTS
from tests.portal import build
from tests.tom_alerce import factories
from tests.unguarded import UNGUARDED
from tom_alerce.models import FacilityKey, FollowupRequest
from tom_alerce.requests import allowance, approve, cancel, draft, keys, send, sync, validate
from tom_alerce.requests.portal import Outcome, call
from tom_alerce.requests.rights import Forbidden
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State
pytestmark = pytest.mark.django_db
TOM, ADA = "key-of-the-tom-0001", "key-of-ada-t0ps3cret"


@pytest.fixture
def portal(httpserver, settings):
    """A portal on loopback where each key has a proposal of its own; what it was asked, and with which key."""
    cache.clear()
    asked = []

    def answer(request):
        key = request.headers.get("Authorization", "").removeprefix("Token ")
        asked.append((request.path, key))
        proposal = {TOM: "TOM2026", ADA: "ADA2026"}[key]
        body = {
            "/api/instruments/": INSTRUMENTS,
            "/api/profile/": {"proposals": [{"id": proposal, "title": "", "current": True}]},
            "/api/requestgroups/validate/": {"request_durations": {"duration": 245, "requests": []}, "errors": {}},
            "/api/requestgroups/": {"id": 7, "requests": [{"id": 8}], "results": [], "next": None},
            "/api/requests/8": {"state": "PENDING", "id": 8},
            "/api/requests/8/observations/": [],
        }.get(request.path, {"results": []})
        return Response(json.dumps(body), content_type="application/json")

    for path in ("instruments/", "profile/", "requestgroups/validate/", "requestgroups/", "requests/8", "requests/8/observations/"):
        httpserver.expect_request(f"/api/{path}").respond_with_handler(answer)
    for path in ("semesters/", "proposals/ADA2026/"):
        httpserver.expect_request(f"/api/{path}").respond_with_handler(answer)
    settings.TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco.LCOFacility", "demo.facility.FakeFacility"]
    settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "archive_url": httpserver.url_for("/"), "api_key": TOM}}
    settings.TOM_ALERCE = {"FACILITY": {"name": "lco", "proposal": "TOM2026"}, "GUARDS": UNGUARDED}
    yield asked
    cache.clear()


@pytest.fixture
def ada(portal):
    user = factories.user("ada")
    factories.roles(user, "request", "approve", "send")
    keys.store(user, "LCO", f" {ADA} ")
    return user


def checked(settings, user, proposal):
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY": {"name": "lco", "proposal": proposal}}
    (row,) = draft.draft([build.planned()], user=user)
    validate.dry_run(row, user)
    return row


@pytest.mark.parametrize("of_the_tom", [TOM, ""])
def test_whatever_is_done_in_her_name_is_asked_with_her_key(ada, portal, settings, of_the_tom):
    settings.FACILITIES["LCO"]["api_key"] = of_the_tom
    row = checked(settings, ada, "ADA2026")
    assert row.state == State.VALIDATED, row.message
    allowance.allowance(row)
    approve.approve(row, ada)
    send.send(row, ada)
    assert (row.state, row.observation_id) == (State.SUBMITTED, "8")
    sync.sync()  # in the background
    with pytest.raises(StoreError):  # it is still pending there
        cancel.cancel(row, ada)
    assert {key for _, key in portal} == {ADA}
    assert {"/api/requestgroups/", "/api/requests/8", "/api/requestgroups/validate/", "/api/semesters/"} <= {path for path, _ in portal}


def test_others_are_asked_for_with_the_key_of_the_tom_and_see_none_of_her_proposals(ada, portal, settings):
    hers, berta = checked(settings, ada, "ADA2026"), factories.user("berta")
    portal.clear()
    theirs = checked(settings, berta, "TOM2026")
    assert (hers.state, theirs.state) == (State.VALIDATED, State.VALIDATED)
    assert {key for _, key in portal} == {TOM}
    assert checked(settings, berta, "ADA2026").state == State.INVALID
    assert checked(settings, ada, "TOM2026").state == State.INVALID


def test_it_goes_to_its_portal_alone(ada, httpserver):
    from types import SimpleNamespace

    key = keys.Personal(httpserver.url_for("/"), ADA)
    for url in ("https://elsewhere.example/", httpserver.url_for("/").replace("http://", "https://")):
        request = SimpleNamespace(url=url, headers={"Authorization": "Token other"})
        key.put(request)
        assert request.headers["Authorization"] == "Token other"
    assert ADA not in repr(key)


def test_it_is_stored_encrypted_and_shown_nowhere(ada, portal, client, settings):
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM tom_alerce_facilitykey")
        assert ADA.encode() not in bytes(cursor.fetchone()[0])
    client.force_login(ada)
    row = checked(settings, ada, "ADA2026")
    for page in (reverse("tom_alerce:keys"), reverse("tom_alerce:request", args=[row.pk])):
        assert ADA not in client.get(page).content.decode()
    assert ADA not in str(list(row.events.values())) + str(FollowupRequest.objects.values())
    settings.SECRET_KEY = "another"
    row.sender = ada
    with pytest.raises(StoreError, match="must be given again"):
        validate.check(row)
    assert call(list, row=row).outcome is Outcome.UNDELIVERED
    FacilityKey.objects.all().delete()


def test_it_is_given_replaced_and_taken_away_on_its_page(ada, portal, client):
    client.force_login(ada)
    page = client.get(reverse("tom_alerce:keys")).content.decode()
    assert "yours, since" in page
    assert "Fake" not in page
    save = reverse("tom_alerce:keys-save")
    for bad in (
        {"facility": "LCO", "secret": "a b"},
        {"facility": "LCO", "secret": "x\nAuthorization: y"},
        {"facility": "Fake", "secret": ADA},
    ):
        assert "Not done" in client.post(save, bad, follow=True).content.decode()
    client.post(save, {"facility": "LCO", "secret": "another-key-0002"})
    assert FacilityKey.objects.get().secret == "another-key-0002"
    client.post(save, {"facility": "LCO", "clear": "1", "secret": "ignored-0001"})
    assert not FacilityKey.objects.exists()
    with pytest.raises(Forbidden):
        keys.store(factories.user("nobody"), "LCO", ADA)
