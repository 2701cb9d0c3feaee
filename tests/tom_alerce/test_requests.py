"""Requests as a state machine, and the dry run against a portal on loopback that answers, refuses, hangs or is not there."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from tom_observations.models import ObservationRecord
from tom_targets.models import BaseTarget
from werkzeug import Response

from followup.records import Exposure
from tests.followup.test_lco import INSTRUMENTS, REQUEST
from tests.followup.test_lco import portal as portal
from tests.tom_alerce.alerts import alert
from tom_alerce.models import FollowupRequest, SkyObject
from tom_alerce.requests import draft, states, validate
from tom_alerce.store import alerts
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings(settings):
    settings.TOM_ALERCE = {"FACILITY": {"name": "lco", "proposal": "TOM2026", "ipp_value": 1.2, "snr": 30.0}, "FACILITY_TIMEOUT": 20.0}


@pytest.fixture
def planned():
    alerts.save([alert(ra=40.0, dec=-20.0)])
    return replace(REQUEST, target=str(SkyObject.objects.get().pk))


def drafted(planned, **more):
    (row,) = draft.draft([planned], **more)
    return row


def stored(row):
    return FollowupRequest.objects.get(pk=row.pk)


class TestStates:
    ALL = list(State)

    @pytest.mark.parametrize(("start", "end"), list(itertools.product(State, State)))
    def test_only_drawn_transitions_happen(self, planned, start, end):
        row = drafted(planned)
        FollowupRequest.objects.update(state=start)
        row.refresh_from_db()
        if end in states.TRANSITIONS[start]:
            states.move(row, end, "why")
            assert (stored(row).state, stored(row).message, row.state) == (end, "why", end)
        else:
            with pytest.raises(states.IllegalTransition):
                states.move(row, end)
            assert stored(row).state == start

    def test_nothing_that_may_have_been_sent_can_be_sent_again(self):
        """From SENDING no way leads back to it but through APPROVED, which says that the facility has nothing, or another round."""
        seen, front = set(), {State.SENDING}
        while front:
            seen |= front
            front = {end for start in front for end in states.TRANSITIONS[start]} - seen - {State.APPROVED, State.DRAFT}
        assert seen == states.PENDING | states.ENDED

    def test_of_two_workers_one_wins(self, planned):
        drafted(planned)
        FollowupRequest.objects.update(state=State.VALIDATED)
        one, two = FollowupRequest.objects.get(), FollowupRequest.objects.get()
        states.move(one, State.APPROVED)
        with pytest.raises(states.IllegalTransition, match="no longer"):
            states.move(two, State.APPROVED)
        assert two.events.filter(after=State.APPROVED).count() == 1

    def test_the_page_tells_when_a_request_changed(self, planned):
        row = drafted(planned)
        FollowupRequest.objects.update(modified=row.created - timedelta(days=1))
        states.move(stored(row), State.VALIDATED)
        assert stored(row).modified >= row.created

    def test_every_state_is_in_the_table(self):
        assert set(states.TRANSITIONS) == set(State)


class TestDraft:
    def test_a_draft_is_for_a_target_and_has_the_form_data(self, planned):
        user = User.objects.create(username="astronomer")
        row = drafted(planned, user=user)
        target = BaseTarget.objects.get()
        assert (row.state, row.facility, row.user, row.key) == (State.DRAFT, "LCO", user, planned.key)
        assert row.payload["target_id"] == row.target_id == target.pk
        assert (row.payload["proposal"], row.payload["ipp_value"]) == ("TOM2026", 1.2)

    def test_the_same_request_is_one_row_with_the_latest_window(self, planned):
        row = drafted(planned)
        again = drafted(replace(planned, start=planned.start + 0.01, priority=0.1))
        assert again.pk == row.pk
        assert stored(row).payload["start"] == again.payload["start"] != row.payload["start"]

    @pytest.mark.parametrize("state", [State.APPROVED, State.CANCELLED, State.OBSERVED, *sorted(states.PENDING)])
    def test_what_is_approved_given_up_or_may_have_been_sent_is_left_alone(self, planned, state):
        row = drafted(planned)
        FollowupRequest.objects.update(state=state)
        again = drafted(replace(planned, start=planned.start + 0.01))
        assert (again.state, stored(row).payload) == (state, row.payload)

    def test_a_request_for_an_object_that_is_another_target_by_now_is_for_that(self, planned):
        drafted(planned)
        BaseTarget.objects.all().delete()
        again = drafted(planned)
        assert again.target == BaseTarget.objects.get()
        assert again.payload["target_id"] == again.target_id

    def test_other_filters_are_another_request(self, planned):
        drafted(planned)
        drafted(replace(planned, exposures=(Exposure("ip", 60.0),)))
        assert FollowupRequest.objects.count() == 2

    def test_what_moves_is_refused(self, planned):
        SkyObject.objects.update(moving=True)
        with pytest.raises(StoreError):
            drafted(planned)
        assert FollowupRequest.objects.count() == 0


class TestDryRun:
    def test_valid_and_nothing_is_sent(self, planned, portal, httpserver):
        row = drafted(planned)
        sent = validate.dry_run(row)
        assert (stored(row).state, stored(row).message) == (State.VALIDATED, "This observation is valid with a duration of 245 seconds.")
        (window,) = sent["requests"][0]["windows"]
        assert window["start"].startswith("2026-11-23T00:00:00")
        assert portal == [sent]
        assert {request.path for request, _ in httpserver.log} == {"/api/instruments/", "/api/profile/", "/api/requestgroups/validate/"}
        assert ObservationRecord.objects.count() == 0

    @pytest.mark.parametrize("zone", ["America/Santiago", "Pacific/Honolulu"])
    def test_times_are_utc_wherever_the_tom_is(self, planned, portal, settings, zone):
        settings.TIME_ZONE = zone
        (window,) = validate.dry_run(drafted(planned))["requests"][0]["windows"]
        assert window["start"].startswith("2026-11-23T00:00:00")

    def test_again_after_valid(self, planned, portal):
        row = drafted(planned)
        validate.dry_run(row)
        validate.dry_run(stored(row))
        assert stored(row).state == State.VALIDATED

    def test_our_own_check_needs_no_portal(self, planned, settings):
        settings.TOM_ALERCE = {"FACILITY": {"name": "lco"}}
        row = drafted(planned)
        assert validate.dry_run(row) is None
        assert stored(row).state == State.INVALID
        assert "no proposal" in stored(row).message

    def test_what_the_form_refuses(self, planned, portal, settings):
        settings.TOM_ALERCE = {"FACILITY": {"name": "lco", "proposal": "NOT-OURS"}}
        row = drafted(planned)
        assert validate.dry_run(row) is None
        assert stored(row).state == State.INVALID
        assert stored(row).message.startswith("proposal: ")
        assert portal == []

    def test_what_the_portal_refuses(self, planned, portal, httpserver):
        httpserver.clear_all_handlers()
        refusing(httpserver, Response('{"errors": {"requests": ["the target never rises"]}}', content_type="application/json"))
        row = drafted(planned)
        assert validate.dry_run(row) is None
        assert stored(row).state == State.INVALID
        assert "the target never rises" in stored(row).message

    def test_a_bad_request_of_the_portal(self, planned, portal, httpserver):
        httpserver.clear_all_handlers()
        refusing(httpserver, Response('{"proposal": ["no time left"]}', status=400))
        row = drafted(planned)
        validate.dry_run(row)
        assert stored(row).state == State.INVALID
        assert "no time left" in stored(row).message

    def test_refused_credentials(self, planned, portal, httpserver):
        httpserver.clear_all_handlers()
        refusing(httpserver, Response("Invalid token: token", status=401))
        row = drafted(planned)
        validate.dry_run(row)
        assert stored(row).state == State.DRAFT
        assert "refuses the credentials" in stored(row).message
        assert "token" not in stored(row).message

    def test_a_wrong_key_is_not_taken_for_a_wrong_proposal(self, planned, settings, httpserver):
        """LCO's portal refuses the profile; the toolkit goes on without proposals and without the instruments."""
        cache.clear()
        settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "api_key": "wrong"}}
        httpserver.expect_request("/api/instruments/").respond_with_data("{}", status=403)
        httpserver.expect_request("/api/profile/").respond_with_json({"detail": "Invalid token."}, status=403)
        row = drafted(planned)
        assert validate.dry_run(row) is None
        assert stored(row).state == State.DRAFT
        assert stored(row).message.startswith("not checked: LCO refuses the credentials in the settings")
        cache.clear()

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_portal_in_trouble(self, planned, portal, httpserver, status):
        httpserver.clear_all_handlers()
        refusing(httpserver, Response("<html>Bad Gateway", status=status))
        row = drafted(planned)
        validate.dry_run(row)
        assert stored(row).state == State.DRAFT
        assert "not checked" in stored(row).message

    def test_a_portal_that_is_not_there(self, planned, settings):
        cache.clear()
        settings.FACILITIES = {"LCO": {"portal_url": "http://127.0.0.1:9", "api_key": "secret-token"}}
        row = drafted(planned)
        assert validate.dry_run(row) is None
        assert stored(row).state == State.DRAFT
        assert "no usable answer" in stored(row).message
        assert "127.0.0.1:9" in stored(row).message
        assert "secret-token" not in stored(row).message

    def test_a_portal_that_hangs(self, planned, settings, httpserver):
        """The toolkit gives no time-out; without ours this test would not end."""
        cache.clear()
        settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY_TIMEOUT": 0.2}
        settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "api_key": ""}}
        httpserver.expect_request("/api/profile/").respond_with_json({"proposals": []})
        httpserver.expect_request("/api/instruments/").respond_with_handler(lambda request: time.sleep(1.0) or Response("{}"))
        row = drafted(planned)
        validate.dry_run(row)
        assert stored(row).state == State.DRAFT
        assert "ReadTimeout" in stored(row).message

    def test_what_is_not_json(self, planned, settings, httpserver):
        cache.clear()
        settings.FACILITIES = {"LCO": {"portal_url": httpserver.url_for("/"), "api_key": ""}}
        httpserver.expect_request("/api/instruments/").respond_with_data("<html>maintenance</html>")
        row = drafted(planned)
        validate.dry_run(row)
        assert stored(row).state == State.DRAFT

    def test_the_check_of_a_dotted_facility_is_asked(self, planned, settings):
        name = "tests.contracts.third_party.facility"
        settings.TOM_ALERCE = {"FACILITY": {"name": name}}
        roof = replace(planned, facility=name, instrument="CAMERA", exposures=(Exposure("clear", 60.0),))
        row = drafted(roof)
        assert validate.dry_run(row) is None
        assert (stored(row).facility, stored(row).state, stored(row).message) == ("Roof", State.INVALID, "nobody observes")
        settings.TOM_ALERCE = {"FACILITY": {"name": name, "observer": "Vera"}}
        row = drafted(replace(roof, night="2026-11-23"))
        validate.dry_run(row)
        assert stored(row).message.startswith("not checked: this TOM has no facility 'Roof'")

    @pytest.mark.parametrize("state", sorted(set(State) - states.UNSENT))
    def test_past_its_dry_run(self, planned, state):
        drafted(planned)
        FollowupRequest.objects.update(state=state)
        with pytest.raises(states.IllegalTransition):
            validate.dry_run(FollowupRequest.objects.get())


