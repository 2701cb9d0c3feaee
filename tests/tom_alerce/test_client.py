"""The client against a live server: what it reads and does, and what it makes of refusals, silence and nonsense."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from guardian.shortcuts import assign_perm
from rest_framework.authtoken.models import Token
from werkzeug import Response

from tests.tom_alerce import factories
from tom_alerce.client import Client, ClientError, Forbidden, NotFound, Refused, TooOften, Unreachable

TOKEN = "0123456789abcdef-secret"


def test_it_needs_no_django():
    code = "import sys, tom_alerce.client; print('django' in sys.modules, 'pandas' in sys.modules, 'astropy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


@pytest.fixture
def client(live_server):
    """Of an account that may decide and request."""
    user = factories.user()
    factories.roles(user, "decide", "request")
    assign_perm("tom_targets.change_target", user)
    return Client(live_server.url, Token.objects.get_or_create(user=user)[0].key, timeout=20.0, retries=0)


@pytest.mark.django_db(transaction=True)
def test_what_it_reads_and_does(client, settings):
    sky = factories.sky_object(surveys=("ztf", "lsst"), target=factories.target("SN 2026abc"))
    factories.classification(sky)
    factories.rank(factories.ranking(), sky)
    for i in range(3):
        factories.sky_object(ra=10.0 + i, n=1, images=False)
    key = str(sky.pk)

    found = client.find("2026abc")
    assert (found.id, found.name, found.ra) == (key, "SN 2026abc", sky.ra)
    assert len(client.list("objects", limit=2, fields=["id"])) == 4
    assert len(client.objects(most=3, survey="ztf")) == 3
    assert client.board()[0]["terms"]["moon"]["reason"]
    assert client.object(key)["object"]["id"] == key
    assert client.classifications(sky_object=key, current=True).to_pandas()["label"].tolist() == ["SN"]

    curve = client.light_curve(key)
    table = curve.to_table()
    assert str(table["flux"].unit) == "nJy"
    assert str(table["mjd"].unit) == "d"
    assert np.isfinite(table["flux"][table["kind"] == "alert"]).all()
    assert np.isnan(table["flux"][table["kind"] == "limit"]).all()
    assert {band["band"]: band["wavelength"] for band in curve.bands if band["survey"] == "ztf"} == {"g": 472.0, "r": 634.0}

    assert client.cutout(client.stamps(key)[0]["id"], "template").shape == (63, 63)
    made = client.mark(key, "note", "look at this")
    assert made["author"] == "observer"
    assert client.unmark(made["id"])["undone"]
    assert {one["name"] for one in client.profiles()} >= {"default"}
    assert "places" in client.order("default")

    row = factories.request(sky)
    assert [one["id"] for one in client.requests(state="validated")] == [str(row.pk)]
    request = client.request(row.pk)
    assert request.state == "validated"
    assert request.against
    with pytest.raises(Forbidden, match="role 'send'"):
        client.send(request.id)
    assert client.cancel(request.id, "clouds").state == "cancelled"
    assert client.request(request.id).events[-1]["reason"] == "clouds"


@pytest.mark.django_db(transaction=True)
def test_refusals_have_their_reasons(client, live_server):
    with pytest.raises(NotFound):
        client.object("999")
    with pytest.raises(NotFound):
        client.object("../groups")
    with pytest.raises(NotFound):
        client.find("nobody")
    with pytest.raises(Refused, match="there is no such parameter") as refused:
        client.objects(colour="red")
    assert list(refused.value.reasons) == ["colour"]
    with pytest.raises(Forbidden, match="Invalid token"):
        Client(live_server.url, TOKEN, retries=0).profiles()
    with pytest.raises(ClientError, match="no address"):
        Client("ftp://tom.example.org", TOKEN)


def test_what_failed_in_passing_is_asked_again_and_what_changes_something_is_not(httpserver):
    httpserver.expect_ordered_request("/api/alerce-profiles/").respond_with_data("down", 503, {"Retry-After": "0"})
    httpserver.expect_ordered_request("/api/alerce-profiles/", headers={"Authorization": f"Token {TOKEN}"}).respond_with_json([])
    client = Client(httpserver.url_for(""), TOKEN, timeout=5.0)
    assert client.profiles() == []
    httpserver.expect_ordered_request("/api/alerce-requests/5/send/", "POST").respond_with_data("down", 503, {"Retry-After": "0"})
    with pytest.raises(Unreachable):
        client.send("5")
    httpserver.check_assertions()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(f"<h1>{TOKEN}</h1>", 200), Unreachable),
        (Response(f"<h1>{TOKEN}</h1>", 400), Refused),
        (Response("", 429, {"Retry-After": "3600"}), TooOften),
        (Response(f'["{TOKEN}"]', 403), Forbidden),
        (Response("", 302, {"Location": "/elsewhere/"}), ClientError),
    ],
)
def test_nonsense_is_an_error_of_ours_and_the_token_is_in_none(httpserver, answer, error):
    httpserver.expect_request("/api/alerce-profiles/").respond_with_response(answer)
    with pytest.raises(error) as raised:
        Client(httpserver.url_for(""), TOKEN, timeout=5.0, retries=1).profiles()
    assert TOKEN not in f"{raised.value!r}"


def test_pages_are_asked_for_at_this_tom_whatever_address_it_gives(httpserver):
    pages = "/api/alerce-objects/"
    following = "http://elsewhere.example.org/api/alerce-objects/?limit=1&cursor=abc"
    httpserver.expect_ordered_request(pages).respond_with_json({"next": following, "results": [{"id": "1"}]})
    httpserver.expect_ordered_request(pages, query_string={"limit": "1", "cursor": "abc"}).respond_with_json(
        {"next": None, "results": [{"id": "2"}]}
    )  # fmt: skip
    assert [one["id"] for one in Client(httpserver.url_for(""), TOKEN).list("objects", limit=1)] == ["1", "2"]
