"""Sending, exactly once, to the fake facility that answers in every way a facility can; no network."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django import forms
from django.db import transaction
from django.utils import timezone
from requests import ConnectionError as NoConnection
from requests import ConnectTimeout, HTTPError, ReadTimeout, Response
from tom_calendar.models import CalendarEvent
from tom_common.exceptions import ImproperCredentialsException
from tom_observations.models import ObservationRecord

from demo import facility
from followup.facilities import fake
from followup.records import Exposure
from tests.followup.test_lco import REQUEST
from tests.tom_alerce import factories
from tests.unguarded import UNGUARDED
from tom_alerce import clock
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import approve, cancel, draft, portal, reconcile, rights, send, states, sync, validate
from tom_alerce.store import requests

State = FollowupRequest.State
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """The portal of the fake facility: a folder."""
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake", "program": "TEST"}, "FACILITY_TIMEOUT": 5.0, "FACILITY_SETTLED": 0.0}
    settings.TOM_ALERCE["GUARDS"] = UNGUARDED
    settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]
    settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}}
    return tmp_path


def planned(sky=None, hours=(1.0, 5.0), **changes):
    sky = sky or factories.sky_object(surveys=(), n=0, target=factories.target(f"SN {FollowupRequest.objects.count()}"))
    camera = {"facility": "fake", "instrument": "CAMERA", "exposures": (Exposure("g", 60.0, 2),)}
    window = {"start": clock.now() + hours[0] / 24, "end": clock.now() + hours[1] / 24}
    return replace(REQUEST, target=str(sky.pk), **{**camera, **window, **changes})


def approved(**options):
    (row,) = draft.draft([planned(**options)])
    assert validate.dry_run(row) is not None, row.message
    approve.approve(row, None)
    return row


def fresh(row):
    return FollowupRequest.objects.get(pk=row.pk)


def status(code, **headers):
    answer = Response()
    answer.status_code, answer._content = code, b'{"errors": {"windows": ["too <b>late</b>"]}}'
    answer.headers.update(headers)
    return HTTPError(response=answer)


class TestOnce:
    def test_it_is_stored_as_sending_before_anything_is_sent(self, monkeypatch, folder):
        row, seen = approved(), []
        submit = facility.FakeFacility.submit_observation

        def watched(self, payload):
            seen.append(payload)
            return submit(self, payload)

        monkeypatch.setattr(facility.FakeFacility, "submit_observation", watched)
        monkeypatch.setattr(
            portal, "call", lambda function, *rest, **_: seen.append(fresh(row).state) or portal._called(function, rest, 5.0)
        )
        send.send(row, None)
        assert seen[0] == State.SENDING
        assert seen[1] == row.events.get(after=State.SENDING).payload
        assert row.token in seen[1].values()

    def test_a_second_click_a_second_worker_and_a_stale_copy_send_nothing(self, folder):
        row = approved()
        stale = fresh(row)
        send.send(row, None)
        for copy in (row, stale):
            with pytest.raises(states.IllegalTransition):
                send.send(copy, None)
        assert len(list(folder.iterdir())) == ObservationRecord.objects.count() == 1

    def test_two_workers_at_the_same_moment(self, monkeypatch, folder):
        row = approved()
        other = fresh(row)
        claim = send._claim

        def meanwhile(one, *rest):
            if one is row:
                send.send(other, None)
            return claim(one, *rest)

        monkeypatch.setattr(send, "_claim", meanwhile)
        with pytest.raises(states.IllegalTransition, match="no longer"):
            send.send(row, None)
        assert (fresh(row).state, len(list(folder.iterdir()))) == (State.SUBMITTED, 1)

    def test_the_record_of_the_toolkit_comes_with_it(self):
        row = approved()
        send.send(row, None)
        record = ObservationRecord.objects.get()
        assert fresh(row).observation_record == record
        assert (record.observation_id, record.target_id, record.facility) == (row.observation_id, row.target_id, "Fake")

    def test_a_hook_of_the_tom_that_fails_does_not_lose_it(self, settings):
        settings.HOOKS = {**settings.HOOKS, "observation_change_state": "tests.tom_alerce.test_requests_send.broken_hook"}
        row = approved()
        send.send(row, None)
        assert (fresh(row).state, ObservationRecord.objects.count()) == (State.SUBMITTED, 1)
        sync.sync()
        assert fresh(row).state == State.SCHEDULED
        assert ObservationRecord.objects.get().scheduled_start is not None

    @pytest.mark.django_db(transaction=True)
    def test_no_transaction_of_others_may_hold_it_back(self):
        row = approved()
        with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
            send.send(row, None)
        assert not ObservationRecord.objects.exists()


def broken_hook(*_):
    raise KeyError("hook")


class TestAnswers:
    @pytest.mark.parametrize("value", [None, [], [None], [""], [0], ["0"], ["<html>"], "abc", [True], ["a b"], ["12", None], {"id": 1}])
    def test_what_is_no_identity_is_not_believed(self, monkeypatch, value):
        monkeypatch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: value)
        row = approved()
        send.send(row, None)
        assert (row.state, ObservationRecord.objects.exists()) == (State.UNKNOWN, False)

    @pytest.mark.parametrize(
        ("error", "state", "says"),
        [
            (
                forms.ValidationError('OCS: b\'{"errors": {"requests": [{"windows": ["It is too late"]}]}}\''),
                State.FAILED,
                "windows: It is too late",
            ),
            (ImproperCredentialsException("OCS: Invalid token secret"), State.APPROVED, "refuses the credentials"),
            (status(429, **{"Retry-After": "59"}), State.APPROVED, "too many requests; it asks to wait 59 s"),
            (status(404), State.FAILED, "windows: too <b>late</b>"),
            (status(500), State.UNKNOWN, "in trouble (status 500)"),
            (ConnectTimeout(), State.APPROVED, "no connection"),
            (ReadTimeout(), State.UNKNOWN, "no answer within"),
            (NoConnection("reset"), State.UNKNOWN, "the connection ended"),
            (KeyError("requests"), State.UNKNOWN, "has failed (KeyError"),
        ],
    )
    def test_each_error_is_told_apart(self, monkeypatch, error, state, says):
        def failing(self, payload):
            raise error

        row = approved()
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", failing)
            send.send(row, None)
        assert row.state == fresh(row).state == state
        assert says in row.message
        assert "secret" not in str(list(row.events.values()))
        sync.sync()
        assert fresh(row).state == (State.FAILED if state == State.FAILED else State.SCHEDULED)

    def test_an_answer_that_is_lost_is_looked_up_and_not_sent_again(self, monkeypatch, folder):
        submit = facility.FakeFacility.submit_observation

        def eaten(self, payload):
            submit(self, payload)
            raise NoConnection("reset")

        row = approved()
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", eaten)
            send.send(row, None)
            assert row.state == State.UNKNOWN
            sync.sync()
        assert (fresh(row).state, len(list(folder.iterdir()))) == (State.SCHEDULED, 1)
        assert "found at the facility by its key" in row.events.get(after=State.SUBMITTED).reason

    def test_a_facility_that_hangs_is_left_alone(self, monkeypatch, settings):
        settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY_TIMEOUT": 0.2}
        row, over = approved(), threading.Event()
        monkeypatch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: over.wait(30))
        send.send(row, None)
        over.set()
        assert row.state == State.UNKNOWN

    def test_it_is_given_time_to_arrive(self, monkeypatch, settings, folder):
        settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY_SETTLED": 60.0}
        row = approved()
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: None)
            send.send(row, None)
        sync.sync()
        assert (fresh(row).state, "given 60 s" in fresh(row).message) == (State.UNKNOWN, True)
        FollowupRequest.objects.update(sent=timezone.now() - timedelta(seconds=61))
        sync.sync()
        assert (fresh(row).state, len(list(folder.iterdir()))) == (State.SCHEDULED, 1)

    def test_a_worker_that_died_is_missed(self, folder):
        row = approved()
        states.move(row, State.SENDING, carried={}, sent=timezone.now(), wanted=True)
        sync.sync()
        assert fresh(row).state == State.SENDING
        FollowupRequest.objects.update(sent=timezone.now() - timedelta(seconds=60))
        sync.sync()
        assert (fresh(row).state, len(list(folder.iterdir()))) == (State.SCHEDULED, 1)

    def test_without_a_look_up_a_person_says_what_is_there(self, monkeypatch):
        monkeypatch.delattr(fake, "find")
        monkeypatch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: None)
        rows = [approved(), approved()]
        for row in rows:
            send.send(row, None)
        report = sync.sync()
        assert ["look there by hand" in problem for problem in report.problems] == [True, True]
        assert {fresh(row).state for row in rows} == {State.UNKNOWN}
        with pytest.raises(states.IllegalTransition, match="cannot be an identity"):
            reconcile.resolve(rows[0], None, "<b>")
        reconcile.resolve(rows[0], None, "abc12")
        reconcile.resolve(rows[1], None, None)
        assert [(fresh(row).state, fresh(row).observation_id) for row in rows] == [(State.SUBMITTED, "abc12"), (State.FAILED, "")]

    def test_after_silence_the_rest_is_not_tried(self, monkeypatch):
        asked = []

        def silent(self, payload):
            asked.append(payload)
            raise ReadTimeout

        rows = [approved() for _ in range(3)]
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", silent)
            told = [why for _, why in send.send_all(rows, None)]
        assert len(asked) == 1
        assert [bool(why) for why in told] == [False, True, True]
        assert [fresh(row).state for row in rows] == [State.UNKNOWN, State.APPROVED, State.APPROVED]
        sync.sync()
        assert {fresh(row).state for row in rows} == {State.SCHEDULED}


class TestRights:
    @pytest.fixture
    def user(self):
        return factories.user("ada")

    def may(self, user, *roles, target=None):
        factories.roles(user, "request", *roles)
        if target is not None:
            from guardian.shortcuts import assign_perm

            assign_perm("tom_targets.change_target", user, target)
            assign_perm("tom_targets.view_target", user, target)
        return type(user).objects.get(pk=user.pk)

    def everything(self):
        return list(FollowupRequest.objects.values()), FollowupRequest.objects.get().events.count()

    @pytest.mark.parametrize("roles", [(), ("approve",), ("override",)])
    def test_without_the_role_nothing_is_stored_or_sent(self, user, folder, roles):
        row = approved()
        user, before = self.may(user, *roles, target=row.target), self.everything()
        with pytest.raises(rights.Forbidden, match="not the role 'send'"):
            send.send(row, user)
        assert (self.everything(), list(folder.iterdir())) == (before, [])

    def test_approving_is_a_right_of_its_own(self, user):
        (row,) = draft.draft([planned()])
        validate.dry_run(row)
        with pytest.raises(rights.Forbidden, match="not the role 'approve'"):
            approve.approve(row, self.may(user, "send", target=row.target))
        assert fresh(row).state == State.VALIDATED

    def test_the_target_of_others_is_theirs_at_every_step(self, user, folder):
        row = approved()
        user, before = self.may(user, "approve", "send"), self.everything()
        for act in (send.send, cancel.cancel, lambda row, user: reconcile.resolve(row, user, None)):
            with pytest.raises(rights.Forbidden, match="target of others"):
                act(row, user)
        assert (self.everything(), list(folder.iterdir())) == (before, [])

    def test_who_has_the_rights_is_named(self, user):
        row = approved()
        user = self.may(user, "approve", "send", target=row.target)
        send.send(row, user)
        assert row.state == State.SUBMITTED
        assert {event.user for event in row.events.filter(after__in=(State.SENDING, State.SUBMITTED))} == {user}
        assert ObservationRecord.objects.get().user == user

    def test_a_right_that_was_taken_away_meanwhile(self, user, monkeypatch, folder):
        row = approved()
        user = self.may(user, "send", target=row.target)
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: (_ for _ in ()).throw(ConnectTimeout()))
            send.send(row, user)
        user.user_permissions.clear()
        report = sync.sync()
        assert (fresh(row).state, list(folder.iterdir())) == (State.APPROVED, [])
        assert "not the role 'send'" in report.problems[0]


class TestEquivalent:
    def test_it_is_joined_and_raises_the_priority(self, folder):
        first = approved(priority=0.3)
        send.send(first, None)
        second = approved(sky=first.sky_object, exposures=(Exposure("r", 30.0),), hours=(4.0, 8.0), priority=0.9)
        send.send(second, None)
        assert (fresh(second).state, fresh(second).joined, fresh(first).priority) == (State.CANCELLED, first, 0.9)
        assert len(list(folder.iterdir())) == 1

    @pytest.mark.parametrize("changes", [{"hours": (5.1, 9.0)}, {"instrument": "SPECTROGRAPH", "exposures": (Exposure("slit", 300.0),)}])
    def test_another_time_or_instrument_is_another_request(self, folder, changes):
        first = approved()
        send.send(first, None)
        second = approved(sky=first.sky_object, night="2026-11-30", **changes)
        send.send(second, None)
        assert (second.state, len(list(folder.iterdir()))) == (State.SUBMITTED, 2)

    def test_after_its_end_it_is_none(self, folder):
        first = approved()
        send.send(first, None)
        facility.play(first.observation_id, "FAILED")
        sync.sync()
        second = approved(sky=first.sky_object, exposures=(Exposure("r", 30.0),))
        send.send(second, None)
        assert second.state == State.SUBMITTED


class TestLife:
    def test_scheduled_observed_and_on_the_calendar(self):
        row = approved()
        send.send(row, None)
        assert requests.observed([row.sky_object_id]) == {}
        assert sync.sync().reached == {State.SCHEDULED: 1}
        assert CalendarEvent.objects.get().start_time == ObservationRecord.objects.get().scheduled_start
        assert requests.observed([row.sky_object_id]) == {row.sky_object_id: [pytest.approx(row.start, abs=1e-4)]}
        assert str(sync.sync()) == "requests: nothing new"
        facility.play(row.observation_id, "COMPLETED")
        assert str(sync.sync()) == "requests: 1 observed"
        assert ObservationRecord.objects.get().status == "COMPLETED"
        assert fresh(row).events.count() == 7

    def test_a_private_target_is_not_on_the_calendar(self):
        row = approved(sky=factories.sky_object(surveys=(), n=0, target=factories.target("Secret", permissions="PRIVATE")))
        send.send(row, None)
        sync.sync()
        assert fresh(row).state == State.SCHEDULED
        assert not CalendarEvent.objects.exists()

    @pytest.mark.parametrize(("said", "state"), [("FAILED", State.FAILED), ("CANCELED", State.CANCELLED)])
    def test_other_ends_clear_the_calendar(self, said, state):
        row = approved()
        send.send(row, None)
        sync.sync()
        facility.play(row.observation_id, said)
        sync.sync()
        assert fresh(row).state == state
        assert not CalendarEvent.objects.exists()

    def test_too_late(self, folder):
        row = approved()
        FollowupRequest.objects.update(end=clock.now() - 0.01)
        send.send(row, None)
        assert (row.state, list(folder.iterdir())) == (State.EXPIRED, [])

    def test_what_was_approved_is_what_is_sent(self, folder, settings):
        row = approved()
        settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY": {"name": "fake", "program": "ANOTHER"}}
        send.send(row, None)
        assert facility.held(row.observation_id)["asked"] == row.prepared["params"]
        assert row.prepared["params"]["program"] == "TEST"

    def test_what_was_prepared_of_another_payload_is_forgotten(self):
        row = approved()
        draft.reopen(row)
        validate.dry_run(row)
        assert fresh(row).prepared
        states.move(row, State.DRAFT, "edited", payload=row.payload | {"max_airmass": 1.5})
        assert fresh(row).prepared is None

    def test_what_was_never_prepared_is_not_approved(self):
        row = factories.request(factories.sky_object(surveys=(), n=0), prepared=None)
        with pytest.raises(states.IllegalTransition, match="checked"):
            approve.approve(row, None)

    def test_cancel_here_there_and_when_it_is_too_late(self, folder):
        (unsent,) = draft.draft([planned()])
        cancel.cancel(unsent, None, "clouds")
        assert (unsent.state, unsent.message) == (State.CANCELLED, "clouds")
        row = approved()
        send.send(row, None)
        cancel.cancel(row, None)
        assert (row.state, facility.held(row.observation_id)["state"]) == (State.CANCELLED, "CANCELED")
        with pytest.raises(states.IllegalTransition):
            cancel.cancel(row, None)
        done = approved()
        send.send(done, None)
        facility.play(done.observation_id, "COMPLETED")
        with pytest.raises(states.IllegalTransition, match="has not cancelled it, it is observed"):
            cancel.cancel(done, None)

    def test_cancel_of_what_is_unknown_looks_first(self, monkeypatch, folder):
        row = approved()
        with monkeypatch.context() as patch:
            patch.setattr(facility.FakeFacility, "submit_observation", lambda self, payload: None)
            send.send(row, None)
        cancel.cancel(row, None)
        sync.sync()
        assert (fresh(row).state, list(folder.iterdir())) == (State.CANCELLED, [])

    def test_drafted_again_it_is_another_request_for_the_facility(self, folder):
        row = approved()
        send.send(row, None)
        cancel.cancel(row, None)
        assert draft.draft([planned(sky=row.sky_object)])[0].state == State.CANCELLED
        draft.reopen(row)
        validate.dry_run(row)
        approve.approve(row, None)
        send.send(row, None)
        assert (row.state, len(list(folder.iterdir()))) == (State.SUBMITTED, 2)

    def test_a_facility_of_the_tom_without_our_words(self, monkeypatch):
        monkeypatch.delattr(fake, "STATES")
        rows = [approved(), approved()]
        for row, end in zip(rows, ("COMPLETED", "FAILED"), strict=True):
            send.send(row, None)
            facility.play(row.observation_id, end)
        sync.sync()
        assert [fresh(row).state for row in rows] == [State.OBSERVED, State.FAILED]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('OCS: b\'{"name": ["too long"]}\'', "name: too long"),
        ("OCS: b'<html>'", "OCS: b'<html>'"),
        ('{"detail": "no\\u0000 way", "code": null}', "detail: no way"),
        ("plain", "plain"),
    ],
)
def test_words(text, says):
    assert portal.words(text) == says
