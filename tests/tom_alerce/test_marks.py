"""Marks of people: who may put and undo them, how long they last, and who sees them."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from broker_adapters.times import datetime_from_mjd, mjd_from_datetime
from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Mark, Rank, SkyObject
from tom_alerce.store import linking, marks
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _roles_are_given(settings):
    settings.TOM_ALERCE = {"EVERYBODY": ("view",)}


def night(days):
    return datetime_from_mjd(marks.tonight() + days).date()


def post(client, action, pk, **data):
    return client.post(reverse(f"tom_alerce:{action}", args=[pk]), data)


def said(response):
    return [str(message) for message in response.wsgi_request._messages][-1]


@pytest.fixture
def sky(db):
    sky = factories.sky_object(images=False)
    factories.rank(factories.ranking(), sky)
    return sky


def behind():
    """Address of what lies behind the line of the one object on the board."""
    return reverse("tom_alerce:rank-more", args=[Rank.objects.get().pk])


@pytest.fixture
def other(db):
    user = factories.user("berta")
    factories.roles(user, "decide")
    return user


def test_a_mark_is_shown_with_its_author_and_its_end_and_can_be_undone(client, observer, sky):
    post(client, "mark", sky.pk, kind="claim", text="spectrum with <SOAR>", until=night(3).isoformat())
    assert "claimed by observer" in client.get(reverse("tom_alerce:board")).content.decode()
    for page in (behind(), reverse("tom_alerce:object", args=[sky.pk])):
        text = client.get(page).content.decode()
        assert "spectrum with &lt;SOAR&gt;" in text
        assert "observer" in text
        assert f"until {night(3)}" in text
    mark = Mark.objects.get()
    post(client, "unmark", mark.pk)
    mark.refresh_from_db()
    assert mark.undone_by == observer
    assert not marks.shown([sky.pk])
    text = unescape(client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode())
    assert "spectrum with <SOAR>" in text, "what is undone is kept"
    assert "undone already" in said(post(client, "unmark", mark.pk))


def test_after_an_action_on_the_board_one_is_on_the_board(client, observer, sky):
    there = reverse("tom_alerce:board") + "?sort=-hours"
    assert post(client, "mark", sky.pk, kind="pin", next=there).url == there


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"kind": "note"}, "needs a text"),
        ({"kind": "veto", "text": "  "}, "needs a text"),
        ({"kind": "curse"}, "no mark"),
        ({"kind": "pin", "text": "x" * 501}, "501 characters"),
        ({"kind": "pin", "until": "soon"}, "no date"),
        ({"kind": "pin", "until": "2020-01-01"}, "one of the next"),
        ({"kind": "snooze", "until": "9999-12-31"}, "one of the next"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(client, observer, sky, data, reason):
    assert reason in said(post(client, "mark", sky.pk, **data))
    assert not Mark.objects.exists()


def test_a_snooze_for_tonight_is_none(client, observer, sky):
    assert "one of the next" in said(post(client, "mark", sky.pk, kind="snooze", until=night(0).isoformat()))
    post(client, "mark", sky.pk, kind="snooze", until=night(1).isoformat())
    assert marks.last_night(Mark.objects.get()) == night(1)


@pytest.mark.parametrize("kind", Mark.Kind.values)
@pytest.mark.parametrize("days", [1, 5, 20])
def test_the_night_that_is_shown_is_the_night_that_was_given(observer, sky, kind, days):
    mark = marks.add(sky, kind, observer, "why", night(days))
    assert marks.last_night(mark) == night(days)
    begins = datetime_from_mjd(marks.tonight() + days + marks._noon())
    counts_then = marks.active(begins + timedelta(hours=12)).filter(pk=mark.pk).exists()
    assert counts_then is (kind != "snooze"), "through the night, but a snoozed object is back"
    assert not marks.active(begins + timedelta(hours=25)).filter(pk=mark.pk).exists()


def test_a_mark_without_a_night_ends_as_the_page_says(observer, sky):
    ends = {kind: marks.add(sky, kind, observer, "why").expires for kind in Mark.Kind.values}
    assert ends["note"] is ends["veto"] is None
    for kind in ("pin", "snooze", "claim"):
        assert round(mjd_from_datetime(ends[kind]) - marks._noon()) == marks.tonight() + marks.NIGHTS[kind]


def test_a_second_pin_replaces_the_first_and_notes_add_up(observer, other, sky):
    for user in (observer, observer, other):
        marks.add(sky, "pin", user)
        marks.add(sky, "note", user, "look")
    found = marks.shown([sky.pk])[sky.pk]
    assert sorted((m.kind, m.by) for m in found) == [("note", "berta"), *[("note", "observer")] * 2, ("pin", "berta"), ("pin", "observer")]
    assert Mark.objects.count() == 6


def test_what_is_claimed_is_claimed_by_one(observer, other, sky):
    first = marks.add(sky, "claim", observer)
    with pytest.raises(StoreError, match="claimed by observer"):
        marks.add(sky, "claim", other)
    Mark.objects.filter(pk=first.pk).update(expires=timezone.now() - timedelta(hours=1))
    assert marks.add(sky, "claim", other).by == "berta"


def test_a_mark_of_another_is_undone_with_the_role_configure(client, observer, other, sky):
    mark = marks.add(sky, "veto", other, "a star")
    assert "mark of berta" in refused(post(client, "unmark", mark.pk))
    assert "Undo: vetoed by berta" not in client.get(behind()).content.decode()
    factories.roles(observer, "configure")
    post(client, "unmark", mark.pk)
    assert not marks.active().exists()


def test_without_the_role_decide_there_is_no_form_and_no_mark(client, sky):
    client.force_login(factories.user("guest"))
    for page in (behind(), reverse("tom_alerce:object", args=[sky.pk])):
        assert "mark-form" not in client.get(page).content.decode()
    assert "the role 'decide'" in refused(post(client, "mark", sky.pk, kind="pin"))
    assert not Mark.objects.exists()


def test_marks_of_who_has_left_stay(client, observer, other, sky):
    marks.add(sky, "note", other, "odd")
    other.delete()
    assert "a former user" in client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode()


def test_marks_go_with_the_object_that_their_object_becomes_part_of(observer, sky):
    mark = marks.add(sky, "pin", observer)
    heir = factories.sky_object(dec=2.0001, images=False)
    linking.link(sky.survey_objects.get(), heir, observer)
    mark.refresh_from_db()
    assert mark.sky_object == heir


def test_the_ranking_reads_the_marks_that_count_at_its_time(observer, sky):
    marks.add(sky, "pin", observer)
    marks.undo(marks.add(sky, "note", observer, "gone"), observer)
    marks.add(sky, "snooze", observer, "later", night(2))
    now = now_mjd()
    pin, snooze = marks.of([sky.pk], now)[sky.pk]
    assert (pin.kind, pin.author, snooze.kind, snooze.text) == ("pin", "observer", "snooze", "later")
    assert snooze.until == pytest.approx(marks.tonight() + 2 + marks._noon())
    assert [m.kind for m in marks.of([sky.pk], now + 3.0)[sky.pk]] == ["pin"]
    assert marks.of([sky.pk], now - 1.0) == {}
    (candidate,) = candidates(SkyObject.objects.filter(pk=sky.pk))
    assert [m.kind for m in candidate.marks] == ["pin", "snooze"]


def api(client, **data):
    return client.post(reverse("api:alerce-marks-list"), data, content_type="application/json")


def test_marks_are_put_listed_and_undone_by_programs(client, observer, other, sky):
    made = api(client, sky_object=str(sky.pk), kind="snooze", text="not yet", night=night(3).isoformat())
    assert made.status_code == 201, made.content
    assert (made.json()["author"], made.json()["sky_object"]) == ("observer", str(sky.pk))
    marks.add(sky, "pin", other)
    listed = client.get(reverse("api:alerce-marks-list"), {"sky_object": sky.pk, "active": "true"}).json()["results"]
    assert [one["kind"] for one in listed] == ["pin", "snooze"]
    assert client.post(reverse("api:alerce-marks-undo", args=[listed[0]["id"]])).status_code == 403
    assert client.post(reverse("api:alerce-marks-undo", args=[listed[1]["id"]])).json()["undone"]
    assert client.post(reverse("api:alerce-marks-undo", args=[listed[1]["id"]])).status_code == 400
    rest = client.get(reverse("api:alerce-marks-list"), {"active": "false"}).json()["results"]
    assert [one["kind"] for one in rest] == ["snooze"]


@pytest.mark.parametrize(
    "data",
    [{"kind": "note"}, {"kind": "curse"}, {"sky_object": "0"}, {"sky_object": "9" * 40}, {"sky_object": "x"}, {"night": "2020-01-01"}],
)
def test_programs_are_told_what_makes_no_sense(client, observer, sky, data):
    assert api(client, **({"sky_object": str(sky.pk), "kind": "pin"} | data)).status_code == 400
    assert not Mark.objects.exists()


def test_a_program_needs_the_role_and_a_log_in(client, sky):
    data = {"sky_object": str(sky.pk), "kind": "pin"}
    assert api(client, **data).status_code in (401, 403)
    client.force_login(factories.user("guest"))
    assert api(client, **data).status_code == 403
    assert client.get(reverse("api:alerce-marks-list")).status_code == 200
    assert not Mark.objects.exists()
