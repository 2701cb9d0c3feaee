"""An observer with a phone in one hand: the menu, the board, an object, the review and the colours; nothing sticks out of the screen."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browser.conftest import PHONE
from tests.browser.test_observer import fits, known, stamps_are_drawn
from tests.tom_alerce import factories
from tom_alerce.models import MatchCandidate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.parametrize("page", [PHONE], indirect=True)]


def test_a_walk_with_a_phone(page, live_server, client, screenshot):
    known(page.context, live_server, client)
    factories.board(4)
    page.goto("/")
    page.goto(reverse("tom_alerce:drift"))
    page.locator(".navbar-toggler").click()
    page.locator(".navbar >> text=ALeRCE board").click()
    page.wait_for_url(f"**{reverse('tom_alerce:board')}")
    assert fits(page)
    rows = page.locator(".alerce-board tbody tr")
    assert rows.count() == 4
    assert rows.first.locator(".reason").first.bounding_box()["width"] > 60
    screenshot("walk-board")

    page.locator(".alerce-theme [value=red]").click()
    page.wait_for_selector(".alerce[data-theme=red]")
    name = page.locator(".alerce-board .name").first.inner_text()
    page.locator(".alerce-board .name").first.click()
    page.locator("h1", has_text=name).wait_for()
    assert page.locator(".alerce[data-theme=red]").count() == 1
    page.wait_for_selector(".plotly-chart .scatterlayer .point")
    assert fits(page)
    screenshot("walk-object")

    page.locator(".alerce-nav >> text=Review").click()
    page.wait_for_selector(".pair")
    assert stamps_are_drawn(page)
    assert fits(page)
    screenshot("walk-review")
    first = page.locator(".pair").first
    first.scroll_into_view_if_needed()
    same = first.locator("button >> text=Same source")
    assert same.bounding_box()["height"] >= 40
    assert same.bounding_box()["y"] < PHONE[1], "the buttons stay on the screen"
    undecided = MatchCandidate.objects.filter(decided=False).count()
    page.wait_for_load_state("networkidle")
    same.click()
    page.get_by_text("is linked").wait_for()
    assert MatchCandidate.objects.filter(decided=False).count() < undecided

    page.locator(".alerce-theme [value=site]").click()
    page.wait_for_selector(".alerce[data-theme=site]")


@pytest.mark.parametrize(("key", "decided", "linked"), [("y", True, True), ("n", True, False), ("x", False, False)])
def test_keys_decide_about_the_current_pair(page, live_server, client, key, decided, linked):
    known(page.context, live_server, client)
    pairs = [factories.candidate(factories.sky_object(n=3).survey_objects.get(), factories.sky_object(n=3)) for _ in range(3)]
    page.goto(reverse("tom_alerce:review"))
    page.wait_for_load_state("networkidle")  # the tests' database in memory has no room for a writer beside readers
    page.keyboard.press("j")  # from the newest to the one before
    assert page.locator(".pair.current").get_attribute("id") == f"pair-{pairs[1].pk}"
    page.keyboard.press(key)
    if decided:
        page.locator(f"#pair-{pairs[1].pk}").wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    pairs[1].refresh_from_db()
    pairs[1].survey_object.refresh_from_db()
    assert pairs[1].decided is decided
    assert (pairs[1].survey_object.sky_object_id == pairs[1].sky_object_id) is linked
    assert not MatchCandidate.objects.filter(pk__in=[pairs[0].pk, pairs[2].pk], decided=True).exists()
