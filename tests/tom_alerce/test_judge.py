"""Judging stored requests: what is known of them is gathered from the tables, and overrides are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from django.utils import timezone
from tom_observations.models import ObservationRecord

from followup.facilities import fake
from followup.records import Exposure, ObservationRequest
from followup.sites import SITES
from followup.visibility import night
from tests.tom_alerce import factories
from tests.tom_alerce.test_tns import named
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Override
from tom_alerce.requests import judge
from tom_alerce.requests.rights import Forbidden
from tom_alerce.store import marks, tns
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db
FAKE = {"FACILITY": {"name": "fake"}}


def up_tonight():
    """Right ascension and window of what culminates in the middle of the coming night at the fake facility's site."""
    import numpy as np

    grid = np.arange(0.0, 360.0, 10.0)
    tonight = night(SITES["Cerro Pachon"], grid, np.full(grid.size, -30.0), now_mjd())
    best = int(np.argmax(np.where(tonight.moon_separation.min(axis=1) > 50.0, tonight.hours, -1.0)))
    return float(grid[best]), float(tonight.times[0]), float(tonight.times[-1])


@pytest.fixture
def made(settings):
    """A function that makes a request of the fake facility for an object that is up tonight."""
    settings.TOM_ALERCE = FAKE
    ra, start, end = up_tonight()
    sky = factories.sky_object(ra, -30.0)

    def make(state="validated", instrument="CAMERA", filter="r", **fields):
        request = ObservationRequest(
            str(sky.pk), "SN X", ra, -30.0, "fake", instrument, (Exposure(filter, 120.0, 2),), start, end, 0.9, 2.0, 20.0, "2026-11-27"
        )
        columns = {"instrument": instrument, "start": start, "end": end, "payload": fake.payload(request, target_id=1)}
        return factories.request(sky, state, facility="Fake", **{**columns, **fields})

    return make


def verdicts(row, user=None):
    return {one.name: one for one in judge.judge(row, user)}


def test_a_sound_request_passes_every_guard_and_each_says_what_it_looked_at(made):
    row = made()
    found = judge.require(row)
    assert judge.stopping(found) == []
    assert all(one.reason for one in found)
    assert "Cerro Pachon" in {one.name: one for one in found}["visible"].reason


def test_requests_of_anybody_stand_in_the_way_and_only_readers_learn_whose(made):
    first, row = made("approved", user=factories.user("ana")), made()
    assert "of ana" in verdicts(row)["requested"].reason
    assert "of ana" in verdicts(row, factories.user("ben"))["requested"].reason  # a public target
    first.target.permissions = "PRIVATE"
    first.target.save()
    assert "another person's" in verdicts(row, factories.user("carl"))["requested"].reason
    assert "yours" in verdicts(row, first.user)["requested"].reason
    assert verdicts(made(instrument="SPECTROGRAPH", filter="slit"))["requested"].passed


def test_the_very_same_that_is_pending_is_joined_and_does_not_stand_in_the_way(made):
    made("scheduled")
    assert "will be joined" in verdicts(made())["requested"].reason


def test_what_was_asked_for_in_the_toms_own_form_stands_in_the_way(made):
    row = made()
    ObservationRecord.objects.create(target=row.target, facility="Gone", parameters={}, observation_id="1", status="PENDING")
    assert "in the TOM's own form" in verdicts(row)["requested"].reason
    ObservationRecord.objects.update(created=timezone.now() - timedelta(days=60))
    assert verdicts(row)["requested"].passed


def test_claims_of_others_stop_and_ones_own_do_not(made):
    row, ana = made(), factories.user("ana")
    marks.add(row.sky_object, "claim", ana, "mine")
    assert "ana" in verdicts(row)["claimed"].reason
    assert not verdicts(row, factories.user("ben"))["claimed"].passed
    assert verdicts(row, ana)["claimed"].passed


