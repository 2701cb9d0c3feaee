"""Which rules tell which events."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from tests.tom_alerce import factories
from tests.tom_alerce.telling import channel, happens, person, rule, watched
from tom_alerce.models import Delivery, Event
from tom_alerce.store import fanout, hours
from tom_alerce.store.outbox import announce

pytestmark = pytest.mark.django_db

#: Two hours after local noon, and local midnight, at the site below.
AFTER_NOON, MIDNIGHT = (datetime(2026, 3, 20, hour, tzinfo=timezone.utc) for hour in (14, 0))


@pytest.fixture
def ada(settings):
    settings.TOM_ALERCE = {"SITE": {"name": "Null", "latitude": 0.0, "longitude": 0.0}}
    return person("ada")


@pytest.fixture
def sky(db):
    return factories.sky_object(images=False, n=1)


def whys():
    return list(Delivery.objects.order_by("pk").values_list("why", flat=True))


def test_a_rule_tells_what_happens_to_objects_in_its_list_once_and_says_why(ada, sky):
    other = factories.sky_object(images=False, n=1)
    rule(ada, watch=watched(ada, sky))
    happens(sky)
    happens(other, "2")
    assert fanout.spread() == 2
    assert fanout.spread() == 0
    assert whys() == ["changes its class, in the list of positions 'Mine'"]
    assert not Event.objects.filter(spread=False).exists()


def test_a_rule_about_a_ranking_tells_of_what_is_in_it_now(ada, sky):
    other = factories.sky_object(images=False, n=1)
    factories.rank(factories.ranking("Null"), sky)
    rule(ada, profile="default")
    happens(sky)
    happens(other, "2")
    fanout.spread()
    assert Delivery.objects.get().event.sky_object == sky


@pytest.mark.parametrize(
    ("event", "fields", "told"),
    [
        ("rises", {"rate": 0.31}, True),
        ("rises", {"rate": 0.29}, False),
        ("rises", {}, False),
        ("brightens", {"by": 0.5}, True),
        ("brightens", {"by": 0.4}, False),
        ("top", {"place": 3, "before": None}, True),
        ("top", {"place": 3, "before": 6}, True),
        ("top", {"place": 3, "before": 5}, False),
        ("top", {"place": 6, "before": None}, False),
    ],
)
def test_a_rule_asks_for_a_least_amount(ada, sky, event, fields, told):
    factories.rank(factories.ranking("Null"), sky)
    rule(ada, events=[event], profile="default", top=5)
    happens(sky, event=event, facts=fields, profile="default")
    fanout.spread()
    assert Delivery.objects.count() == told


def test_that_an_object_rises_is_told_once_in_a_night_by_each_rule(ada, sky):
    watch = watched(ada, sky)
    rule(ada, events=["rises"], watch=watch)
    rule(ada, events=["rises"], watch=watch, name="Faster", rise=0.6)
    for i, rate in enumerate((0.4, 0.5, 0.7)):
        happens(sky, str(i), "rises", facts={"rate": rate})
    fanout.spread()
    happens(sky, "4", "rises", facts={"rate": 0.9})
    fanout.spread()
    assert sorted(Delivery.objects.values_list("rule__name", "event__key")) == [("Faster", "2"), ("Young", "0")]
    Event.objects.update(created=datetime(2026, 1, 1, tzinfo=timezone.utc))
    happens(sky, "5", "rises", facts={"rate": 0.9})
    fanout.spread()
    assert Delivery.objects.count() == 4


def test_what_was_found_in_another_list_or_is_of_another_ranking_is_not_told(ada, sky):
    mine, other = watched(ada, sky), watched(ada, sky, name="Other")
    rule(ada, events=["new", "top"], watch=mine, profile="default")
    factories.rank(factories.ranking("Null"), sky)
    happens(sky, "1", "new", watch=other)
    happens(sky, "2", "top", profile="agn_flares", facts={"place": 1})
    fanout.spread()
    assert whys() == []
    happens(sky, "3", "new", watch=mine)
    fanout.spread()
    assert whys() == ["is new, in the list of positions 'Mine' and the ranking by the profile 'default'"]


def test_a_request_is_told_to_those_who_may_see_it(ada):
    berta = person("berta")
    sky = factories.sky_object(images=False, n=1, target=factories.target(permissions="PRIVATE"))
    request = factories.request(sky, user=berta)
    rule(ada, events=["request"])
    rule(berta, events=["request"])
    happens(sky, event="request", request=request)
    fanout.spread()
    assert Delivery.objects.get().rule.owner == berta


def test_what_concerns_the_tom_is_told_without_any_object(ada):
    rule(ada, events=["drift", "silent"])
    announce("drift", "1", "It drifts", "")
    announce("silent", "1", "Silence", "")
    fanout.spread()
    assert whys() == ["a classifier's input drifts", "a stream is silent or late"]


@pytest.mark.parametrize("off", ["rule", "channel", "account"])
def test_what_is_off_is_told_nothing(ada, sky, off):
    one = rule(ada, watch=watched(ada, sky))
    row = {"rule": one, "channel": one.channels.get(), "account": ada}[off]
    setattr(row, "is_active" if off == "account" else "active", False)
    row.save()
    happens(sky)
    fanout.spread()
    assert whys() == []


def test_one_delivery_for_each_channel_of_a_rule(ada, sky):
    rule(ada, channel(ada, "one"), channel(ada, "two"), watch=watched(ada, sky))
    happens(sky)
    fanout.spread()
    assert Delivery.objects.count() == 2


def test_the_pace_of_a_rule_says_when(ada):
    times = {pace: hours.due(rule(ada, name=pace, pace=pace), AFTER_NOON + timedelta(minutes=20)) for pace in ("now", "hour", "day")}
    assert times == {
        "now": AFTER_NOON + timedelta(minutes=20),
        "hour": AFTER_NOON + timedelta(hours=1),
        "day": AFTER_NOON + timedelta(hours=2),
    }
    assert hours.due(rule(ada, name="next", pace="day"), AFTER_NOON + timedelta(hours=3)) == AFTER_NOON + timedelta(hours=26)


def test_quiet_hours_are_those_of_the_night_at_the_site(ada, settings):
    quiet = {name: rule(ada, name=f"q{name}", quiet=name) for name in ("", "night", "day")}
    assert [hours.due(quiet[name], at) == at for name in ("", "night", "day") for at in (AFTER_NOON, MIDNIGHT)] == [
        *(True, True),
        *(True, False),
        *(False, True),
    ]
    assert abs(hours.due(quiet["night"], MIDNIGHT) - MIDNIGHT - timedelta(hours=6)) < timedelta(minutes=20)
    assert abs(hours.due(quiet["day"], AFTER_NOON) - AFTER_NOON - timedelta(hours=4)) < timedelta(minutes=20)
    settings.TOM_ALERCE = {"SITE": {"name": "Pole", "latitude": 89.9, "longitude": 0.0}}
    summer = datetime(2026, 6, 21, tzinfo=timezone.utc)
    assert hours.due(quiet["day"], summer) == summer + timedelta(days=1)
