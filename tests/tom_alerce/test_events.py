"""Events and their candidates in the tables: versions, retractions, matches both ways, chance, and what people say."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from math import nan

import numpy as np
import pytest
from django.test import override_settings
from django.utils import timezone

from broker_adapters import notice
from broker_adapters.healpix import cell
from broker_adapters.notice import Cone, Messenger, Notice, Role
from classifiers.simulate import skymaps
from followup import regions
from tests.tom_alerce import factories
from tom_alerce.clock import now
from tom_alerce.models import Event, EventCandidate, EventVersion, SkyEvent, SkyObject
from tom_alerce.store import candidates, counterparts, events, linking, retention
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db

MAP = skymaps.gaussian(150.0, 2.0, 2.0, (80.0, 15.0), last=6)


def said(event="S1", days_ago=3.0, place=MAP, stage="preliminary", later=0.01, **changes):
    """A notice of an event so many days ago."""
    mjd = now() - days_ago
    return Notice(event, Messenger.WAVES, Role.OBSERVATION, stage, mjd + later, mjd, place, **changes)


def thing(ra=150.0, dec=2.0, after=0.5, days_ago=3.0, **fields):
    """An object that was first seen so many days after an event."""
    first = now() - days_ago + after
    place = {"ra": ra, "dec": dec, "position_err": 0.1, "healpix": cell(ra, dec)}
    return SkyObject.objects.create(**place, first_mjd=first, last_mjd=max(first, now() - 0.1), n_detections=3, **fields)


def test_the_same_notice_again_changes_nothing_in_whatever_format():
    mjd = now() - 3.0
    text = skymaps.alert("S261127ab", mjd, MAP)
    event, new = events.save(notice.read(text))
    assert new
    assert not events.save(notice.read(b" [" + text + b"] "))[1]
    assert (SkyEvent.objects.count(), EventVersion.objects.count()) == (1, 1)
    stored, made = events.region(event), regions.prepare(MAP)
    at = np.linspace(140.0, 160.0, 50), np.zeros(50)
    np.testing.assert_allclose(stored.level(*at), made.level(*at), atol=1e-6)
    assert event.placed.distance == pytest.approx(regions.prepare(MAP).distances(*([v] for v in made.best)).moments()[0][0], rel=1e-4)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_versions_in_any_order_the_last_counts_and_all_are_kept(order):
    versions = [
        said(),
        said(stage="update", later=0.1, place=Cone(150.0, 2.0, 1.0, 1.0)),
        said(stage="retraction", later=0.2, place=None, retracted=True),
    ]
    for i in order:
        events.save(versions[i])
    event = SkyEvent.objects.get()
    assert event.retracted
    assert event.placed.stage == "update"
    assert event.versions.count() == 3
    assert not counterparts.live().exists()


def test_mock_events_and_tests_are_apart():
    thing()
    for role in (Role.MOCK, Role.TEST):
        events.save(replace(said(event=role.value), role=role))
    assert not counterparts.live().exists()
    with override_settings(TOM_ALERCE={"EVENTS": {"mocks": True}}):
        assert counterparts.live().count() == 2
        assert sum(map(counterparts.match_event, counterparts.live())) == 2
        assert counterparts.coincidences(SkyObject.objects.all(), now()) == {}, "they never count in a ranking"


def test_a_new_event_finds_stored_objects_in_its_region_and_time():
    inside, before = thing(), thing(ra=150.5, after=-5.0)
    thing(ra=190.0)
    thing(moving=True)
    event, _ = events.save(said())
    assert counterparts.match_event(event) == 1
    row = EventCandidate.objects.get()
    assert (row.sky_object, row.early, row.status) == (inside, False, "pending")
    assert row.delay == pytest.approx(0.5, abs=1e-3)
    assert row.mu == pytest.approx(80.0)
    modified = SkyEvent.objects.get().modified
    assert counterparts.match_event(event) == 1
    assert SkyEvent.objects.get().modified == modified
    assert before.pk != row.sky_object_id


def test_new_objects_find_the_events_that_still_count():
    events.save(said())
    events.save(said(event="old", days_ago=40.0))
    events.save(said(event="wide", place=Cone(150.0, 2.0, 80.0, 80.0)))
    one = thing()
    assert counterparts.match_objects([one.pk]) == 1
    assert EventCandidate.objects.get().event.name == "S1"
    assert counterparts.match_objects([]) == 0


def test_maps_of_far_events_are_not_read_for_a_batch(monkeypatch):
    events.save(said())
    far = [thing(ra=ra, dec=-40.0).pk for ra in range(0, 360, 30)]
    old = thing(after=-300.0).pk
    monkeypatch.setattr(events, "region", lambda event: 1 / 0)
    assert counterparts.match_objects([*far, old]) == 0
    with pytest.raises(ZeroDivisionError):
        counterparts.match_objects([thing().pk])


def test_what_turns_out_to_have_been_there_is_ruled_out_and_what_people_said_stays(django_user_model):
    event, _ = events.save(said())
    one, ada = thing(), factories.user("Ada")
    counterparts.match_event(event)
    counterparts.decide(EventCandidate.objects.get(), "confirmed", ada, "  a  kilonova ")
    SkyObject.objects.filter(pk=one.pk).update(survey_first_mjd=now() - 400.0)
    counterparts.match_objects([one.pk])
    row = EventCandidate.objects.get()
    assert row.early
    assert row.delay < -300.0
    assert (row.status, row.decided_by, row.text) == ("confirmed", ada, "a kilonova")


def test_a_better_map_judges_old_candidates_again():
    one = thing(ra=152.0)
    event, _ = events.save(said())
    counterparts.match_event(event)
    assert EventCandidate.objects.get().level < 0.9
    events.save(said(stage="update", later=0.5, place=Cone(150.0, 2.0, 0.5, 0.5)))
    counterparts.match_event(SkyEvent.objects.get())
    row = EventCandidate.objects.get()
    assert row.sky_object == one
    assert row.level > 0.99
    assert row.mu is None


def test_chance_is_counted_from_our_own_objects():
    event, _ = events.save(said())
    assert math.isnan(counterparts.expected(event, 1.0))
    for i in range(31):
        thing(ra=150.0 + 0.01 * i, after=-2.0 - 0.9 * i)
    counterparts.match_event(event)
    event.refresh_from_db()
    assert event.background == pytest.approx(1.0)
    assert counterparts.expected(event, 1.0, event.mjd + 5.0) == pytest.approx(6.0)
    assert counterparts.expected(event, 0.5, event.mjd + 500.0) == pytest.approx(16.0)
    thing(ra=150.1)
    counterparts.match_event(event)
    row = EventCandidate.objects.get()
    assert row.share == pytest.approx(events.region(event).area(row.level)[0] / event.area)


def test_where_the_region_has_too_few_the_whole_sky_counts():
    for i in range(20):
        thing(ra=200.0 + i, dec=-30.0, after=-2.0 - i)
    event, _ = events.save(said())
    counterparts.match_event(event)
    event.refresh_from_db()
    assert 0.0 < event.background < 20 / 31


def test_the_ranking_reads_the_coincidences_of_candidates():
    one = thing()
    thing(ra=190.0)
    event, _ = events.save(said())
    counterparts.match_event(event)
    here, there = candidates.candidates(SkyObject.objects.order_by("pk"))
    (found,) = here.coincidences
    assert (found.event, found.status, there.coincidences) == ("S1", "pending", ())
    assert found.norm > 0.0
    events.save(said(stage="retraction", later=1.0, place=None, retracted=True, far=nan))
    assert counterparts.coincidences(SkyObject.objects.filter(pk=one.pk), now()) == {}


def test_objects_that_become_one_keep_their_places():
    event, _ = events.save(said())
    first, second = (factories.sky_object(n=2, images=False, first_mjd=now() - 2.5) for _ in range(2))
    counterparts.match_event(event)
    member = second.survey_objects.get()
    heir = linking.link(member, first, None)
    assert list(EventCandidate.objects.values_list("sky_object", flat=True)) == [heir.pk]


def test_people_may_be_told_of_what_counts_once():
    update = said(stage="update", later=0.3)
    for one in (update, update, said(later=0.1), replace(said(event="M"), role=Role.MOCK)):
        events.save(one)
    events.save(said(stage="retraction", later=0.5, place=None, retracted=True))
    told = Event.objects.order_by("pk")
    assert [one.title for one in told] == ["S1: update", "S1: retracted"]
    assert "80" not in told[1].text
    assert "Mpc" in told[0].text
    assert told[0].url == f"/alerce/events/{SkyEvent.objects.get(name='S1').pk}/"


def test_mock_events_are_forgotten_unless_people_have_said_something(django_user_model):
    thing()
    for name, role in (("S1", Role.OBSERVATION), ("M1", Role.MOCK), ("M2", Role.TEST)):
        events.save(replace(said(event=name), role=role))
    with override_settings(TOM_ALERCE={"EVENTS": {"mocks": True}}):
        counterparts.match_event(SkyEvent.objects.get(name="M2"))
    counterparts.decide(EventCandidate.objects.get(), "rejected", factories.user("Ada"))
    SkyEvent.objects.update(modified=timezone.now() - timedelta(days=9))
    assert retention.prune()["mocks"] == 1
    assert set(SkyEvent.objects.values_list("name", flat=True)) == {"S1", "M2"}


def test_nonsense_is_refused():
    event, _ = events.save(said())
    thing()
    counterparts.match_event(event)
    row = EventCandidate.objects.get()
    for status, text in (("maybe", ""), ("rejected", "x" * 501)):
        with pytest.raises(StoreError):
            counterparts.decide(row, status, None, text)
    back, _ = events.save(said(event="S2", stage="retraction", place=None, retracted=True))
    with pytest.raises(StoreError):
        events.region(back)
    assert counterparts.match_event(back) == 0