class TestFakeFacility:
    @pytest.fixture(autouse=True)
    def _fake(self, settings):
        settings.TOM_ALERCE = {"FACILITY": {"name": "fake", "program": "TEST"}}
        settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]

    @pytest.fixture
    def fake(self, planned):
        return replace(planned, facility="fake", instrument="CAMERA", exposures=(Exposure("g", 60.0, 2), Exposure("r", 45.0)))

    @pytest.mark.parametrize("zone", ["UTC", "Pacific/Honolulu"])
    def test_valid_without_a_network_and_nothing_is_sent(self, fake, settings, zone):
        settings.TIME_ZONE = zone
        row = drafted(fake)
        sent = validate.dry_run(row)
        assert (stored(row).state, stored(row).message) == (State.VALIDATED, "This observation is valid with a duration of 345 seconds.")
        assert (sent["params"]["start"], sent["params"]["end"]) == ("2026-11-23T00:00:00+00:00", "2026-11-23T06:00:00+00:00")
        assert (sent["target_id"], sent["params"]["program"]) == (row.target_id, "TEST")
        assert ObservationRecord.objects.count() == 0

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"exposures": (Exposure("u", 60.0),)}, "exposures: CAMERA has no filter u"),
            ({"end": 61367.001}, "the request takes 345 s, and its window is 86 s long"),
            ({"max_airmass": 0.5}, "max_airmass: "),
        ],
    )
    def test_its_form_refuses_what_cannot_be_observed(self, fake, change, says):
        row = drafted(replace(fake, **change))
        assert validate.dry_run(row) is None
        assert stored(row).state == State.INVALID
        assert stored(row).message.startswith(says)

    def test_its_check_comes_first(self, fake, settings):
        settings.TOM_ALERCE = {"FACILITY": {"name": "fake", "program": ""}}
        row = drafted(fake)
        validate.dry_run(row)
        assert (stored(row).state, "no program" in stored(row).message) == (State.INVALID, True)

    def test_the_same_request_is_the_same_observation(self, fake):
        from demo.facility import FakeFacility

        facility, sent = FakeFacility(), validate.dry_run(drafted(fake))
        assert facility.submit_observation(sent) == facility.submit_observation(sent)
        other = validate.dry_run(drafted(replace(fake, night="2026-11-23")))
        assert facility.submit_observation(other) != facility.submit_observation(sent)

    def test_its_form_is_shown_by_the_toolkit(self, fake, client):
        user = User.objects.create_superuser("astronomer")
        client.force_login(user)
        row = drafted(fake)
        page = client.get(f"/observations/Fake/create/?target_id={row.target_id}")
        assert page.status_code == 200
        assert 'name="exposures"' in page.content.decode()


