"""What a real portal says of a request beforehand: hours left, the highest priority, the cost, and who else asks for that sky."""

from __future__ import annotations

import pytest
from django.urls import reverse

from followup.plan import load_facility
from tests.portal import build, servers
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest
from tom_alerce.requests import draft, send
from tom_alerce.requests.allowance import allowance
from tom_alerce.requests.known import read

pytestmark = [pytest.mark.portal, pytest.mark.django_db]
CAMERA, SPECTROGRAPH = "1M0-SCICAM-SINISTRO", "2M0-FLOYDS-SCICAM"


def left(portal, instrument=CAMERA):
    """Hours that the proposal has left in this semester: a hundred of each kind, less what other tests have observed."""
    every = portal.api("GET", f"/api/proposals/{servers.PROPOSAL}/")["timeallocation_set"]
    assert {one["semester"] for one in every} == {"1999T", "2026T"}
    (now,) = [one for one in every if one["semester"] == "2026T" and one["instrument_types"] == [instrument]]
    kinds = {"std": "normal", "tc": "time critical", "rr": "rapid response"}
    return {told: now[f"{kind}_allocation"] - now[f"{kind}_time_used"] for kind, told in kinds.items()}


def drafted(tom, proposal=servers.PROPOSAL, **options):
    tom.TOM_ALERCE = {**tom.TOM_ALERCE, "FACILITY": {"name": "lco", "proposal": proposal}}
    (row,) = draft.draft([build.planned(**options)])
    return row


@pytest.mark.parametrize("spectrum", [False, True], ids=["image", "spectrum"])
def test_hours_left_of_this_semester_and_the_highest_priority(tom, portal, spectrum):
    row = drafted(tom, spectrum=spectrum)
    found = allowance(row)
    assert (found.left, found.problem) == (left(portal, SPECTROGRAPH if spectrum else CAMERA), "")
    assert max(found.left.values()) <= 100.0
    assert found.highest > 1.0
    plugin = load_facility("lco")
    assert found.hours == pytest.approx(read(plugin, row).hours(plugin.INSTRUMENTS), rel=0.5)
    assert not [one for one in portal.groups() if one["requests"][0]["observation_note"] == row.token]


def test_what_others_ask_for_around_its_right_ascension(tom, portal):
    first = build.approved()
    send.send(first, None)
    assert first.state == FollowupRequest.State.SUBMITTED
    beside = factories.sky_object(first.sky_object.ra, build.DEC, surveys=(), n=0)
    row = drafted(tom, target=str(beside.pk), ra=beside.ra)
    answer = portal.api("GET", f"/api/contention/{CAMERA}/")["contention_data"][int(beside.ra / 15.0)]
    assert allowance(row).contention == pytest.approx(sum(answer.values()) / 3600.0) != 0.0


def test_a_proposal_without_time_has_none_left_and_no_priority(tom, portal):
    found = allowance(drafted(tom, servers.POOR))
    assert (found.left, found.highest, found.hours, found.problem) == (
        {"normal": 0.0, "time critical": 100.0, "rapid response": 100.0},
        None,
        None,
        "",
    )


def test_a_proposal_that_there_is_not(tom, portal):
    found = allowance(drafted(tom, "NOBODYS-2026"))
    assert (found.left, found.highest) == ({}, None)
    assert found.contention is not None
    assert "proposal: the portal has no such thing" in found.problem


def test_a_key_that_is_not_valid(tom, portal):
    tom.FACILITIES = {"LCO": {**tom.FACILITIES["LCO"], "api_key": "no-such-token-0002"}}
    found = allowance(drafted(tom))
    assert (found.left, found.highest) == ({}, None)
    assert "credentials" in found.problem
    assert "no-such-token" not in found.problem


@pytest.mark.parametrize("fault", ["reset", "blackhole", "eaten"])
def test_a_connection_that_is_lost_is_said_and_asked_about_again(tom, portal, proxy, fault, client):
    tom.TOM_ALERCE = {**tom.TOM_ALERCE, "FACILITY_TIMEOUT": 3.0}
    row = drafted(tom)
    row.user = factories.user(is_superuser=True)
    row.save()
    client.force_login(row.user)
    address = reverse("tom_alerce:request-portal", args=[row.pk])
    allowance(drafted(tom))  # instruments are kept, as in a TOM that works
    proxy.arm(fault, b"GET /api/proposals/TOM2026/ ")
    page = client.get(address).content.decode()
    assert "no usable answer" in page
    proxy.release()
    assert allowance(drafted(tom)).left == left(portal)
