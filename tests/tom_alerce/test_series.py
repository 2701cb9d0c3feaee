"""Series: a request that is repeated; its rounds, failures, guards, rights, and its pages. The portal is a folder."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone
from tom_dataproducts.models import SpectroscopyReducedDatum

from demo.facility import play
from followup.series import Known
from tests.tom_alerce import factories
from tests.tom_alerce.test_judge import up_tonight
from tom_alerce.models import Event, FollowupRequest, Halt, Rule, Series, SkyObject
from tom_alerce.requests import approve, ask, cancel, edit, rights, send, series, sync, template
from tom_alerce.store import marks
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake", "program": "TEST"}, "FACILITY_SETTLED": 0.0, "RANK_DAYS": 400.0}
    settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]
    settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}}
    return tmp_path


@pytest.fixture
def chief():
    user = factories.user("chief")
    factories.roles(user, "decide", "request", "approve", "send")
    return user


@pytest.fixture
def row(chief):
    """A request that is with the facility."""
    made = template.apply(factories.sky_object(up_tonight()[0], -30.0, peak=50_000.0), chief)
    approve.approve(made, chief)
    send.send(made, chief)
    assert made.state == State.SUBMITTED
    return made


def begin(row, user, **given):
    rule = {"every": 1.0, "most": 4, "until": timezone.now() + timedelta(days=30), "sends": True}
    return series.begin(row, user, **rule | given)


def end(row, state="COMPLETED"):
    """Let the telescope end a request that began long ago, and synchronise."""
    play(FollowupRequest.objects.get(pk=row.pk).observation_id, state)
    sync.sync()
    FollowupRequest.objects.filter(pk=row.pk).update(start=row.start - 5.0, end=row.end - 5.0)
    record = FollowupRequest.objects.get(pk=row.pk).observation_record
    type(record).objects.filter(pk=record.pk).update(scheduled_start=timezone.now() - timedelta(days=5))


def fresh(one):
    return type(one).objects.get(pk=one.pk)


def test_a_round_follows_the_one_that_was_observed_with_a_key_of_its_own_exactly_once(row, chief, folder):
    made = begin(row, chief)
    assert "round 1 is submitted" in made.message
    sync.sync()
    assert made.rounds.count() == 1
    end(row)
    for _ in range(3):
        assert sync.sync().problems == []
    first, second = made.rounds.order_by("round")
    assert (first.state, second.state) == (State.OBSERVED, State.SCHEDULED)
    assert first.key != second.key
    assert second.key[:16] in second.payload["name"]
    assert len(list(folder.iterdir())) == 2
    assert second.events.get(after=State.APPROVED).reason == "by its series, round 2"
    assert second.events.get(after=State.APPROVED).user == chief
    assert second.end - second.start <= 1.0 + 1e-6
    assert second.payload["exposures"] == first.payload["exposures"]


def test_it_waits_until_its_time_and_says_when(row, chief):
    made = begin(row, chief, every=3.0)
    play(row.observation_id, "COMPLETED")
    sync.sync()
    made = fresh(made)
    assert made.rounds.count() == 1
    assert "it was observed, and is again 3 d later; round 2 from 20" in made.message
    assert made.due > timezone.now() + timedelta(days=2)


def test_what_a_person_has_changed_is_repeated_and_exposures_follow_the_brightness_if_wanted(row, chief):
    other = template.apply(factories.sky_object(up_tonight()[0], -25.0, peak=50_000.0), chief)
    edit.edit(other, chief, {"program": "OTHER", "max_airmass": "1.8", "exposures": '[{"filter": "g", "seconds": 17.0, "count": 3}]'})
    approve.approve(other, chief)
    send.send(other, chief)
    same, anew = begin(other, chief), begin(row, chief, snr=50.0)
    SkyObject.objects.get(pk=row.sky_object_id).survey_objects.get().detections.update(flux=9_000.0)
    end(row)
    end(other)
    sync.sync()
    again = same.rounds.get(round=2)
    assert (again.payload["program"], again.payload["max_airmass"]) == ("OTHER", 1.8)
    assert again.payload["exposures"] == [{"filter": "g", "seconds": 17.0, "count": 3}]
    deeper = anew.rounds.get(round=2)
    assert sum(e["seconds"] * e["count"] for e in deeper.payload["exposures"]) > sum(
        e["seconds"] * e["count"] for e in row.payload["exposures"]
    )


def test_a_round_without_leave_to_send_waits_for_a_person_and_may_be_missed(row, chief):
    made = begin(row, chief, sends=False, failures=2, after_failure="now")
    end(row)
    sync.sync()
    sync.sync()
    second = made.rounds.get(round=2)
    assert list(ask.asks(FollowupRequest.objects.all())) == [second]
    assert second.events.count() == 3  # asked once
    assert "waits for approval" in fresh(made).message
    FollowupRequest.objects.filter(pk=second.pk).update(end=second.start - 1.0)
    sync.sync()
    assert fresh(second).state == State.EXPIRED
    assert made.rounds.count() == 3


def test_a_failure_says_what_happens_next_and_failures_end_it(row, chief):
    Rule.objects.create(owner=chief, name="mine", events=["request"])
    made = begin(row, chief, after_failure="night", failures=2)
    play(row.observation_id, "FAILED")
    sync.sync()
    made = fresh(made)
    assert "it is tried again on the next night (failure 1 in a row, 2 end the series)" in made.message
    end(row, "FAILED")
    sync.sync()
    end(made.rounds.get(round=2), "FAILED")
    made = fresh(made)
    assert made.message == "ended: 2 rounds in a row have failed"
    assert made.ended is not None
    assert "its series has ended" in made.rounds.get(round=2).events.last().reason
    told = Event.objects.filter(request__in=made.rounds.all())
    assert told.filter(title__contains="the series of requests to Fake has ended", text="2 rounds in a row have failed").count() == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"observed": 1}, "observed once"),
        ({"most": 1}, "1 rounds"),
        ({"until": timezone.now() - timedelta(days=1)}, "last date"),
        ({"fainter": 10.0}, "fainter than 10"),
    ],
)
def test_conditions_end_it(row, chief, given, why):
    made = begin(row, chief, **given)
    end(row)
    sync.sync()
    assert why in fresh(made).message
    assert made.rounds.count() == 1


def test_a_spectrum_and_the_peak_of_the_outlook_end_it(row, chief, monkeypatch):
    candidate = SimpleNamespace(classified=False)
    monkeypatch.setattr(series, "forecast", lambda *_: SimpleNamespace(magnitude=[18.0]))
    monkeypatch.setattr(series, "believed", lambda batch: [True])
    outlooks = SimpleNamespace(peak=lambda: np.array([[1.0, 2.0, 3.0]]))
    monkeypatch.setattr(series, "Batch", SimpleNamespace(of=lambda _: SimpleNamespace(has_outlook=[0], outlooks=outlooks)))
    assert series._known(row, candidate, 0.0) == Known(18.0, "", 3.0)
    SpectroscopyReducedDatum.objects.create(target=row.target, timestamp=timezone.now(), flux=[1.0], wavelength=[5000.0])
    assert series._known(row, candidate, 0.0).classified == "1 spectra in this TOM"


def test_what_no_site_sees_is_tried_for_some_days_and_then_ends(row, chief):
    made = begin(row, chief)
    end(row)
    SkyObject.objects.update(dec=89.0)
    sync.sync()
    assert "round 2 cannot be asked for: within a day" in fresh(made).message
    assert "it is tried again until" in fresh(made).message
    FollowupRequest.objects.update(modified=timezone.now() - timedelta(days=9))
    sync.sync()
    assert "ended: round 2 cannot be asked for" in fresh(made).message


def test_guards_stop_a_round_until_its_window_has_passed(row, chief):
    made = begin(row, chief)
    end(row)
    claim = marks.add(row.sky_object, "claim", factories.user("ana"), "mine")
    sync.sync()
    second = made.rounds.get(round=2)
    assert second.state == State.VALIDATED
    assert "stopped by guards (claimed)" in fresh(made).message
    marks.undo(claim, chief)
    sync.sync()
    assert fresh(second).state == State.SUBMITTED


def test_who_has_lost_the_right_or_the_account_repeats_nothing_more(row, chief):
    made = begin(row, chief)
    chief.user_permissions.clear()
    end(row)
    sync.sync()
    assert "ended: round 2 is not asked for: your account has not the role" in fresh(made).message
    assert made.rounds.count() == 1
    Series.objects.update(ended=None, owner=None)
    sync.sync()
    assert "account of its owner is gone" in fresh(made).message


def test_the_switch_that_stops_triggers_stops_what_sends(row, chief, client):
    made = begin(row, chief)
    client.force_login(chief)
    assert "1 series that sends" in " ".join(client.get(reverse("tom_alerce:board")).content.decode().split())
    Halt.objects.create(started_by=chief)
    end(row)
    sync.sync()
    assert made.rounds.count() == 1
    assert "it waits" in fresh(made).message
    Halt.objects.update(ended=timezone.now())
    sync.sync()
    assert made.rounds.get(round=2).state == State.SUBMITTED


def test_giving_a_round_up_ends_it(row, chief):
    made = begin(row, chief)
    cancel.cancel(row, chief)
    sync.sync()
    assert "ended: round 1 was given up" in fresh(made).message


def test_a_round_that_is_joined_has_the_fate_of_the_other(row, chief):
    made = begin(row, chief)
    end(row)
    sync.sync()
    second = made.rounds.get(round=2)
    FollowupRequest.objects.filter(pk=second.pk).update(state=State.CANCELLED, joined=row)  # which was observed
    series.step(fresh(made))
    assert fresh(made).ended is None
    assert made.rounds.get(round=3).state == State.SUBMITTED


def test_only_who_may_begins_or_stops_one(row, chief):
    other = factories.user("other")
    factories.roles(other, "request")
    for user, given in ((factories.user("nobody"), {"sends": False}), (other, {})):
        with pytest.raises(rights.Forbidden):
            begin(row, user, **given)
    assert not Series.objects.exists()
    made = begin(row, chief)
    with pytest.raises(StoreError, match="belongs to a series"):
        begin(row, chief)
    with pytest.raises(rights.Forbidden):
        series.stop(made, factories.user("stranger"))
    series.stop(made, chief, "enough")
    with pytest.raises(StoreError, match="ended already"):
        series.stop(fresh(made), chief)
    assert Series.objects.count() == 1


def test_two_workers_draft_one_round(row, chief):
    made = begin(row, chief)
    end(row)
    stale = fresh(made)
    sync.sync()
    series.step(stale)
    assert made.rounds.count() == 2


def test_it_is_begun_shown_and_stopped_on_the_pages(row, chief, client):
    client.force_login(chief)
    page = reverse("tom_alerce:request", args=[row.pk])
    assert "Repeat it" in client.get(page).content.decode()
    data = {"every": "6", "unit": "h", "most": "5", "days": "10", "after_failure": "now", "failures": "2", "sends": "on"}
    answer = client.post(reverse("tom_alerce:series-begin", args=[row.pk]), {f"series-{k}": v for k, v in (data | {"every": "-1"}).items()})
    assert not Series.objects.exists()
    client.post(reverse("tom_alerce:series-begin", args=[row.pk]), {f"series-{k}": v for k, v in data.items()})
    made = Series.objects.get()
    assert (made.every, made.sends, made.owner, made.observed) == (0.25, True, chief, None)
    answer = client.get(page).content.decode()
    assert "Every 6 h, at most 5 rounds" in answer
    assert "round 1 is submitted" in answer
    rank = factories.rank(factories.ranking(), row.sky_object)
    assert "round 1 is submitted" in client.get(reverse("tom_alerce:rank-more", args=[rank.pk])).content.decode()
    assert "round 1 is submitted" in client.get(reverse("tom_alerce:object", args=[row.sky_object_id])).content.decode()
    assert client.post(reverse("tom_alerce:series-stop", args=[row.pk]), {"reason": "<b>x</b>"}).status_code == 302
    answer = client.get(page).content.decode()
    assert "stopped by chief" in answer
    assert "<b>x</b>" not in answer
    stranger = factories.user("stranger")
    factories.roles(stranger, "decide")
    client.force_login(stranger)
    assert client.post(reverse("tom_alerce:series-begin", args=[row.pk]), {}).status_code in (302, 403, 404)
