"""Tokens of the settings are on no page: neither that of an error, nor in the admin, nor where a broker repeats what it was sent."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.views.debug import ExceptionReporter
from werkzeug import Response

from tests.tom_alerce import factories
from tests.tom_alerce.test_dataservices import ask
from tom_alerce.dataservices.lasair import LasairDataService
from tom_alerce.models import DeadLetter, FollowupRequest

pytestmark = pytest.mark.django_db
TOKEN = "t0ps3cret-of-ours"


@pytest.fixture(autouse=True)
def _tokens(settings, httpserver):
    """A broker and a portal that refuse us, and quote the token as they do."""
    here = httpserver.url_for("")
    settings.TOM_ALERCE = {
        "BROKERS": {
            "lasair": {"ztf_token": TOKEN, "lsst_token": TOKEN, "ztf_url": here, "lsst_url": here, "retries": 0},
            "atlas_forced": {"token": TOKEN, "url": here, "retries": 0},
        },
        "FACILITY": {"name": "lco", "proposal": "P"},
    }
    httpserver.expect_request("/query/").respond_with_handler(lambda r: Response(f"no: {r.headers['Authorization']}", 401))


@pytest.mark.parametrize("debug", [True, False])
def test_the_page_of_an_error(rf, settings, debug):
    """All settings are on it when DEBUG is on; Django hides what is called a token, a key or the like, at any depth."""
    settings.DEBUG = debug
    try:
        raise RuntimeError("of any kind")
    except RuntimeError as error:
        page = ExceptionReporter(rf.get("/alerce/"), type(error), error, error.__traceback__).get_traceback_html()
    assert "lasair" in page
    assert TOKEN not in page


def test_what_a_broker_says_of_the_token(capsys, caplog):
    with pytest.raises(CommandError) as error:
        call_command("alerce_poll", "--broker", "lasair")
    assert "401" in str(error.value)
    said = capsys.readouterr()
    assert TOKEN not in f"{error.value}{said.out}{said.err}{caplog.text}"


def test_a_query_page(client):
    client.force_login(factories.user())
    page = ask(client, LasairDataService, label="SN").content.decode()
    assert "401" in page
    assert TOKEN not in page


def test_the_admin_and_our_pages():
    client = Client()
    client.force_login(factories.user("boss", is_staff=True, is_superuser=True))
    sky = factories.sky_object()
    factories.request(sky)
    factories.dead_letter(reason="401")
    pages = ["/", reverse("admin:index"), reverse("tom_alerce:review"), reverse("tom_alerce:object", args=[sky.pk])]
    pages += [reverse(f"admin:tom_alerce_{m._meta.model_name}_change", args=[m.objects.get().pk]) for m in (FollowupRequest, DeadLetter)]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200
        assert TOKEN not in answer.content.decode()
