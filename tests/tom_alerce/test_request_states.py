"""The diagram of a request's states, walked in every way, and the page of the documentation that shows it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest, RequestEvent
from tom_alerce.requests import draft, states

State = FollowupRequest.State
PAGE = Path(__file__).resolve().parents[2] / "docs" / "requests.md"


class Workers(RuleBasedStateMachine):
    """Two workers, each with its own copy of one row, which may be out of date, try any change in any order."""

    def __init__(self):
        super().__init__()
        self.row = factories.request(factories.sky_object(surveys=(), n=0), state=State.DRAFT)
        states.note(self.row, "", State.DRAFT, "drafted")
        self.copies = [self.fresh(), self.fresh()]

    def fresh(self):
        return FollowupRequest.objects.get(pk=self.row.pk)

    @rule(who=st.integers(0, 1), to=st.sampled_from(list(State)))
    def tries(self, who, to):
        copy, before = self.copies[who], self.fresh().state
        may = (copy.state, to) in states.DIAGRAM and (before == copy.state or {before, copy.state, to} <= states.UNSENT)
        try:
            states.move(copy, to, "tried")
        except states.IllegalTransition:
            assert not may
            assert self.fresh().state == before
        else:
            assert may
            assert self.fresh().state == to == copy.state

    @rule(who=st.integers(0, 1))
    def looks(self, who):
        self.copies[who] = self.fresh()

    @rule(who=st.integers(0, 1))
    def reopens(self, who):
        copy, before = self.copies[who], self.fresh()
        try:
            draft.reopen(copy)
        except states.IllegalTransition:
            assert self.fresh().state == before.state
        else:
            now = self.fresh()
            assert now.state == State.DRAFT
            assert (now.token == before.token) == (before.state not in states.ENDED)

    @invariant()
    def the_events_are_one_chain_along_the_diagram(self):
        chain = list(self.row.events.values_list("before", "after"))
        # one that does not follow from the last is of a worker that checks beside another
        assert all(after == before or {after, before} <= states.UNSENT for (_, after), (before, _) in pairwise(chain))
        assert all(pair in states.DIAGRAM for pair in chain[1:])
        assert chain[-1][1] == self.fresh().state

    def teardown(self):
        sky, target = self.row.sky_object, self.row.target
        self.fresh().delete()
        sky.delete()
        target.delete()


@pytest.mark.django_db
def test_only_the_diagram_happens_whatever_two_workers_try():
    run_state_machine_as_test(
        Workers, settings=settings(max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    )


def test_the_page_shows_the_diagram_of_the_code():
    assert states.table() in PAGE.read_text()


def test_every_state_can_be_reached_and_left_as_drawn():
    reached, front = set(), {State.DRAFT}
    while front:
        reached |= front
        front = {after for before, after in states.DIAGRAM if before in front} - reached
    assert reached == set(State)
    assert states.TRANSITIONS[State.OBSERVED] == frozenset()


@pytest.mark.django_db
def test_an_event_is_never_changed_and_says_who():
    user = factories.user()
    row = factories.request(factories.sky_object(surveys=(), n=0))
    states.move(row, State.APPROVED, "good seeing", by=user, carried={"a": 1}, answer="yes")
    event = RequestEvent.objects.get(request=row)
    assert (event.user, event.before, event.after, event.reason) == (user, State.VALIDATED, State.APPROVED, "good seeing")
    assert (event.payload, event.answer, str(event)[-21:]) == ({"a": 1}, "yes", "validated -> approved")
    event.reason = "no"
    with pytest.raises(TypeError):
        event.save()
