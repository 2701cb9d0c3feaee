"""Filters, lists, events and notifications by the API: who sees them, who may change them, and what is refused."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from tests.tom_alerce import factories
from tom_alerce.clock import now
from tom_alerce.models import Channel, Delivery, Event, EventCandidate, SavedFilter, SkyEvent, Watch
from tom_alerce.pipeline import filters
from tom_alerce.store import channels, subscriptions

pytestmark = pytest.mark.django_db
BRIGHT = {"field": "magnitude", "op": "<", "value": 19.0}


def read(client, address, **parameters):
    answer = client.get(address, parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(client, address, body=None, status=200):
    answer = client.post(address, body or {}, content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


@pytest.fixture
def objects():
    """A bright and a faint one, looked at."""
    found = [factories.sky_object(ra=10.0 + i, peak=peak, images=False) for i, peak in enumerate((400_000.0, 20_000.0))]
    filters.run([one.pk for one in found])
    return found


def test_objects_that_pass_a_filter_are_found_by_its_json_and_by_its_name(client, observer, objects):
    bright = [str(objects[0].pk)]
    assert [one["id"] for one in read(client, "/api/alerce-objects/", filter=json.dumps(BRIGHT))["results"]] == bright
    for text, why in (("{", "no JSON"), ('{"field": "odd", "op": "<", "value": 1}', "odd")):
        answer = client.get("/api/alerce-objects/", {"filter": text})
        assert answer.status_code == 400
        assert why in answer.json()["detail"]
    post(client, "/api/alerce-filters/", {"name": "bright ones", "body": BRIGHT}, 201)
    assert [one["id"] for one in read(client, "/api/alerce-objects/", passes="bright ones")["results"]] == bright
    client.force_login(factories.user("other"))
    assert client.get("/api/alerce-objects/", {"passes": "bright ones"}).status_code == 400


def test_a_filter_is_stored_tried_and_switched_on(client, observer, objects):
    made = post(client, "/api/alerce-filters/", {"name": "bright ones", "text": "for spectra", "body": BRIGHT}, 201)
    address = f"/api/alerce-filters/{made['id']}/"
    assert (made["on"], made["versions"][0]["refusal"]) == (None, "it has to be tried on the last 30 days first")
    assert "tried" in post(client, f"{address}start/", status=400)["detail"]
    tried = post(client, f"{address}try/")
    assert (tried["looked"], tried["passed"]) == (2, 1)
    assert post(client, f"{address}start/")["on"] == 1
    assert [one["name"] for one in read(client, "/api/alerce-filters/", on="true")["results"]] == ["bright ones"]
    again = post(client, "/api/alerce-filters/", {"name": "bright ones", "body": BRIGHT | {"value": 18.0}}, 201)
    assert ([one["version"] for one in again["versions"]], again["text"]) == ([2, 1], "for spectra")
    assert post(client, f"{address}stop/")["on"] is None
    assert client.delete(address).status_code == 204
    assert "no condition" in post(client, "/api/alerce-filters/", {"name": "x", "body": {}}, 400)["detail"]


def test_a_filter_of_others_is_seen_by_their_group_and_changed_by_nobody_else(client, observer, objects):
    made = post(client, "/api/alerce-filters/", {"name": "bright ones", "body": BRIGHT}, 201)
    other, group = factories.user("other"), Group.objects.create(name="night shift")
    factories.roles(other, "decide")
    client.force_login(other)
    assert read(client, "/api/alerce-filters/")["results"] == []
    assert client.get(f"/api/alerce-filters/{made['id']}/").status_code == 404
    other.groups.add(group)
    SavedFilter.objects.get().groups.add(group)
    assert read(client, f"/api/alerce-filters/{made['id']}/")["owner"] == "observer"
    for action in ("try", "start", "stop"):
        post(client, f"/api/alerce-filters/{made['id']}/{action}/", status=403)


def test_lists_are_made_looked_through_read_back_and_removed(client, observer):
    sky = factories.sky_object(ra=10.0, dec=2.0, images=False)
    given = {"name": "mine", "entries": "10.0, 2.0, M 1\n11.0, 91.0, nowhere"}
    assert "line 2" in post(client, "/api/alerce-lists/", given, 400)["entries"][0]
    made = post(client, "/api/alerce-lists/", {**given, "skip": True}, 201)
    address = f"/api/alerce-lists/{made['id']}/"
    (match,) = read(client, "/api/alerce-list-matches/", list=made["id"])["results"]
    assert (match["entry"], match["sky_object"], match["earlier"]) == ("M 1", str(sky.pk), True)
    assert b"M 1" in client.get(f"{address}contents/").content
    assert post(client, f"{address}switch/", {"active": False})["active"] is False
    region = post(client, "/api/alerce-lists/", {"name": "field", "entries": "circle 10 2 0.5"}, 201)
    assert (region["kind"], region["coverage"] > 0) == ("region", True)
    assert client.get(f"/api/alerce-lists/{region['id']}/contents/").content
    client.force_login(factories.user("other"))
    assert client.get(address).status_code == 404
    assert read(client, "/api/alerce-list-matches/")["results"] == []
    assert client.delete(address).status_code == 404
    client.force_login(observer)
    assert client.delete(address).status_code == 204
    assert Watch.objects.count() == 1


def test_events_have_candidates_that_are_decided(client, observer, settings):
    settings.TOM_ALERCE = {"EVERYBODY": ("view",)}
    sky = factories.sky_object(images=False)
    event = SkyEvent.objects.create(name="S261127a", messenger="gravitational wave", role="observation", mjd=now() - 1.0)
    row = EventCandidate.objects.create(event=event, sky_object=sky, level=0.4, delay=0.5)
    (found,) = read(client, "/api/alerce-events/", name="S261127a")["results"]
    assert read(client, f"/api/alerce-events/{found['id']}/")["versions"] == []
    (candidate,) = read(client, "/api/alerce-event-candidates/", event=found["id"], level=0.9)["results"]
    assert (candidate["sky_object"], candidate["status"]) == (str(sky.pk), "pending")
    address = f"/api/alerce-event-candidates/{row.pk}/decide/"
    assert post(client, address, {"status": "rejected", "text": "older"})["decided_by"] == "observer"
    post(client, address, {"status": "odd"}, 400)
    client.force_login(factories.user("viewer"))
    post(client, address, {"status": "confirmed"}, 403)


def test_an_account_reads_what_it_was_told_and_its_rules_alone(client, observer):
    sky = factories.sky_object(images=False)
    channel = channels.save(observer, "in_app", "here", {})
    rule = subscriptions.save(observer, {"name": "new ones", "events": ["new"], "profile": "default"}, [channel])
    event = Event.objects.create(event="new", key="1", title=f"{sky} is new", sky_object=sky)
    Delivery.objects.create(event=event, rule=rule, channel=channel, why="it is new", due=timezone.now(), state="sent")
    (told,) = read(client, "/api/alerce-notifications/")["results"]
    assert (told["rule"], told["channel"], told["sky_object"]) == ("new ones", "here", str(sky.pk))
    assert read(client, f"/api/alerce-notifications/{told['id']}/")["title"].endswith("is new")
    assert "marked" in post(client, "/api/alerce-notifications/read/")["detail"]
    assert read(client, "/api/alerce-rules/")["results"][0]["channels"] == ["here"]
    assert post(client, f"/api/alerce-rules/{rule.pk}/switch/", {"active": False})["active"] is False
    client.force_login(factories.user("other"))
    assert read(client, "/api/alerce-notifications/")["results"] == read(client, "/api/alerce-rules/")["results"] == []
    assert Channel.objects.count() == 1
