"""Two observers on one night: each has an account, targets are private, and nobody loses an object because the other acts."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from tests.browser.test_observer import somewhere_dark
from tests.tom_alerce import factories
from tom_alerce.models import FollowupRequest, SkyObject

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECRET = "Our best kept secret"


@pytest.fixture
def night(settings):
    """Four ranked objects that can be observed tonight, in a TOM whose targets are private."""
    settings.TARGET_DEFAULT_PERMISSION = "PRIVATE"
    settings.TOM_ALERCE = {
        "SITE": {"name": "Here", **somewhere_dark()},
        "LIMITS": {"moon_separation": 0.0, "max_airmass": 2.9},
        "FACILITY": {"name": "fake", "threshold": 0.0},
    }
    ranking = factories.ranking("Here")
    for i in range(4):
        sky = factories.sky_object(ra=20.0 * i, dec=80.0, peak=2e6, images=i == 0, rng=np.random.default_rng(i))
        factories.rank(ranking, sky, i + 1)
        factories.classification(sky)
    return ranking


@pytest.fixture
def observers(browser, live_server, night):
    """Pages of the browsers of Ada and Berta, who log in as people do."""
    contexts = []
    for name in ("ada", "berta"):
        factories.roles(factories.user(name), "view_board", "decide", "request")
        context = browser.new_context(base_url=live_server.url)
        context.route("**/*", lambda route: route.continue_() if route.request.url.startswith(live_server.url) else route.abort())
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("[name=login]", name)
        page.fill("[name=password]", "stars")
        page.click("main button[type=submit]")
        page.wait_for_load_state("networkidle")
        contexts.append((context, page))
    yield [page for _, page in contexts]
    for context, page in contexts:
        page.wait_for_load_state("networkidle")
        context.close()


def board(page):
    """Names of the objects on an observer's board."""
    page.goto(reverse("tom_alerce:board"))
    page.wait_for_load_state("networkidle")
    return page.locator(".alerce-board .name").all_inner_texts()


def act(page, sky, button):
    """Press a button on the page of an object; what the TOM answers."""
    page.goto(reverse("tom_alerce:object", args=[sky.pk]))
    page.wait_for_load_state("networkidle")
    page.locator(".actions button", has_text=button).click()
    page.wait_for_load_state("networkidle")
    return page.locator("#messages").inner_text()


def test_two_observers_on_one_night(observers, night):
    ada, berta = observers
    first, second, *_ = (rank.sky_object for rank in night.ranks.order_by("place"))
    everything = board(ada)
    assert len(everything) == 4
    assert board(berta) == everything

    assert "is a target now" in act(ada, first, "Make it a target")
    first = SkyObject.objects.get(pk=first.pk)
    first.target.name = SECRET
    first.target.save()
    assert set(board(ada)) == {SECRET, *everything[1:]}
    assert board(berta) == everything, "what surveys saw stays on everybody's board, under its public name"

    assert "Dry run" in act(berta, second, "Dry run of a request")
    assert FollowupRequest.objects.get().user.username == "berta"
    assert len(board(ada)) == 4
    for page, address in ((berta, first), (ada, second)):
        page.goto(reverse("tom_alerce:object", args=[address.pk]))
        text = page.locator("body").inner_text()
        assert SECRET not in text
        assert "validated" not in text
        assert page.locator("#light-curve").count() == 1

    ada.locator(".alerce-theme [value=red]").click()
    ada.wait_for_selector(".alerce[data-theme=red]")
    board(berta)
    assert berta.locator(".alerce[data-theme=site]").count() == 1, "the colours are each observer's own"
