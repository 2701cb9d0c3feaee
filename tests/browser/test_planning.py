"""A person plans: chooses and edits a profile, marks an object on the board, and makes the plan of the night."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from tests.browser.conftest import both
from tests.browser.test_observer import fits, somewhere_dark
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest, Mark
from tom_alerce.store import profiles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def planner(page, live_server, client, settings):
    """The browser of somebody who may do everything, at a site where the night begins."""
    settings.TOM_ALERCE = {
        "SITE": {"name": "Here", **somewhere_dark()},
        "LIMITS": {"moon_separation": 0.0, "max_airmass": 2.9},
        "FACILITY": {"name": "fake", "threshold": 0.0},
    }
    user = factories.user()
    factories.roles(user, "decide", "request", "configure")
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    ranking = factories.ranking("Here")
    for i in range(8):
        sky = factories.sky_object(ra=45.0 * i, dec=80.0, peak=10 ** (4.6 + 0.2 * i), images=i == 0, rng=np.random.default_rng(i))
        factories.rank(ranking, sky, i + 1)
        factories.classification(sky)
    return page


@both
def test_from_a_profile_to_a_plan(planner, screenshot):
    page = planner
    page.goto(reverse("tom_alerce:profiles"))
    assert fits(page)
    page.locator("[name=beside]").first.check()
    page.click("text=Show their orders")
    page.locator(".beside tbody tr").first.wait_for()
    assert page.locator(".beside tbody tr").count() >= 5
    assert fits(page)
    screenshot("profiles")

    page.goto(reverse("tom_alerce:profile", args=["default"]))
    page.locator("#order-now tbody tr").first.wait_for()
    assert fits(page)
    assert page.locator("#order-now th >> text=Now").count() == 0, "nothing is changed yet"
    screenshot("profile")
    page.click("text=Replay the last 30 nights")
    page.locator("#caught-now p").first.wait_for()
    assert "in 30 nights" in page.locator("#caught-now").inner_text()
    page.fill("[name=merit-brightness]", "9")
    page.locator("#order-now th >> text=Now").wait_for(state="attached")
    page.locator("#profile summary", has_text="JSON").click()
    page.fill("[name=rest]", '{"sites": 5}')
    page.locator("#order-now [role=alert]").wait_for()
    assert "sites: a list is needed" in page.locator("#order-now").inner_text()
    page.fill("[name=rest]", "{}")
    page.locator("#order-now tbody tr").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.fill("[name=name]", "bright")
    page.click("text=Store and use")
    page.get_by_text("version 1 is in use").wait_for()
    assert profiles.current("bright").merits["brightness"] == 9

    page.goto(reverse("tom_alerce:board"))
    page.locator("#rows [data-open]").first.click()
    behind = page.locator("tr.more")
    behind.locator("[name=text]").fill("spectrum tonight")
    screenshot("board-mark")
    page.wait_for_load_state("networkidle")
    behind.locator("button", has_text="Claim").click()
    page.locator(".tag.state-claimed").first.wait_for()
    assert fits(page)
    assert Mark.objects.get().kind == "claim"
    page.wait_for_load_state("networkidle")
    page.locator("ul.marks button", has_text="Undo").click()
    page.get_by_text("is no longer claimed").wait_for()

    page.locator(".alerce-nav >> text=Night").click()
    page.locator("#plan tbody tr").first.wait_for()
    assert fits(page)
    count = page.locator("#plan tbody tr").count()
    assert page.locator("svg.timeline rect.block").count() == count
    screenshot("night")
    page.locator("#plan >> text=Without").nth(1).click()
    page.locator("#changed").wait_for()
    assert "left out by hand" in page.locator("#left").inner_text()
    screenshot("night-changed")
    page.click("text=Back to the free plan")
    page.locator("#plan tbody tr").first.wait_for()
    with page.expect_download() as download:
        page.locator("#plan .exports >> text=Calendar").click()
    assert download.value.suggested_filename.endswith(".ics")
    page.once("dialog", lambda dialog: dialog.accept())
    page.wait_for_load_state("networkidle")
    page.click("text=Draft requests for all")
    page.wait_for_url("**/requests/bulk/**")
    assert FollowupRequest.objects.filter(state__in=("draft", "validated", "invalid")).count() == count
