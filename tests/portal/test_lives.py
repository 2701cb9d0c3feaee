"""The whole life of requests at a real observation portal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from tom_calendar.models import CalendarEvent
from tom_observations.models import ObservationRecord

from followup.records import Exposure
from tests.portal import build, servers
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import cancel, draft, facilities, known, portal, reconcile, send, series, states, sync, validate
from tom_alerce.store import requests

State = FollowupRequest.State
pytestmark = [pytest.mark.portal, pytest.mark.django_db]
#: What a first synchronisation after an acceptance must find nothing to say about.
KINDS = {
    "imaging": {},
    "spectroscopy": {"spectrum": True},
    "time critical": {"mode": "TIME_CRITICAL"},
    "rapid response": {"mode": "RAPID_RESPONSE", "hours": (0.0, 23.0)},
}


@pytest.fixture(name="server")
def _server(portal, tom):
    return portal


def sent(tom, mode="NORMAL", **options):
    tom.TOM_ALERCE = {**tom.TOM_ALERCE, "FACILITY": {"name": "lco", "proposal": servers.PROPOSAL, "observation_mode": mode}}
    row = build.approved(**options)
    send.send(row, None)
    assert row.state == State.SUBMITTED, row.message
    return row


def chain(row):
    return [event.after for event in row.events.all()]


@pytest.mark.parametrize("kind", KINDS)
def test_from_draft_to_observed(tom, server, kind):
    row = sent(tom, **KINDS[kind])
    record = ObservationRecord.objects.get()
    assert (row.observation_record, record.observation_id, record.facility) == (record, row.observation_id, "LCO")
    (group,) = [one for one in server.groups() if str(one["requests"][0]["id"]) == row.observation_id]
    assert group["observation_type"] == KINDS[kind].get("mode", "NORMAL")
    assert group["requests"][0]["observation_note"] == group["requests"][0]["extra_params"]["tom_alerce"] == row.token
    assert sync.sync().reached == {}
    block = server.schedule(row.observation_id)
    assert sync.sync().reached == {State.SCHEDULED: 1}
    event, record = CalendarEvent.objects.get(), ObservationRecord.objects.get()
    assert (event.start_time, event.end_time) == (record.scheduled_start, record.scheduled_end)
    assert record.scheduled_end - record.scheduled_start > timedelta(minutes=2)
    server.observe(block)
    assert sync.sync().reached == {State.OBSERVED: 1}
    assert ObservationRecord.objects.get().status == "COMPLETED"
    assert requests.observed([row.sky_object_id]) == {row.sky_object_id: [pytest.approx(row.sent.timestamp() / 86400 + 40587, abs=0.1)]}
    assert chain(row) == ["draft", "validated", "approved", "sending", "submitted", "scheduled", "observed"]
    assert sync.sync().reached == {}


@pytest.mark.parametrize(
    ("name", "instrument", "filters", "options"),
    [
        ("lco", "1M0-SCICAM-SINISTRO", ("gp", "rp", "ip"), {"repeats": 2}),
        ("lco", "1M0-SCICAM-SINISTRO", ("gp", "rp"), {"lasting": 1800.0}),
        ("lco", "2M0-FLOYDS-SCICAM", ("slit_2.0as",), {"lasting": 3600.0}),
        ("lco", "2M0-SCICAM-MUSCAT", ("griz",), {"lasting": 900.0}),
        ("soar", "SOAR_GHTS_REDCAM", ("slit_1.0as",), {}),
        ("soar", "SOAR_GHTS_REDCAM_IMAGER", ("g-SDSS", "r-SDSS"), {}),
        ("blanco", "BLANCO_DECAM", ("g", "z"), {}),
    ],
)
def test_sequences_and_the_telescopes_of_aeon_are_accepted_as_they_are_meant(tom, server, name, instrument, filters, options):
    tom.TOM_ALERCE = {**tom.TOM_ALERCE, "FACILITY": {"name": name, "proposal": servers.PROPOSAL, **options}}
    exposures = tuple(Exposure(one, 60.0, 2) for one in filters)
    row = build.approved(facility=name, instrument=instrument, exposures=exposures)
    send.send(row, None)
    assert row.state == State.SUBMITTED, row.message
    (request,) = [one for group in server.groups() for one in group["requests"] if str(one["id"]) == row.observation_id]
    first = request["configurations"][0]
    assert first["instrument_type"] == instrument
    assert (request["configuration_repeats"], first["repeat_duration"]) == (options.get("repeats", 1), options.get("lasting"))
    assert sum(one["exposure_time"] * one["exposure_count"] for one in first["instrument_configs"]) == 120.0 * len(filters)
    assert len(request["configurations"]) == (2 if instrument == "SOAR_GHTS_REDCAM" else 1)
    ours, theirs = known.read(facilities.facility_of(row.facility), row), request["duration"] / 3600.0
    assert ours.hours(facilities.facility_of(row.facility).INSTRUMENTS) == pytest.approx(theirs, abs=0.35)


def test_a_series_goes_on_after_an_observation_and_after_a_failure(tom, server):
    chief, row = factories.user("chief", is_superuser=True), sent(tom)
    rule = {"every": 0.3, "most": 3, "until": timezone.now() + timedelta(days=9), "after_failure": "now", "sends": True}
    made = series.begin(row, chief, **rule)
    server.observe(server.schedule(row.observation_id))
    for _ in range(3):
        assert sync.sync().problems == []
    second = made.rounds.get(round=2)
    assert (second.state, second.payload["c_1_ic_1_filter"]) == (State.SUBMITTED, row.payload["c_1_ic_1_filter"]), second.message
    assert second.start > row.start + 0.29
    for _ in range(2):
        server.observe(server.schedule(second.observation_id), "FAILED", "the dome was closed")
        sync.sync()
    third = made.rounds.get(round=3)
    assert (made.rounds.get(round=2).state, third.state) == (State.FAILED, State.SUBMITTED), third.message
    groups = [one for group in server.groups() for one in group["requests"]]
    tokens = {one.token for one in made.rounds.all()}
    assert sorted(one["observation_note"] for one in groups if one["observation_note"] in tokens) == sorted(tokens)


def test_a_telescope_that_fails_says_why(tom, server):
    row = sent(tom)
    server.observe(server.schedule(row.observation_id), "FAILED", "the dome was closed")
    assert sync.sync().reached == {}
    block = server.schedule(row.observation_id)
    sync.sync()
    server.observe(block, "FAILED", "the wind was too strong")
    sync.sync()
    row.refresh_from_db()
    assert row.state == State.FAILED
    assert "the dome was closed" in row.message
    assert "the wind was too strong" in row.message
    assert not CalendarEvent.objects.exists()


def test_a_window_that_passes(tom, server):
    row = sent(tom)
    server.postgres.query(f"update requestgroups_request set state = 'WINDOW_EXPIRED' where id = {row.observation_id}", "portal")
    sync.sync()
    row.refresh_from_db()
    assert (row.state, "window has passed" in row.message) == (State.EXPIRED, True)


def test_given_up_by_a_person_and_asked_for_once_more(tom, server):
    user = factories.user("ada", is_superuser=True)
    row = sent(tom, user=user)
    first = row.observation_id
    cancel.cancel(row, user, "a better target")
    assert (row.state, row.events.last().user) == (State.CANCELLED, user)
    assert "a better target" in row.message
    assert server.api("GET", f"/api/requests/{first}/")["state"] == "CANCELED"
    draft.reopen(row, user)
    assert validate.dry_run(row) is not None
    states.move(row, State.APPROVED)
    send.send(row, user)
    assert row.state == State.SUBMITTED
    assert row.observation_id not in ("", first)
    assert portal.find(row) == [[row.observation_id]]


def test_cancelled_at_the_portal(tom, server):
    row = sent(tom)
    (group,) = [one for one in server.groups() if str(one["requests"][0]["id"]) == row.observation_id]
    server.api("POST", f"/api/requestgroups/{group['id']}/cancel/")
    sync.sync()
    row.refresh_from_db()
    assert row.state == State.CANCELLED


def test_what_is_observed_cannot_be_cancelled(tom, server):
    row = sent(tom)
    server.observe(server.schedule(row.observation_id))
    with pytest.raises(states.IllegalTransition, match=r"it is observed: .*Cannot transition"):
        cancel.cancel(row, None)
    row.refresh_from_db()
    assert row.state == State.OBSERVED


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_airmass": 1.0001}, "not visible|never visible|airmass"),
        ({"hours": (-50.0, -40.0)}, "past|window|end"),
    ],
)
def test_what_the_portal_refuses_is_told_in_its_words(tom, server, changes, says):
    (row,) = draft.draft([build.planned(**changes)])
    before = len(server.groups())
    assert validate.dry_run(row) is None
    assert row.state == State.INVALID
    assert re.search(says, row.message), row.message
    assert "b'" not in row.message
    assert len(server.groups()) == before


def test_a_proposal_without_time(tom, server):
    tom.TOM_ALERCE = {**tom.TOM_ALERCE, "FACILITY": {"name": "lco", "proposal": servers.POOR}}
    (row,) = draft.draft([build.planned()])
    assert validate.dry_run(row) is None
    assert row.state == State.INVALID
    assert "time" in row.message, row.message


def test_a_key_that_is_not_valid_any_more(tom, server):
    row = build.approved()
    tom.FACILITIES = {"LCO": {**tom.FACILITIES["LCO"], "api_key": "no-such-token-0001"}}
    send.send(row, None)
    assert (row.state, row.wanted) == (State.APPROVED, True)
    assert "refuses the credentials" in row.message
    assert "no-such-token-0001" not in row.message + str(list(row.events.values()))
    cache.clear()


def test_too_many_requests(tom, server, proxy):
    rows = [build.approved() for _ in range(3)]
    server.kill()
    server.start(throttle="1/min")
    try:
        done = dict(send.send_all(rows, None))
        assert [row.state for row in done] == [State.SUBMITTED, State.APPROVED, State.APPROVED]
        assert "too many requests; it asks to wait" in rows[1].message
        assert "not tried" in done[rows[2]]
    finally:
        server.kill()
        server.start()
    assert sync.sync().reached == {State.SUBMITTED: 2}


def test_an_equivalent_request_is_joined(tom, server):
    first = sent(tom)
    other = build.planned()
    again = draft.draft([replaced(other, first)])[0]
    assert validate.dry_run(again) is not None
    states.move(again, State.APPROVED)
    before = len(server.groups())
    send.send(again, None)
    assert (again.state, again.joined) == (State.CANCELLED, first)
    assert FollowupRequest.objects.get(pk=first.pk).priority == 0.9
    assert len(server.groups()) == before


def replaced(planned, row):
    """The request for the object of another one, in another night, so that its key differs, at the same time."""
    sky = row.sky_object
    return replace(planned, target=str(sky.pk), ra=sky.ra, dec=sky.dec, night="2026-11-28", priority=0.9)


def test_two_at_the_portal_wait_for_a_person(tom, server):
    """Somebody has sent it by hand a second time while its answer was lost."""
    row = sent(tom)
    payload = row.events.get(after=State.SENDING).payload
    assert portal.call(portal.facility(row).submit_observation, payload, row=row).outcome is portal.Outcome.GIVEN
    FollowupRequest.objects.filter(pk=row.pk).update(state=State.UNKNOWN, observation_id="", observation_record=None)
    ObservationRecord.objects.all().delete()
    row.refresh_from_db()
    sync.sync()
    row.refresh_from_db()
    assert row.state == State.UNKNOWN
    assert "has 2 requests with its key" in row.message
    events = row.events.count()
    sync.sync()
    assert row.events.count() == events
    found = portal.find(row)
    reconcile.resolve(row, None, found[1][0])
    assert (row.state, row.observation_id) == (State.SUBMITTED, found[1][0])
