"""Automatic triggers: off, rehearsing, drafting, sending; their guards, caps, rights and the switch that stops them."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from tom_observations.models import ObservationRecord

from tests.tom_alerce import factories
from tests.tom_alerce.test_judge import up_tonight
from tom_alerce.models import FollowupRequest, Halt, Trigger, TriggerEntry
from tom_alerce.pipeline import triggers as pipeline
from tom_alerce.requests import ask, triggers
from tom_alerce.requests.rights import Forbidden
from tom_alerce.store import marks
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
NIGHT = "2026-11-27"


@pytest.fixture(autouse=True)
def _fake(settings, tmp_path):
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake"}}
    settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]
    settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}}


@pytest.fixture
def skies():
    ra, *_ = up_tonight()
    return [factories.sky_object(ra, dec, peak=400_000.0) for dec in (-25.0, -28.0, -31.0, -34.0)]


@pytest.fixture
def owner():
    return factories.user("chief", is_superuser=True)


def trigger(owner, mode="rehearse", **fields):
    return Trigger.objects.create(
        **{"name": "young", "facility": "fake", "threshold": 0.5, "per_night": 2, "hours_per_night": 5.0, "mode": mode, "owner": owner}
        | ({"allowed_by": owner} if mode == "send" else {})
        | fields
    )


def fire(one, skies, scores=(0.9, 0.8, 0.7, 0.4)):
    return triggers.fire(one, list(zip(skies, scores, strict=True)), NIGHT)


def outcomes(entries):
    return [one.outcome for one in entries]


def test_off_is_the_default_and_does_nothing(skies, owner):
    one = Trigger.objects.create(name="new", facility="fake")
    assert one.mode == "off"
    assert fire(one, skies) == []


def test_a_rehearsal_logs_what_it_would_ask_for_and_stores_nothing_else(skies, owner):
    entries = fire(trigger(owner), skies)
    assert outcomes(entries) == ["rehearsed", "rehearsed", "capped"]
    assert entries[0].payload["exposures"]
    assert entries[0].hours > 0.0
    assert not FollowupRequest.objects.exists()
    assert skies[0].target_id is None


def test_drafts_wait_for_a_person_and_nothing_is_asked_twice_in_a_night(skies, owner):
    one = trigger(owner, "draft", per_night=3)
    assert outcomes(fire(one, skies)) == ["drafted", "drafted", "drafted"]
    assert ask.asks(FollowupRequest.objects.all()).count() == 3
    assert not ObservationRecord.objects.exists()
    assert outcomes(fire(one, skies)) == []


def test_it_sends_only_with_the_leave_of_an_administrator(skies, owner):
    with pytest.raises(IntegrityError), transaction.atomic():
        trigger(owner, "send", allowed_by=None)
    person = factories.user("person")
    factories.roles(person, "request", "approve", "send", "configure")
    one = trigger(person, "off")
    with pytest.raises(StoreError, match="administrator"):
        triggers.allow(one, person, "send")
    triggers.allow(one, owner, "send")
    assert outcomes(fire(one, skies)) == ["sent", "sent", "capped"]
    assert ObservationRecord.objects.count() == 2
    assert {row.state for row in FollowupRequest.objects.all()} == {"submitted"}
    triggers.allow(one, person, "draft")
    assert one.allowed_by is None


def test_rights_that_were_taken_away_take_the_trigger_with_them(skies, owner):
    one = trigger(owner, "send")
    owner.is_superuser = False
    owner.save()
    assert outcomes(fire(one, skies[:1], [0.9])) == ["failed"]
    assert not ObservationRecord.objects.exists()


def test_hours_are_capped(skies, owner):
    entries = fire(trigger(owner, hours_per_night=0.1, per_night=9), skies)
    assert "h in 24 hours are used" in entries[-1].reason
    assert entries[-1].outcome == "capped"


def test_guards_stop_a_trigger_as_they_stop_people(skies, owner):
    marks.add(skies[0], "claim", factories.user("ana"), "mine")
    entries = fire(trigger(owner, "send", per_night=1), skies)
    assert outcomes(entries) == ["stopped", "sent", "capped"]
    assert "claimed" in entries[0].reason
    assert not FollowupRequest.objects.filter(sky_object=skies[0]).exists()


def test_the_switch_stops_every_trigger_at_once_and_for_all(skies, owner):
    one = trigger(owner, "send")
    triggers.halt(owner, "<b>snow</b>")
    with pytest.raises(StoreError, match="already"):
        triggers.halt(owner, "again")
    assert fire(one, skies) == []
    assert pipeline.run() == ([], [])
    assert not ObservationRecord.objects.exists()
    triggers.release(owner)
    assert Halt.objects.get().ended_by == owner
    assert outcomes(fire(one, skies[:1], [0.9])) == ["sent"]


def test_what_is_wrong_with_one_object_ends_that_one(skies, owner):
    skies[0].survey_objects.get().detections.all().delete()
    assert outcomes(fire(trigger(owner), skies)) == ["failed", "rehearsed", "rehearsed"]


def test_the_command_fires_and_says_what_it_did(skies, owner, capsys):
    trigger(owner, threshold=0.01)
    Trigger.objects.create(name="off", facility="fake")
    call_command("alerce_trigger")
    assert "would have asked" in capsys.readouterr().out
    triggers.halt(owner, "snow")
    call_command("alerce_trigger")
    assert "stopped by chief" in capsys.readouterr().out


def test_the_switch_is_on_every_page_and_whoever_may_request_uses_it(client, observer, owner):
    trigger(owner, "draft")
    for page in ("board", "requests", "review", "drift", "yield", "triggers"):
        assert "Stop all" in client.get(reverse(f"tom_alerce:{page}")).content.decode()
    client.post(reverse("tom_alerce:triggers-stop"), {"reason": "<script>alert(1)</script>"})
    page = client.get(reverse("tom_alerce:board")).content.decode()
    assert "are stopped" in page
    assert "<script>alert(1)" not in page
    assert "Let them work again" not in page
    assert client.post(reverse("tom_alerce:triggers-release")).status_code == 403
    assert Halt.current() is not None


def test_triggers_are_made_and_switched_by_those_who_configure(client, observer, owner):
    data = {"name": "t", "profile": "default", "threshold": "0.9", "facility": "fake", "instrument": "", "filters": "g, r", "snr": "20"}
    data = {f"new-{name}": value for name, value in (data | {"per_night": "1", "hours_per_night": "0.5"}).items()}
    assert client.post(reverse("tom_alerce:trigger-new"), data).status_code == 403
    factories.roles(observer, "configure")
    observer = type(observer).objects.get(pk=observer.pk)
    client.force_login(observer)
    assert client.post(reverse("tom_alerce:trigger-new"), data | {"new-filters": "X"}).status_code == 302
    assert not Trigger.objects.exists()
    client.post(reverse("tom_alerce:trigger-new"), data)
    made = Trigger.objects.get()
    assert (made.mode, made.filters, made.owner) == ("off", ["g", "r"], observer)
    client.post(reverse("tom_alerce:trigger-switch", args=[made.pk]), {"mode": "send"})
    made.refresh_from_db()
    assert made.mode == "off"
    client.post(reverse("tom_alerce:trigger-switch", args=[made.pk]), {"mode": "draft"})
    made.refresh_from_db()
    assert made.mode == "draft"
    page = client.get(reverse("tom_alerce:triggers")).content.decode()
    assert "sends, without a person" not in page.split("A new one")[0].split("Change")[0]
    change = {name.replace("new-", f"t{made.pk}-"): value for name, value in data.items()}
    client.post(reverse("tom_alerce:trigger-save", args=[made.pk]), change)
    made.refresh_from_db()
    assert made.mode == "off"


def test_the_log_is_for_its_owner_and_those_who_configure(client, observer, owner, skies):
    fire(trigger(owner), skies)
    assert "would have asked" not in client.get(reverse("tom_alerce:triggers")).content.decode()
    client.force_login(owner)
    assert client.get(reverse("tom_alerce:triggers")).content.decode().count("would have asked") >= 2


def test_strangers_and_those_without_the_role_stop_nothing(client, db):
    assert client.post(reverse("tom_alerce:triggers-stop")).status_code == 302
    client.force_login(factories.user("reader"))
    assert client.post(reverse("tom_alerce:triggers-stop")).status_code == 403
    assert not Halt.objects.exists()
    with pytest.raises(Forbidden):
        triggers.halt(factories.user("other"), "")
    assert not TriggerEntry.objects.exists()