def test_a_ranking_works_out_the_states_of_light_curves_once(planned, monkeypatch):
    """Terms, stored rank and plan read the same brightness trend."""
    from followup.states import States
    from tom_alerce.pipeline import rank

    alerts.save([alert(object_id="ZTF20aaaaaab", ra=50.0, dec=-20.0)])
    calls, worked_out = [], States.of

    def counted(curves, now):
        calls.append(now)
        return worked_out(curves, now)

    monkeypatch.setattr(States, "of", counted)
    ranked = rank.rank(at=SkyObject.objects.latest("last_mjd").last_mjd + 0.5)
    rank.plan(ranked, threshold=0.0)
    assert len(ranked.candidates) == ranked.row.ranks.exclude(magnitude=None).count() == 2
    assert len(calls) == 1


def refusing(httpserver, answer):
    """A portal that knows its instruments and proposals, and answers a validation like this."""
    httpserver.expect_request("/api/instruments/").respond_with_json(INSTRUMENTS)
    httpserver.expect_request("/api/profile/").respond_with_json({"proposals": [{"id": "TOM2026", "title": "A TOM", "current": True}]})
    httpserver.expect_request("/api/requestgroups/validate/", method="POST").respond_with_response(answer)


def test_the_bound_is_for_this_thread_and_this_time(httpserver):
    from urllib.request import urlopen

    import requests

    from tom_alerce.requests.timeouts import bounded

    httpserver.expect_request("/").respond_with_handler(lambda request: time.sleep(0.4) or Response("late"))
    with bounded(0.1), pytest.raises(requests.ReadTimeout):
        requests.get(httpserver.url_for("/"))
    with bounded(0.1), pytest.raises(requests.ReadTimeout, match="all answers together"):  # the deadline is one of all waits together
        requests.get(httpserver.url_for("/"), timeout=5)
    for seconds in (None, 5):  # as the client of the Liverpool Telescope asks
        with bounded(0.1), pytest.raises(OSError, match=r"timed out|closed"):
            urlopen(httpserver.url_for("/"), timeout=seconds)
    assert requests.get(httpserver.url_for("/")).text == urlopen(httpserver.url_for("/")).read().decode() == "late"
