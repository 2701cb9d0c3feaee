"""Colours and the menu of our pages, and of the TOM's own pages, on a desk and on a phone."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.browser.conftest import PHONE, both
from tests.browser.test_observer import fits, known
from tests.tom_alerce import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What Bootstrap 5.3 says of the frame of a page, as far as the menu of a phone depends on it.
BOOTSTRAP = """
:root { --bs-body-color: #212529; }
.collapse:not(.show) { display: none; }
.navbar { display: flex; position: relative; }
@media (min-width: 768px) {
  .navbar-expand-md .navbar-collapse { display: flex !important; }
  .navbar-expand-md .navbar-toggler { display: none; }
}
.dropdown-menu { display: none; position: absolute; }
.navbar-nav { display: flex; flex-direction: column; list-style: none; }
"""


@pytest.fixture
def observer(page, live_server, client):
    known(page.context, live_server, client)
    return page


def background(page, selector):
    """Largest of the red, green and blue of an element's background, 0 to 255."""
    colour = page.locator(selector).first.evaluate("element => getComputedStyle(element).backgroundColor")
    return max(map(int, re.findall(r"\d+", colour)[:3]))


@pytest.mark.parametrize("page", [PHONE], indirect=True)
@pytest.mark.parametrize("bootstrap", [True, False])
def test_a_phone_has_the_menu(observer, bootstrap):
    if bootstrap:
        observer.route("**/bootstrap*.css", lambda route: route.fulfill(body=BOOTSTRAP, content_type="text/css"))
        observer.route("**/bootstrap*.js", lambda route: route.abort())
    observer.goto(reverse("tom_alerce:board"))
    toggler, entry = observer.locator(".navbar-toggler"), observer.locator(".navbar >> text=ALeRCE board")
    assert toggler.is_visible()
    assert not entry.is_visible()
    toggler.click()
    assert entry.is_visible()
    assert fits(observer)
    boxes = [observer.locator(".navbar .nav-link").nth(i).bounding_box() for i in range(3)]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"], "one entry below the other"
    observer.locator(".navbar .dropdown-toggle").first.click()
    assert observer.locator(".navbar .dropdown-item").first.is_visible()
    entry.click()
    observer.wait_for_url(f"**{reverse('tom_alerce:board')}")


@pytest.mark.parametrize("theme", ["dark", "red"])
def test_the_chosen_colours_hold_on_the_whole_tom(observer, theme):
    factories.board(1)
    observer.goto(reverse("tom_alerce:board"))
    observer.click(f".alerce-theme [value={theme}]")
    for address in (reverse("tom_alerce:review"), reverse("targets:list"), reverse("home"), reverse("user-list")):
        observer.goto(address)
        assert max(background(observer, part) for part in ("body", ".navbar")) < 40, address
        ink = observer.locator("body").evaluate("body => getComputedStyle(body).color")
        assert int(re.findall(r"\d+", ink)[0]) > 150, (address, ink)


@pytest.mark.parametrize(("system", "site", "light"), [("dark", None, False), ("light", None, True), ("dark", "dark", False)])
def test_site_follows_the_system_or_the_theme_of_the_tom(observer, settings, system, site, light):
    settings.CSS_THEME = site
    observer.emulate_media(color_scheme=system)
    for address in (reverse("tom_alerce:board"), reverse("targets:list")):
        observer.goto(address)
        assert (background(observer, "body") > 200) is light
    assert observer.locator("link[href*='tom_alerce/dark.css']").count() == (0 if site else 1)


@both
def test_texts_of_the_plot_are_sharp(observer):
    sky = factories.sky_object()
    observer.goto(reverse("tom_alerce:object", args=[sky.pk]))
    observer.wait_for_selector(".plotly-chart .xtick text")
    observer.locator(".plotly-chart .scatterlayer .point").last.hover(force=True)
    observer.wait_for_selector(".plotly-chart .hovertext text")
    for part in (".xtick", ".ytick", ".hovertext", ".legendtext"):
        texts = observer.locator(f".plotly-chart {part} :is(text, tspan), .plotly-chart text{part}")
        assert texts.count()
        assert set(texts.evaluate_all("all => all.map(one => getComputedStyle(one).stroke)")) == {"none"}, part
        assert min(texts.evaluate_all("all => all.map(one => parseFloat(getComputedStyle(one).fontSize))")) >= 11, part
