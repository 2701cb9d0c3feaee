"""An observer at work: log in, look at the board, at an object, decide, and try a request. Nothing from outside answers."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pytest
from django.urls import reverse

from classifiers.taxonomy import STAMP
from tests.browser.conftest import both
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest, Rank, SkyObject
from tom_alerce.pipeline import explain
from tom_alerce.store import drift, explanations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_in(page):
    page.goto("/accounts/login/")
    page.fill("[name=login]", "observer")
    page.fill("[name=password]", "stars")
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"/$"))


def known(context, live_server, client):
    """Let the browser of a context be that of an observer."""
    client.force_login(factories.user())
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])


@pytest.fixture
def night(page, live_server, client):
    known(page.context, live_server, client)
    return factories.board(6)


def fits(page):
    """Whether nothing sticks out of the screen sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1")


def stamps_are_drawn(page):
    for image in page.locator(".alerce .stamps img").all():
        image.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
    return page.locator(".alerce .stamps img").count()


@both
def test_log_in_and_look_at_the_board(page, screenshot):
    factories.user()
    factories.board(6)
    sign_in(page)
    page.goto(reverse("tom_alerce:board"))
    assert page.locator(".alerce-board tbody tr").count() == 6
    assert stamps_are_drawn(page) == 12
    assert fits(page)
    first = page.locator(".alerce-board tbody tr").first
    assert first.locator("svg.light-curve path.detection").count() >= 1
    assert first.locator("svg.night path.altitude.up").count() == 1
    box = first.locator(".reason").first.bounding_box()
    assert box["width"] > 60, "reasons are read without hovering"
    screenshot("board")
    page.select_option("[name=sort]", "-hours")
    page.click("text=Show")
    hours = [float(text.split()[0]) for text in page.locator(".cell-night .latest b").all_inner_texts()]
    assert hours == sorted(hours, reverse=True)
    page.fill("[name=query]", "nobody")
    page.click("text=Show")
    page.get_by_text("Nothing passes these filters").wait_for()


@both
def test_object_with_its_light_curve(page, night, screenshot):
    sky = Rank.objects.get(ranking=night, place=5).sky_object
    page.goto(reverse("tom_alerce:board"))
    page.click(f"text={sky.name}")
    page.wait_for_selector(".plotly-chart .scatterlayer .point")
    assert page.locator(".modes button").count() == 3
    colours = set(page.locator(".plotly-chart .scatterlayer .point").evaluate_all("points => points.map(p => getComputedStyle(p).stroke)"))
    assert len(colours) > 2, "bands are told apart"
    page.click(".modes button >> text=Difference flux")
    page.wait_for_selector(".plotly-chart .ytitle >> text=Difference flux")
    page.click(".modes button >> text=Total magnitude")
    page.wait_for_selector(".plotly-chart .ytitle >> text=Total magnitude")
    assert stamps_are_drawn(page) == 6
    assert fits(page)
    screenshot("object")


def test_without_scripts_the_pages_tell_the_same(browser, live_server, client):
    ranking = factories.board(2)
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    known(context, live_server, client)
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(live_server.url) else route.abort())
    page = context.new_page()
    page.goto(reverse("tom_alerce:object", args=[ranking.ranks.first().sky_object_id]))
    assert page.locator("svg.light-curve.large path.detection").count() >= 1
    assert page.locator(".plotly-chart").count() == 0
    page.goto(reverse("tom_alerce:board"))
    page.click("th >> text=Tonight")
    assert "sort=" in page.url
    context.close()


@pytest.mark.parametrize("theme", ["Dark", "Red"])
def test_the_whole_page_is_dark_at_night(page, night, theme, screenshot):
    page.goto(reverse("tom_alerce:board"))
    page.click(f".alerce-theme >> text={theme}")
    page.wait_for_selector(f".alerce[data-theme={theme.lower()}]")
    for part in ("body", ".navbar", ".alerce select"):
        colour = page.locator(part).first.evaluate("element => getComputedStyle(element).backgroundColor")
        assert max(map(int, re.findall(r"\d+", colour)[:3])) < 40, (part, colour)
    screenshot(f"board-{theme.lower()}")


