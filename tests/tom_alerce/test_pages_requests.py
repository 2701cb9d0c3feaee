"""The pages of requests: what will be sent, edited, judged, approved and sent, by those who may."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from tom_observations.models import ObservationRecord

from tests.tom_alerce import factories
from tests.tom_alerce.test_judge import up_tonight
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import ask, draft
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fake(settings):
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake"}}
    settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]


@pytest.fixture
def sky():
    return factories.sky_object(up_tonight()[0], -30.0, peak=50_000.0)


@pytest.fixture
def chief(client):
    """A person with every role that requests need."""
    user = factories.user("chief")
    factories.roles(user, "decide", "request", "approve", "send", "override")
    client.force_login(user)
    return user


def post(client, name, pk, **data):
    return client.post(reverse(f"tom_alerce:{name}", args=[pk]), data, follow=True)


def asked_for(client, sky):
    """The request that one click makes."""
    answer = post(client, "apply", sky.pk)
    return FollowupRequest.objects.get(), answer


def test_one_click_fills_in_a_request_and_shows_what_would_be_sent(client, chief, sky):
    row, answer = asked_for(client, sky)
    assert answer.redirect_chain[-1][0] == reverse("tom_alerce:request", args=[row.pk])
    assert row.state == "validated"
    assert row.user == chief
    page = answer.content.decode()
    for name in row.payload:
        assert f">{name}<" in page
    assert "by our table" in page.lower()
    assert "Cerro Pachon" in page  # the verdict of visibility
    assert f"/observations/{row.facility}/create/?" in page


def test_every_field_can_be_edited_but_those_that_carry_the_key(client, chief, sky):
    row, _ = asked_for(client, sky)
    exposures = json.dumps([{"filter": "i", "seconds": 33.0, "count": 4}])
    post(client, "request-save", row.pk, f_exposures=exposures, f_max_airmass="1.7", f_name="mine", f_target_id="1", f_other="x")
    row.refresh_from_db()
    assert row.payload["exposures"] == [{"filter": "i", "seconds": 33.0, "count": 4}]
    assert row.payload["max_airmass"] == 1.7
    assert row.key[:16] in row.payload["name"]
    assert row.payload["target_id"] == row.target_id
    assert "other" not in row.payload
    assert row.state == "validated"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_airmass", "<script>alert(1)</script>"),
        ("max_airmass", "nan"),
        ("exposures", "{}"),
        ("start", "never"),
        ("exposures", "[" * 3000),
    ],
)
def test_what_cannot_be_read_changes_nothing_and_is_shown_escaped(client, chief, sky, field, value):
    row, _ = asked_for(client, sky)
    answer = post(client, "request-save", row.pk, **{f"f_{field}": value})
    before = row.payload
    row.refresh_from_db()
    assert row.payload == before
    assert "Not done" in answer.content.decode()
    assert "<script>alert(1)" not in answer.content.decode()


def test_a_request_goes_from_asking_over_approval_to_the_facility(client, chief, sky):
    row, _ = asked_for(client, sky)
    assert "waits for" in post(client, "request-ask", row.pk).content.decode()
    assert list(ask.asks(FollowupRequest.objects.all())) == [row]
    assert row.sky_object.name in client.get(reverse("tom_alerce:requests"), {"state": "waiting"}).content.decode()
    post(client, "request-approve", row.pk)
    assert not ask.asks(FollowupRequest.objects.all()).exists()
    post(client, "request-send", row.pk)
    row.refresh_from_db()
    assert row.state == "submitted"
    assert ObservationRecord.objects.get().observation_id == row.observation_id
    assert "Cancel it at Fake" in client.get(reverse("tom_alerce:request", args=[row.pk])).content.decode()
    post(client, "request-send", row.pk)  # the button again
    assert ObservationRecord.objects.count() == 1


def test_a_guard_stops_until_it_is_overridden_for_a_reason(client, chief, sky):
    row, _ = asked_for(client, sky)
    factories.request(sky, "approved", facility="Fake", instrument=row.instrument, start=row.start, end=row.end, user=chief)
    assert "requested" in post(client, "request-send", row.pk).content.decode()
    row.refresh_from_db()
    assert row.state == "validated"
    post(client, "request-override", row.pk, guard=["requested"], reason="")
    assert not row.overrides.exists()
    page = post(client, "request-override", row.pk, guard=["requested"], reason="<b>both</b> are wanted").content.decode()
    assert "&lt;b&gt;both" in page
    assert row.overrides.get().guard == "requested"


ACTIONS = {
    "request-save": "request",
    "request-check": "request",
    "request-ask": "request",
    "request-approve": "approve",
    "request-send": "send",
    "request-override": "override",
    "request-cancel": "request",
}


@pytest.mark.parametrize("action", ACTIONS)
def test_who_lacks_the_right_gets_403_and_nothing_is_stored_or_sent(client, chief, sky, action):
    row, _ = asked_for(client, sky)
    events, person = row.events.count(), factories.user("reader")
    factories.roles(person, *(set(ACTIONS.values()) - {ACTIONS[action]}))
    client.force_login(person)
    answer = client.post(reverse(f"tom_alerce:{action}", args=[row.pk]), {"guard": "requested", "reason": "because"})
    assert answer.status_code == 403
    row.refresh_from_db()
    assert (row.state, row.events.count(), ObservationRecord.objects.count()) == ("validated", events, 0)


def test_a_request_for_a_target_that_is_not_shown_does_not_exist(client, chief, sky):
    row, _ = asked_for(client, sky)
    row.target.permissions = "PRIVATE"
    row.target.save()
    stranger = factories.user("stranger")
    factories.roles(stranger, *ACTIONS.values())
    client.force_login(stranger)
    assert client.get(reverse("tom_alerce:request", args=[row.pk])).status_code == 404
    assert client.get(reverse("tom_alerce:request-portal", args=[row.pk])).status_code == 404
    assert all(client.post(reverse(f"tom_alerce:{name}", args=[row.pk])).status_code == 404 for name in ACTIONS)
    page = client.get(reverse("tom_alerce:bulk"), {"pk": row.pk}).content.decode()
    assert "None of these" in page
    assert row.sky_object.name not in client.get(reverse("tom_alerce:requests")).content.decode()


def test_actions_are_posts_of_those_who_are_logged_in(client, chief, sky):
    row, _ = asked_for(client, sky)
    for name in (*ACTIONS, "request-reopen"):
        assert client.get(reverse(f"tom_alerce:{name}", args=[row.pk])).status_code == 405
    client.logout()
    assert client.post(reverse("tom_alerce:request-send", args=[row.pk])).status_code == 302
    row.refresh_from_db()
    assert row.state == "validated"


@pytest.mark.parametrize(
    "given", [{"facility": "os"}, {"facility": "os.path"}, {"instrument": "TOASTER"}, {"filters": "x"}, {"snr": "many"}, {"snr": "1e9"}]
)
def test_a_template_that_there_is_not_makes_nothing(client, chief, sky, given):
    assert "Not done" in post(client, "apply", sky.pk, **given).content.decode()
    assert not FollowupRequest.objects.exists()


def test_a_plan_is_confirmed_on_one_page_and_each_line_has_its_own_outcome(client, chief):
    ra, *_ = up_tonight()
    for dec in (-25.0, -28.0, -31.0):
        factories.sky_object(ra, dec, peak=400_000.0)
    answer = client.post(reverse("tom_alerce:requests-plan"), follow=True)
    rows = list(FollowupRequest.objects.order_by("pk"))
    assert len(rows) == 3
    page = answer.content.decode()
    assert page.count("all pass") == 3
    assert page.count(" checked") == 3
    factories.request(rows[1].sky_object, "approved", facility="Fake", instrument="CAMERA", start=rows[1].start, end=rows[1].end)
    done = client.post(reverse("tom_alerce:bulk-confirm"), {"pk": [row.pk for row in rows], "do": "send"}, follow=True).content.decode()
    assert [FollowupRequest.objects.get(pk=row.pk).state for row in rows] == ["submitted", "validated", "submitted"]
    assert "requested already" in done
    assert client.post(reverse("tom_alerce:bulk-confirm"), {"pk": rows[1].pk, "do": "destroy"}, follow=True).status_code == 200
    assert FollowupRequest.objects.get(pk=rows[1].pk).state == "validated"


def test_the_plan_and_its_confirmation_need_rights(client, observer):
    observer.user_permissions.clear()
    assert client.post(reverse("tom_alerce:requests-plan")).status_code == 403
    assert client.post(reverse("tom_alerce:bulk-confirm"), {"do": "send"}).status_code == 403
    assert not FollowupRequest.objects.exists()


def test_what_is_wrong_with_one_request_of_a_plan_ends_that_one(client, chief, monkeypatch):
    ra, *_ = up_tonight()
    bad, good = (factories.sky_object(ra, dec, peak=400_000.0) for dec in (-25.0, -28.0))
    real = draft.draft

    def failing(requests, *args, **kwargs):
        if requests[0].target == str(bad.pk):
            raise StoreError("a hook of the TOM has failed")
        return real(requests, *args, **kwargs)

    monkeypatch.setattr("tom_alerce.pages.bulk.draft.draft", failing)
    page = client.post(reverse("tom_alerce:requests-plan"), follow=True).content.decode()
    assert "a hook of the TOM has failed" in page
    assert FollowupRequest.objects.get().sky_object == good
