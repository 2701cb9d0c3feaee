"""A filter is built by blocks in a real browser, tried, switched on, and what passes it is told; on a desk and with a phone."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from tests.browser.conftest import both
from tests.browser.test_observer import fits, known
from tests.tom_alerce import factories
from tom_alerce.models import Event, SavedFilter, SkyObject
from tom_alerce.pipeline import filters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), both]


def condition(page, place, field, operator, value):
    """Fill in a condition."""
    row = page.locator(".condition").nth(place)
    row.locator("select.field").select_option(field)
    row.locator("select", has_text="<=").last.select_option(operator)
    row.locator("input[type=number]").fill(value)


def test_from_blocks_to_an_event(page, live_server, client, screenshot):
    known(page.context, live_server, client)
    factories.board(8)
    for i in range(12):
        factories.sky_object(ra=30.0 * i, dec=-60.0 + 10.0 * i, n=3, images=False)
    filters.run(SkyObject.objects.values_list("pk", flat=True))
    page.goto(reverse("tom_alerce:explorer"))
    page.locator("#blocks .group").wait_for()
    everything = int(page.locator("#results").inner_text().split()[0])
    assert everything >= 20

    page.get_by_role("button", name="Add a condition").click()
    condition(page, 0, "dec", ">", "20")
    page.get_by_role("button", name="Add a group").click()
    inner = page.locator(".group .group")
    inner.get_by_role("button", name="Add a condition").click()
    condition(page, 1, "magnitude", "<", "22")
    inner.get_by_role("button", name="Add a condition").click()
    row = page.locator(".condition").nth(2)
    row.locator("select.field").select_option("class")
    row.locator("input[placeholder=class]").fill("SN")
    row.locator("input[type=number]").fill("0.9")
    assert fits(page)
    screenshot("explorer-blocks")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**filter=*")
    tree = json.loads(page.locator("#filter").input_value())
    assert tree["and"][0] == {"field": "dec", "op": ">", "value": 20}
    assert [one["field"] for one in tree["and"][1]["or"]] == ["magnitude", "class"]
    found = int(page.locator("#results").inner_text().split()[0])
    assert 0 < found < everything
    assert page.locator(".condition").count() == 3, "the blocks of the address are there again"
    screenshot("explorer-table")
    for show in ("gallery", "map"):
        page.locator(".results .modes >> text=" + show).click()
        page.wait_for_url(f"**show={show}**")
        assert fits(page)
        screenshot(f"explorer-{show}")
    assert page.locator("svg.skymap circle").count() == found

    page.locator("#save input[name=name]").fill("in the north")
    page.locator("#save button").click()
    page.locator("h1", has_text="in the north").wait_for()
    assert page.get_by_role("button", name="Switch it on").count() == 0
    page.get_by_role("button", name="Try it").click()
    page.locator("#trial .trial").wait_for()
    assert fits(page)
    screenshot("filter-tried")
    page.get_by_role("button", name="Switch it on").click()
    page.locator(".tag.good", has_text="on").first.wait_for()
    page.wait_for_load_state("networkidle")
    assert SavedFilter.objects.get().on == 1
    new = factories.sky_object(ra=1.0, dec=55.0, n=3, images=False)
    filters.run([new.pk])
    assert Event.objects.get(event="filter").sky_object == new
    page.reload()
    page.locator("#matches >> text=told").wait_for()
    screenshot("filter-on")
