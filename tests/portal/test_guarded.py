"""One life of a request at a real portal with every guard on, by the pages, for an object that is up tonight."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from broker_adapters import plugins
from tests.portal import build
from tests.tom_alerce import factories
from tom_alerce import clock
from tom_alerce.models import FollowupRequest, Mark
from tom_alerce.requests import judge, sync

State = FollowupRequest.State
pytestmark = [pytest.mark.portal, pytest.mark.django_db]


@pytest.fixture
def ada(tom, client):
    """A person who requests, approves and sends, in a TOM whose guards are all on."""
    tom.TOM_ALERCE = {name: value for name, value in tom.TOM_ALERCE.items() if name != "GUARDS"}
    user = factories.user("ada")
    factories.roles(user, "request", "approve", "send")
    client.force_login(user)
    return user


@pytest.fixture
def sky(tom):
    """A supernova of magnitude 19, opposite the Sun: up wherever it is night."""
    ra = build.opposite_the_sun(clock.now())
    made = factories.sky_object(ra, build.DEC, n=12, images=False, rng=np.random.default_rng(1))
    factories.classification(made)
    return made


def drafted(client, sky):
    answer = client.post(reverse("tom_alerce:apply", args=[sky.pk]), {"facility": "lco"}, follow=True)
    return FollowupRequest.objects.get(), answer


def do(client, row, action, **data):
    answer = client.post(reverse(f"tom_alerce:request-{action}", args=[row.pk]), data)
    row.refresh_from_db()
    return [str(message) for message in answer.wsgi_request._messages]


def test_from_the_button_to_observed(ada, sky, client, portal):
    row, page = drafted(client, sky)
    assert row.state == State.VALIDATED, row.message
    verdicts = judge.judge(row, ada)
    assert {one.name for one in verdicts} == set(plugins.names(judge.PACKAGE))
    assert judge.stopping(verdicts) == [] == page.context["against"]
    by_name = {one.name: one for one in verdicts}
    assert by_name["visible"].reason.startswith("visible at ")
    before = len(portal.groups())
    do(client, row, "ask")
    do(client, row, "approve")
    assert row.state == State.APPROVED
    do(client, row, "send")
    assert row.state == State.SUBMITTED, row.message
    assert len(portal.groups()) == before + 1
    block = portal.schedule(row.observation_id)
    assert sync.sync().reached == {State.SCHEDULED: 1}
    portal.observe(block)
    assert sync.sync().reached == {State.OBSERVED: 1}
    row.refresh_from_db()
    chain = [event.after for event in row.events.order_by("pk") if event.before != event.after]
    assert chain == ["draft", "validated", "approved", "sending", "submitted", "scheduled", "observed"]
    assert {event.user for event in row.events.filter(after__in=("approved", "sending"))} == {ada}
    assert client.get(reverse("tom_alerce:request", args=[row.pk])).status_code == 200


def test_a_claim_of_another_keeps_it_from_the_portal(ada, sky, client, portal):
    row, _ = drafted(client, sky)
    Mark.objects.create(sky_object=sky, kind=Mark.Kind.CLAIM, author=factories.user("berta"), text="spectrum")
    before = len(portal.groups())
    assert "claimed" in do(client, row, "send")[-1]
    assert row.state == State.VALIDATED
    do(client, row, "override", guard="claimed", reason="she agreed")
    assert "claimed" in do(client, row, "send")[-1]  # without the role, nothing is overridden
    factories.roles(ada, "override")
    do(client, row, "override", guard="claimed", reason="she agreed")
    do(client, row, "send")
    assert row.state == State.SUBMITTED, row.message
    assert len(portal.groups()) == before + 1