def test_hours_are_counted_by_night_proposal_and_person(made, settings):
    ana = factories.user("ana")
    made("observed", user=ana, instrument="SPECTROGRAPH", filter="slit")
    row = made()
    settings.TOM_ALERCE = FAKE | {"GUARDS": {"budget": {"person": 0.2}}}
    assert not verdicts(row, ana)["budget"].passed
    assert verdicts(row, factories.user("ben"))["budget"].passed
    settings.TOM_ALERCE = FAKE | {"GUARDS": {"budget": {"proposal": 0.2}}}
    assert "FAKE" in verdicts(row)["budget"].reason


def test_form_data_that_cannot_be_read_are_one_verdict_and_no_error(made):
    row = made()
    row.payload = {**row.payload, "start": "<script>"}
    (only,) = judge.judge(row)
    assert (only.passed, only.overridable) == (False, False)
    with pytest.raises(judge.Stopped, match="cannot be read"):
        judge.require(row)


def test_a_person_with_the_right_overrides_for_a_reason_that_is_kept(made):
    row, ana = made(), factories.user("ana")
    made("approved")
    with pytest.raises(judge.Stopped, match="requested"):
        judge.require(row, ana)
    with pytest.raises(Forbidden):
        judge.override(row, ana, ["requested"], "both are wanted")
    ana = factories.user("chief", is_superuser=True)
    for guards, reason in ((["requested"], "  "), (["instrument"], "why not"), (["nothing"], "why not")):
        with pytest.raises(StoreError):
            judge.override(row, ana, guards, reason)
    assert not Override.objects.exists()
    judge.override(row, ana, ["requested"], "both are wanted")
    assert verdicts(row)["requested"].overridden == "chief: both are wanted"
    judge.require(row)
    assert "both are wanted" in row.events.get().reason
    row.token = "another"
    assert verdicts(row)["requested"].overridden == ""


def test_a_guard_that_fails_does_not_open_the_gate_and_one_that_is_off_is_silent(made, settings):
    row = made()
    settings.TOM_ALERCE = FAKE | {"GUARDS": {"quiet": {"start": "late", "end": "early"}, "moon": None}}
    found = verdicts(row)
    assert "has failed (ValueError" in found["quiet"].reason
    assert not found["quiet"].passed
    assert "moon" not in found


@pytest.mark.parametrize(
    "given",
    [
        {"GUARDS": {"nothing": {}}},
        {"GUARDS": {"budget": {"nights": 1.0}}},
        {"GUARDS": {"budget": {"night": "1"}}},
        {"GUARDS": {"budget": 1}},
        {"FACILITIES": {"nowhere": {}}},
        {"FACILITIES": {"soar": {"colour": 1}}},
        {"FACILITIES": ["soar"]},
    ],
)
def test_the_system_check_finds_guards_and_facilities_that_cannot_be_used(given):
    with override_settings(TOM_ALERCE=FAKE | given):
        (message,) = [one for one in run_checks(tags=["tom_alerce"]) if one.is_serious()]
        assert next(iter(given)) in message.msg


def test_further_facilities_have_options_of_their_own(settings):
    from tom_alerce.requests.facilities import configured, options_of

    settings.TOM_ALERCE = {"FACILITY": {"name": "lco", "proposal": "L"}, "FACILITIES": {"soar": {"proposal": "S"}}}
    assert configured() == ("lco", "soar")
    assert options_of(fake.payload) == {}
    from followup.facilities import soar

    assert options_of(soar.payload, "soar") == {"proposal": "S"}
    assert options_of(soar.payload) == {"proposal": "L"}


def test_a_class_at_tns_stops_a_spectrum_and_the_guard_says_whose_it_is(made):
    row = made(instrument="SPECTROGRAPH")
    sky = row.sky_object
    tns.load([named(ra=sky.ra, dec=sky.dec, type="CV")], whole=True)
    assert verdicts(row)["classified"].reason == "classified already: CV at TNS (AT 2026abc)"
    assert verdicts(made())["classified"].passed
