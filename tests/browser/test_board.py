"""An observer works on the board by keys, on a desk and with a telephone."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.test_observer import fits, known
from tests.tom_alerce import factories
from tom_alerce.models import Mark, Scan, Seen, SkyObject
from tom_alerce.store import marks

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def observer(page, live_server, client):
    known(page.context, live_server, client)
    user = get_user_model().objects.get(username="observer")
    factories.roles(user, "decide", "request")
    return user


@pytest.mark.parametrize("page", [DESKTOP], indirect=True)
def test_a_night_by_keys(page, observer, screenshot):
    factories.board(5)
    page.goto(reverse("tom_alerce:board"))
    page.wait_for_load_state("networkidle")
    rows = page.locator("#rows tr.row")
    assert all(row.bounding_box()["height"] < 100 for row in rows.all()), "a line is a line"
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("tr.row.current")
    name = second.get_attribute("data-name")
    assert rows.nth(1).get_attribute("data-name") == name
    with page.expect_response(lambda answer: answer.url.endswith(reverse("tom_alerce:board-bulk"))):  # that it is seen now
        page.keyboard.press("o")
    page.locator("tr.more .terms .reason").first.wait_for()
    assert Seen.objects.filter(user=observer).count() == 1
    page.keyboard.press("i")
    page.locator("#enlarged[open] img").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.get_by_text(f"{name}: pinned.").wait_for()
    page.locator("tr.row.current .mark-pin").wait_for()
    page.wait_for_load_state("networkidle")
    assert page.locator("tr.row.current").get_attribute("data-name") == name, "the place is kept"
    assert page.locator("tr.more").count() == 1, "and what was open"
    page.keyboard.press("v")
    page.fill("#why input", "a star")
    page.keyboard.press("Enter")
    page.locator("tr.row.current .mark-veto").wait_for()
    page.wait_for_load_state("networkidle")
    assert Mark.objects.get(kind="veto").text == "a star"
    page.keyboard.press("?")
    page.locator("#keys[open]").wait_for()
    screenshot("board-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.select_option("[name=do]", "claim")
    page.click("text=Do it")
    page.get_by_text("claimed: 1 object.").wait_for()
    page.locator("details.menu summary").click()
    page.fill(".view-form [name=name]", "mine")
    page.click(".view-form button")
    page.get_by_text("View “mine” kept.").wait_for()
    page.wait_for_load_state("networkidle")
    assert ":" in page.locator("[data-sidereal]").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerce/objects/**")


@pytest.mark.parametrize("page", [DESKTOP], indirect=True)
def test_what_others_do_comes_without_losing_the_place(page, observer):
    ranking = factories.board(4)
    page.goto(reverse("tom_alerce:board"))
    page.wait_for_load_state("networkidle")
    page.keyboard.press("k")
    last = page.locator("tr.row.current").get_attribute("data-sky")
    factories.rank(ranking, factories.sky_object(n=3, images=False), 5)
    marks.add(SkyObject.objects.get(pk=last), "note", factories.user("berta"), "host is <b>old</b>")
    page.keyboard.press("r")
    page.locator("tr.row.fresh").wait_for()
    page.wait_for_load_state("networkidle")
    current = page.locator("tr.row.current")
    assert current.get_attribute("data-sky") == last
    assert current.locator(".mark-note").get_attribute("title") == "berta: host is <b>old</b>"
    assert page.locator("tr.row").count() == 5


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_card_for_each_object(page, observer, screenshot):
    factories.board(4)
    page.goto(reverse("tom_alerce:board"))
    page.wait_for_load_state("networkidle")
    assert all(row.bounding_box()["height"] <= 300 for row in page.locator("#rows tr.row").all())
    assert fits(page)
    screenshot("board-cards")


@pytest.mark.parametrize("page", [DESKTOP], indirect=True)
def test_scan_a_queue_by_keys(page, observer, screenshot):
    factories.board(20)
    page.goto(reverse("tom_alerce:hunter"))
    page.wait_for_load_state("networkidle")
    screenshot("hunter-start")
    page.click("text=Begin")
    for i, key in enumerate(["n", "y", "l", *["n"] * 18]):
        page.get_by_text(f"{20 - i if i < 3 else 21 - i} left").wait_for()
        page.wait_for_load_state("networkidle")
        if i == 1:
            page.keyboard.press("z")
            page.keyboard.press("b")
            page.locator(".pictures.zoomed").wait_for()
            page.keyboard.press("b")
            page.keyboard.press("z")
            screenshot("hunter")
        page.keyboard.press(key)
        page.locator(".hunter, .alerce-table").first.wait_for()
    assert Scan.objects.exclude(decision="").count() == 20
    assert Mark.objects.filter(kind="pin").count() == 1


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_scan_with_a_telephone(page, observer, screenshot):
    factories.board(2)
    page.goto(reverse("tom_alerce:hunter"))
    page.click("text=Begin")
    page.wait_for_load_state("networkidle")
    assert fits(page)
    assert page.locator(".hunter-decide button").first.bounding_box()["height"] >= 40
    screenshot("hunter")