def test_promote_then_the_tab_of_the_target(page, night, screenshot):
    sky = SkyObject.objects.filter(ranks__place=4).get()  # no request has made it a target of somebody else
    page.goto(reverse("tom_alerce:object", args=[sky.pk]))
    page.click("text=Make it a target")
    page.get_by_text("is a target now").wait_for()
    sky.refresh_from_db()
    page.click("text=Target page")
    page.wait_for_url(f"**{reverse('targets:detail', args=[sky.target_id])}")
    assert page.locator("#alerts-tab").count() == 1
    page.evaluate("document.querySelector('#alerts').scrollIntoView()")
    page.wait_for_selector("#alerts svg.light-curve.large")
    screenshot("target")


def test_unlink_asks_first(page, night, screenshot):
    sky = SkyObject.objects.filter(ranks__place=2).get()
    page.goto(reverse("tom_alerce:object", args=[sky.pk]))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("text=Unlink").first.click()
    assert sky.survey_objects.count() == 2
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("text=Unlink").first.click()
    page.get_by_text("stands alone now").wait_for()
    assert sky.survey_objects.count() == 1


@both
def test_decide_on_the_review_page(page, night, screenshot):
    page.goto(reverse("tom_alerce:review"))
    assert fits(page)
    screenshot("review")
    page.get_by_role("button", name="Different").first.click()
    page.get_by_text("stays apart").wait_for()
    page.get_by_text("Nothing to decide").wait_for()


def test_dry_run(page, night, settings, screenshot):
    limits = {"moon_separation": 0.0, "max_airmass": 2.9}
    settings.TOM_ALERCE = settings.TOM_ALERCE | {
        "LIMITS": limits,
        "SITE": {"name": "Here", **somewhere_dark()},
        "FACILITY": {"name": "lco"},
    }
    settings.FACILITIES = {"LCO": {"portal_url": "http://127.0.0.1:9", "api_key": ""}}
    sky = factories.sky_object(dec=80.0, peak=2e6, rng=np.random.default_rng(1), images=False)
    page.goto(reverse("tom_alerce:object", args=[sky.pk]))
    page.click("text=Dry run of a request")
    page.get_by_text("nothing was sent.", exact=False).first.wait_for()
    request = FollowupRequest.objects.get(sky_object=sky)
    page.locator("#requests summary").click()
    assert request.payload["name"] in page.locator("#requests pre").inner_text()
    screenshot("dry-run")


def somewhere_dark():
    """Where the Sun has just set, whenever the test runs."""
    from tom_alerce.clock import now as now_mjd

    longitude = 15.0 * (20.0 - (now_mjd() % 1.0) * 24.0)
    return {"latitude": 30.0, "longitude": (longitude + 180.0) % 360.0 - 180.0, "elevation": 0.0}


@both
def test_is_the_stamp_classifier_in_its_element(page, live_server, client, screenshot):
    known(page.context, live_server, client)
    sky = factories.sky_object()
    (row,) = explain.explainable([sky.pk])
    explanations.save(row, "stamp", "1.0", ("SN", 0.81), np.eye(63))
    for day in range(1, 15):
        psi = {"difference noise": 0.04 * day, "embedding 2": 0.2, "p(SN)": 0.1, "diffmaglim - magpsf": 0.05}
        drift.save("stamp", "1.0", date(2026, 11, day), {"n": 300, "psi": psi, "classes": dict.fromkeys(STAMP, 0.2)})
    page.goto(reverse("tom_alerce:drift"))
    assert "1 of 4 quantities" in page.locator("#verdict").inner_text()
    assert page.locator("#nights svg path.line").count() == 4
    assert fits(page)
    screenshot("drift")
    page.goto(reverse("tom_alerce:object", args=[sky.pk]))
    assert stamps_are_drawn(page) == 3
    assert page.locator(".explanation figcaption").inner_text().startswith("Why SN")
    assert fits(page)
    screenshot("explained")
