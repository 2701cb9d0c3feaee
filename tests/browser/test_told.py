"""Remember and be told: an observer pastes a list, an alert falls into it, the observer is told, sees why, and ends it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browser.conftest import both
from tests.browser.test_observer import fits, known
from tests.tom_alerce import factories
from tom_alerce.models import Delivery, Rule, Watch
from tom_alerce.pipeline.deliver import deliver
from tom_alerce.store import watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), both]


def settled(page):
    page.wait_for_load_state("networkidle")


def test_a_list_is_pasted_and_tells(page, live_server, client, screenshot):
    known(page.context, live_server, client)
    stored = factories.sky_object(ra=150.0, dec=2.0, images=False, n=4)

    page.goto(reverse("tom_alerce:board"))
    page.locator(".alerce-nav >> text=Lists").click()
    page.fill("#new-list [name=name]", "My galaxies")
    page.fill("#new-list [name=entries]", "# from my notes\n150.0, +2.0, NGC 1, 5\n160.0|-10.0|NGC 2\n161.0, 95.0, NGC 3\nZTF21abcdefg")
    page.click("#new-list button.primary")
    page.locator("#problems >> text=line 4: the declination 95.0 is not from -90 to 90 degrees").wait_for()
    screenshot("told-problems")
    page.fill("#new-list [name=entries]", page.input_value("#new-list [name=entries]").replace("95.0", "9.5"))
    page.click("#new-list button.primary")
    page.locator("h1", has_text="My galaxies").wait_for()
    assert page.locator("td", has_text=stored.public_name).count() == 1
    assert fits(page)
    settled(page)
    screenshot("told-list")

    page.locator(".links >> text=Be told").click()
    page.locator(".kind-in_app button").click()
    page.locator("#channels h3", has_text="TOM").wait_for()
    form = page.locator("#new-rule")
    form.locator("[name=new-name]").fill("Anything new")
    form.locator("label", has_text="is new").locator("input").check()
    form.locator("[name=new-watch]").select_option(label="My galaxies")
    form.locator("[name=new-channels]").check()
    form.locator("button.primary").click()
    page.locator("#rules h3", has_text="Anything new").wait_for()
    settled(page)

    new = factories.sky_object(ra=160.0, dec=-10.0 + 1 / 3600, images=False, n=4)
    watch.note([new])
    assert deliver().counts == {"sent": 1}
    page.goto(reverse("tom_alerce:board"))
    page.locator(".alerce-nav a .tag", has_text="1").wait_for()
    page.locator(".alerce-nav >> text=Told").click()
    row = page.locator("#told tbody tr").first
    assert f"{new.public_name} is in the list of positions 'My galaxies'" in row.inner_text()
    assert fits(page)
    settled(page)
    screenshot("told")

    row.locator("a", has_text="Anything new").click()
    page.locator("h1", has_text="Why did I get this?").wait_for()
    assert "is new, in the list of positions 'My galaxies'" in page.locator("main").inner_text()
    assert fits(page)
    settled(page)
    screenshot("told-why")
    page.locator("button", has_text="Tell me no more").click()
    page.locator("text=tells you no more here").wait_for()
    assert not Rule.objects.get().active
    watch.note([factories.sky_object(ra=161.0, dec=9.5, images=False, n=1)])
    assert deliver().counts == {}
    assert Delivery.objects.count() == 1
    assert Watch.objects.get().matches.count() == 3
    settled(page)
