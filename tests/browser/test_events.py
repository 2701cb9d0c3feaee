"""An event on a desk and on a phone: from the list to its map, a decision about a candidate, no serious fault in any theme."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from django.urls import reverse

from broker_adapters.notice import Cone
from classifiers.simulate import skymaps
from tests.browser.conftest import PHONE, both
from tests.browser.test_accessibility import OPTIONS
from tests.browser.test_observer import fits, known
from tests.tom_alerce import factories
from tests.tom_alerce.test_events import said, thing
from tom_alerce.clock import now
from tom_alerce.models import EventCandidate, SkyEvent
from tom_alerce.store import counterparts, events

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def event():
    """A merger with a map in two versions and candidates of every kind, and a burst with a small cone."""
    random, place = np.random.default_rng(4), skymaps.gaussian(197.4, -23.4, 3.0, (42.0, 9.0), last=7)
    facts = {"instruments": "H1, L1, V1", "page": "https://gracedb.ligo.org/superevents/S261125ab/view/"}
    first = said(
        "S261125ab",
        2.0,
        skymaps.gaussian(196.0, -22.0, 6.0, (40.0, 14.0), last=6),
        classes={"BNS": 0.97, "NSBH": 0.02},
        far=3e-12,
        facts=facts,
    )
    events.save(first)
    found, _ = events.save(replace(first, stage="update", issued=first.issued + 0.3, place=place))
    for _ in range(6):
        ra, dec = random.normal(197.4, 3.0), random.normal(-23.4, 3.0)
        factories.sky_object(ra=ra, dec=dec, n=4, images=False, first_mjd=now() - random.uniform(0.2, 1.9))
    for i in range(40):
        thing(ra=random.uniform(185.0, 210.0), dec=random.uniform(-35.0, -12.0), after=-2.0 - 0.7 * i, days_ago=2.0)
    counterparts.match_event(found)
    EventCandidate.objects.filter(pk=EventCandidate.objects.last().pk).update(early=True, delay=-20.0)
    events.save(said("EP 01708973486", 1.0, Cone(30.0, 60.0, 0.04, 0.04), "notice"))
    return SkyEvent.objects.get(name="S261125ab")


@both
def test_an_event(page, live_server, client, event, screenshot):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'tom-alerce[test]'").Axe()
    known(page.context, live_server, client)
    for theme in ("dark", "red", "site") if page.viewport_size["width"] > PHONE[0] else ("dark",):
        page.context.add_cookies([{"name": "alerce_theme", "value": theme, "url": live_server.url}])
        for name in ("events", "event"):
            page.goto(reverse(f"tom_alerce:{name}", args=[event.pk] if name == "event" else []))
            serious = [v for v in axe.run(page, options=OPTIONS).response["violations"] if v["impact"] in ("serious", "critical")]
            assert [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in serious] == [], (theme, name)
            assert fits(page), (theme, name)
            screenshot(f"{name}-{theme}")
    page.goto(reverse("tom_alerce:events"))
    page.click(f"text={event.name}")
    page.wait_for_selector("svg.sky.near")
    assert page.locator("svg.sky").count() == 2
    row = page.locator("#candidates tbody tr").first
    row.locator("[name=text]").fill("red and fading")
    row.locator("text=Confirm").click()
    page.wait_for_selector("#candidates .tag.good")
    assert "red and fading" in page.locator("#candidates tbody tr").first.inner_text()
    assert EventCandidate.objects.filter(status="confirmed").count() == 1
    assert event.name in page.locator("#circular textarea").input_value()
    screenshot("event-confirmed")
    page.wait_for_load_state("networkidle")
    page.goto(reverse("tom_alerce:event", args=[SkyEvent.objects.get(name="EP 01708973486").pk]))
    assert page.locator("#candidates >> text=None yet").count() == 1
    screenshot("event-cone")
