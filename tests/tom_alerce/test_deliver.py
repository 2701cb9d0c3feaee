"""What is sent, when, to whom, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.tom_alerce import factories, telling
from tests.tom_alerce.telling import channel, gone, happens, person, rule, service, slack, states, watched
from tom_alerce.models import Channel, Delivery
from tom_alerce.outgoing.records import Undelivered
from tom_alerce.pipeline.deliver import deliver
from tom_alerce.store import channels, deliveries, fanout
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
__all__ = ["service"]

SECRET = "https://hooks.example/secret-secret"


@pytest.fixture
def ada(settings):
    settings.TOM_ALERCE = {"NOTIFY": {"url": "https://tom.example"}}
    return person("ada", email="ada@tom.example")


@pytest.fixture
def sky(db):
    return factories.sky_object(images=False, n=1)


def test_an_event_goes_once_through_a_channel_with_its_reason_and_both_links(ada, sky, service):
    one = rule(ada, slack(ada), watch=watched(ada, sky))
    happens(sky)
    assert str(deliver()) == "1 events; 1 sent"
    assert str(deliver()) == "0 events; nothing due"
    [message] = service.messages
    [told] = message.told
    assert (message.title, told.name, told.why) == ("event 1", sky.public_name, "changes its class, in the list of positions 'Mine'")
    assert told.url == f"https://tom.example/alerce/objects/{sky.pk}/"
    row = Delivery.objects.get()
    assert message.why == f"https://tom.example/alerce/notifications/{row.message}/"
    assert message.stop.startswith("https://tom.example/alerce/unsubscribe/")
    assert (row.state, row.tries, row.answer, row.rule) == ("sent", 1, "ok", one)


def test_two_rules_tell_the_same_event_once_through_one_channel(ada, sky, service):
    watch, through = watched(ada, sky), slack(ada)
    rule(ada, through, watch=watch)
    rule(ada, through, watch=watch, name="Other")
    happens(sky)
    deliver()
    assert states() == ["sent", "dropped"]
    assert len(service.messages) == 1


def test_more_than_three_events_at_once_come_together(ada, sky, service):
    rule(ada, slack(ada), watch=watched(ada, sky))
    for key in "1234":
        happens(sky, key)
    deliver()
    [message] = service.messages
    assert message.title == "4 events: Young"
    assert len(message.told) == 4


def test_a_digest_waits_for_its_hour_and_comes_as_one_message(ada, sky, service):
    rule(ada, slack(ada), watch=watched(ada, sky), pace="hour")
    happens(sky, "1")
    happens(sky, "2")
    deliver()
    assert service.messages == []
    deliver(timezone.now() + timedelta(hours=1))
    assert [len(message.told) for message in service.messages] == [2]


def test_what_is_beyond_the_cap_waits_and_comes_together(ada, sky, service):
    rule(ada, slack(ada), watch=watched(ada, sky), per_hour=2)
    now = timezone.now()
    for key in "12345":
        happens(sky, key)
        deliver(now)
    assert [len(message.told) for message in service.messages] == [1, 1]
    deliver(now + timedelta(minutes=61))
    assert [len(message.told) for message in service.messages] == [1, 1, 3]


def test_what_is_not_taken_is_tried_again_later_with_the_same_identity_and_given_up_in_the_end(ada, sky, service):
    rule(ada, slack(ada), watch=watched(ada, sky))
    happens(sky)
    now = start = timezone.now()
    service.error = gone()
    pauses = []
    for _ in range(deliveries.TRIES):
        assert deliver(now).problems == {"ada Slack": "HTTP 500"}
        row = Delivery.objects.get()
        if row.state == "waiting":
            pauses.append((row.due - now).total_seconds())
            assert deliver(row.due - timedelta(seconds=1)).counts == {}
            now = row.due
    assert pauses == [60.0 * 2**i for i in range(8)]
    assert (row.state, row.tries, row.answer) == ("failed", deliveries.TRIES, "HTTP 500")
    assert deliver(now + timedelta(days=9)).counts == {}
    assert len({message.id for message in service.messages}) == 1
    assert timedelta(hours=4) < now - start < timedelta(days=1)


def test_a_service_says_when_it_may_be_asked_again(ada, sky, service):
    rule(ada, slack(ada), watch=watched(ada, sky))
    happens(sky)
    service.error = gone(after=600.0)
    now = timezone.now()
    deliver(now)
    assert Delivery.objects.get().due == now + timedelta(seconds=600)


def test_a_channel_whose_address_is_gone_is_switched_off_and_says_why(ada, sky, service):
    through = slack(ada)
    rule(ada, through, watch=watched(ada, sky))
    happens(sky)
    service.error = gone(for_good=True)
    deliver()
    through.refresh_from_db()
    assert (states(), through.active, through.problem) == (["failed"], False, "HTTP 500")


def test_one_channel_that_fails_holds_up_no_other(ada, sky, service):
    rule(ada, slack(ada), channel(ada), watch=watched(ada, sky))
    happens(sky)
    service.error = RuntimeError(f"a bug that has the address {SECRET} in it")
    report = deliver()
    assert sorted(states()) == ["sent", "waiting"]
    assert SECRET not in str(report) + "".join(Delivery.objects.values_list("answer", flat=True))


def test_a_worker_that_dies_in_between_leaves_its_channel_to_another(ada, sky, service):
    through = slack(ada)
    rule(ada, through, watch=watched(ada, sky))
    happens(sky)
    service.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        deliver()
    service.error = None
    assert channels.lease(through, 60.0)
    assert deliver().counts == {}
    deliver(timezone.now() + timedelta(seconds=61))
    assert [states(), len({m.id for m in service.messages}), len(service.messages)] == [["sent"], 1, 2]


def test_who_has_lost_a_right_is_told_nothing_that_waited(ada, sky, service):
    berta = person("berta")
    shared = Group.objects.create(name="team")
    ada.groups.add(shared)
    mine = watched(berta, sky, group=shared)
    private = factories.sky_object(images=False, n=1, target=factories.target(permissions="PRIVATE"))
    request = factories.request(private, user=ada)
    through = slack(ada)
    rule(ada, through, watch=mine)
    rule(ada, through, events=["request"], name="Requests")
    happens(sky)
    happens(private, "2", "request", request=request)
    fanout.spread()
    ada.groups.clear()
    request.user = berta
    request.save()
    deliver()
    assert service.messages == []
    answers = list(Delivery.objects.order_by("pk").values_list("state", "answer"))
    assert answers == [("dropped", "ada may not see the list"), ("dropped", "ada may not see the request")]


def test_a_channel_that_a_group_reads_is_told_what_all_of_them_may_see(ada, sky, service):
    team = Group.objects.create(name="team")
    for user in (ada, person("berta")):
        user.groups.add(team)
    private = factories.sky_object(images=False, n=1, target=factories.target(permissions="PRIVATE"))
    rule(ada, slack(ada, group=team), slack(ada, "own"), events=["request"])
    happens(private, event="request", request=factories.request(private, user=ada))
    deliver()
    assert {(row.channel.name, row.state) for row in Delivery.objects.all()} == {("Slack", "dropped"), ("own", "sent")}
    rule(ada, Channel.objects.get(name="Slack"), watch=watched(ada, sky), name="list of ada's")
    happens(sky)
    deliver()
    assert Delivery.objects.last().answer == "berta may not see the list"


def test_nothing_about_requests_goes_where_everybody_reads(ada, monkeypatch):
    from tom_alerce.notify import hermes

    monkeypatch.setattr(hermes, "send", lambda message, address: pytest.fail("it was sent"))
    private = factories.sky_object(images=False, n=1, target=factories.target())
    through = channel(ada, "Hermes", "hermes", topic="hermes.test", token="a" * 20, submitter="Ada")
    rule(ada, through, events=["request"])
    happens(private, event="request", request=factories.request(private, user=ada))
    deliver()
    assert states() == ["dropped"]


def test_secrets_are_stored_encrypted_and_an_empty_field_keeps_them(ada, django_assert_num_queries):
    from django.db import connection

    one = slack(ada)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM tom_alerce_channel")
        assert b"secret-secret" not in b"".join(bytes(v) if isinstance(v, memoryview) else str(v).encode() for v in cursor.fetchone())
    channels.save(ada, "slack", "Renamed", {"url": ""}, channel=Channel.objects.get())
    assert channels.address(Channel.objects.get(pk=one.pk)) == {"url": SECRET}


def test_another_secret_key_ends_no_page_and_no_run(ada, sky, service, settings):
    rule(ada, slack(ada), channel(ada), watch=watched(ada, sky))
    settings.SECRET_KEY = "another"
    happens(sky)
    report = deliver()
    assert report.problems == {"ada Slack": "its secret cannot be read any more: give it again"}
    assert sorted(states()) == ["failed", "sent"]


@pytest.mark.parametrize(
    ("kind", "address", "reason"),
    [
        ("slack", {}, "it is needed"),
        ("slack", {"url": "http://127.0.0.1/"}, "https"),
        ("slack", {"url": "https://x/" + "y" * 600}, "at most"),
        ("os.path", {}, "no kind"),
        ("../slack", {}, "no kind"),
        ("email", {"to": "other@tom.example"}, "only that may be used"),
        ("email", {"to": "ada@tom.example\nBcc: x@y.z"}, "one line"),
        ("apprise", {"url": "json://127.0.0.1"}, "no service of apprise"),
    ],
)
def test_an_address_that_cannot_be_used_is_not_stored(ada, kind, address, reason):
    with pytest.raises(StoreError, match=reason):
        channel(ada, "x", kind, **address)
    assert not Channel.objects.exists()


def test_the_command_says_what_it_did_and_fails_where_a_channel_did(ada, sky, service, capsys):
    rule(ada, slack(ada), watch=watched(ada, sky))
    happens(sky)
    call_command("alerce_notify")
    assert capsys.readouterr().out == "1 events; 1 sent\n"
    happens(sky, "2")
    service.error = Undelivered("HTTP 503")
    with pytest.raises(CommandError, match="ada Slack: HTTP 503"):
        call_command("alerce_notify")


def test_what_the_test_button_sends_says_so(ada, service):
    from tom_alerce.pipeline import deliver as module

    assert module.test(telling.slack(ada)) == "ok"
    assert "asked for by ada" in service.messages[0].told[0].text
