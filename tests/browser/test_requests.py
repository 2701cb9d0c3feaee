"""A request from the board to the facility: template, preview, edit, approval, sending; a plan on one page; triggers and their switch."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.browser.conftest import both
from tests.browser.test_accessibility import OPTIONS
from tests.browser.test_observer import fits
from tests.tom_alerce import factories
from tests.tom_alerce.test_judge import up_tonight
from tom_alerce.models import FollowupRequest, Trigger
from tom_alerce.pipeline import rank

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def chief(page, live_server, client, settings, tmp_path):
    """A person with every right, logged in; objects that are up tonight, ranked."""
    settings.TOM_ALERCE = settings.TOM_ALERCE | {"FACILITY": {"name": "fake", "threshold": 0.0}, "TERMS": {"brightness": 1.0}}
    settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility", "tom_observations.facilities.lco.LCOFacility"]
    settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}, "LCO": {"portal_url": "http://127.0.0.1:9", "api_key": ""}}
    ra, *_ = up_tonight()
    for dec in (-25.0, -28.0, -31.0):
        factories.classification(factories.sky_object(ra, dec, peak=400_000.0))
    rank.rank()
    user = factories.user("chief", is_superuser=True)
    client.force_login(user)
    page.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    return user


def no_fault(page):
    """Nothing sticks out, and axe finds nothing serious."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install 'tom-alerce[test]'").Axe()
    assert fits(page)
    found = [
        one for one in axe.run(page, options=OPTIONS).response["violations"] if any(".alerce" in str(n["target"]) for n in one["nodes"])
    ]
    assert [
        (one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found if one["impact"] in ("serious", "critical")
    ] == []


@both
def test_a_request_from_the_board_to_the_facility(page, chief, screenshot):
    page.goto(reverse("tom_alerce:board"))
    screenshot("request-board")
    page.locator("#rows [data-open]").first.click()
    page.locator(".ask button").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.locator(".ask button").first.click()
    page.wait_for_url("**/alerce/requests/*/")
    row = FollowupRequest.objects.get()
    assert page.locator(".verdicts li.good").count() == page.locator(".verdicts li").count() > 8
    page.wait_for_function("!document.querySelector('[hx-get] a')")
    screenshot("request-preview")
    no_fault(page)
    page.fill("[name=f_max_airmass]", "1.8")
    page.click("text=Keep as draft and check")
    assert page.input_value("[name=f_max_airmass]") == "1.8"
    page.click("text=Ask for approval")
    page.click("button:text-is('Approve')")
    page.click("button:text-is('Send')")
    page.wait_for_selector(".state-submitted")
    screenshot("request-sent")
    no_fault(page)
    row.refresh_from_db()
    assert row.state == "submitted"
    page.click("#series summary")
    page.fill("[name=series-observed]", "3")
    page.check("[name=series-sends]")
    screenshot("series-form")
    no_fault(page)
    page.click("button:text-is('Repeat it')")
    page.wait_for_selector("text=round 1 is submitted")
    assert "until it was observed 3 times" in page.inner_text("#series")
    screenshot("series")
    no_fault(page)
    page.goto(reverse("tom_alerce:board"))
    page.wait_for_selector("text=1 series that sends on")
    screenshot("series-board")
    no_fault(page)
    page.goto(reverse("tom_alerce:requests"))
    assert page.locator("tbody tr").count() == 1
    no_fault(page)
    page.click("text=Your keys")
    page.fill("[name=secret]", "key-of-mine-0001")
    page.click("button:text-is('Store')")
    page.wait_for_selector("text=yours, since")
    screenshot("keys")
    no_fault(page)


@both
def test_a_plan_is_confirmed_on_one_page(page, chief, screenshot):
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(reverse("tom_alerce:requests"))
    page.click("text=Requests for tonight's plan")
    page.wait_for_url("**/bulk/**")
    assert page.locator("tbody input:checked").count() == 3
    screenshot("request-bulk")
    no_fault(page)
    page.locator("tbody input").first.uncheck()
    page.click("button:text-is('Send')")
    page.wait_for_selector(".state-submitted")
    assert sorted(FollowupRequest.objects.values_list("state", flat=True)) == ["submitted", "submitted", "validated"]


@both
def test_triggers_are_made_and_stopped(page, chief, screenshot):
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(reverse("tom_alerce:triggers"))
    page.fill("[name=new-name]", "Bright ones")
    page.click("text=Store it, switched off")
    page.click("button:has-text('rehearsal')")
    assert Trigger.objects.get().mode == "rehearse"
    screenshot("triggers")
    no_fault(page)
    page.goto(reverse("tom_alerce:board"))
    page.click("text=Stop all")
    page.wait_for_selector("text=Automatic triggers are stopped")
    screenshot("triggers-stopped")
    no_fault(page)
    page.goto(reverse("tom_alerce:yield"))
    no_fault(page)
