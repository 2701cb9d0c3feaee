"""Several people, or workers, draft and check the same request at the same time: one request, and nobody is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from followup.records import Exposure
from tests.followup.test_lco import REQUEST
from tests.tom_alerce.alerts import alert
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.requests import draft, states, validate
from tom_alerce.store import alerts

State = FollowupRequest.State
FAKE = {
    "TOM_ALERCE": {"FACILITY": {"name": "fake", "program": "TEST"}},
    "TOM_FACILITY_CLASSES": ["demo.facility.FakeFacility"],
}


def planned(end=0.0):
    """A request of the only object; the window depends on when it is planned."""
    if not SkyObject.objects.exists():
        alerts.save([alert(ra=40.0, dec=-20.0)])
    request = replace(REQUEST, target=str(SkyObject.objects.get().pk), facility="fake", instrument="CAMERA")
    return replace(request, exposures=(Exposure("g", 60.0, 2),), end=request.end - end)


class Person:
    """Somebody who drafts, then checks."""

    def __init__(self, i):
        self.user = User.objects.get_or_create(username=f"user {i}", defaults={"is_superuser": True})[0]
        self.end, self.row = i * 0.01, None

    def act(self):
        if self.row is None:
            (self.row,) = draft.draft([planned(self.end)], user=self.user)
        else:
            assert validate.dry_run(self.row) is not None
            assert self.row.state == State.VALIDATED


class TestTogether(TestCase):
    @settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.permutations([0, 0, 1, 1, 2, 2]))
    def test_three_dry_runs_in_any_order_of_their_steps(self, steps):
        with self.settings(**FAKE):
            people = [Person(i) for i in range(3)]
            for i in steps:
                people[i].act()
            row = FollowupRequest.objects.get()
            assert row.state == State.VALIDATED
            assert row.payload == people[steps[-1]].row.payload  # what was checked last is what would be sent

    def test_a_double_click(self):
        with self.settings(**FAKE):
            first, second = Person(0), Person(0)
            for person in (first, second, first, second):
                person.act()
            assert FollowupRequest.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("state", sorted(states.UNSENT))
@pytest.mark.parametrize("sent", [State.APPROVED, *sorted(states.PENDING)])
def test_a_check_that_ends_after_the_request_was_sent_changes_nothing(settings, state, sent):
    for name, value in FAKE.items():
        setattr(settings, name, value)
    (row,) = draft.draft([planned()])
    FollowupRequest.objects.update(state=sent)
    row.state = state
    with pytest.raises(states.IllegalTransition, match="somebody else has approved, sent or given it up"):
        validate.dry_run(row)
    assert FollowupRequest.objects.get().state == sent


@pytest.mark.django_db
def test_a_facility_of_the_tom_that_fails_leaves_a_draft_that_says_so(settings, monkeypatch):
    for name, value in FAKE.items():
        setattr(settings, name, value)
    (row,) = draft.draft([planned()])
    monkeypatch.setattr("demo.facility.FakeFacility.create_form_instance", lambda *args, **options: {}["no such key"])
    assert validate.dry_run(row) is None
    assert (row.state, "KeyError" in row.message) == (State.DRAFT, True)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests run on SQLite; set TOM_ALERCE_POSTGRESQL")
def test_three_at_once_on_postgresql(settings):
    for name, value in FAKE.items():
        setattr(settings, name, value)
    alerts.save([alert(ra=40.0, dec=-20.0)])
    people, start = [Person(i) for i in range(3)], Barrier(3)

    def run(person):
        with closing(connection):
            start.wait()
            person.act()
            person.act()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(run, person) for person in people]:
            done.result(timeout=60)
    assert FollowupRequest.objects.get().state == State.VALIDATED
