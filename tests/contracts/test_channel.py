"""Contract of a channel (`tom_alerce.outgoing.records.Plugin`), over every channel found."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core import mail
from werkzeug import Response

from broker_adapters import plugins
from tests.contracts.documented import documented
from tom_alerce.outgoing.records import Field, Message, Owner, Told, Undelivered
from tom_alerce.requests.timeouts import bounded
from tom_alerce.store import channels
from tom_alerce.store.errors import StoreError

PACKAGE = "tom_alerce.notify"
NAMES = plugins.names(PACKAGE)
#: Those that ask a service by HTTP themselves.
HTTP = ("hermes", "slack", "telegram", "webhook")
SECRET = "s3cret-s3cret-s3cret"
OWNER = Owner("ada@tom.example")
AT = datetime(2026, 11, 27, 4, tzinfo=timezone.utc)
ONE = Told(
    "rises", "ZTF26abc rises <!channel>", "by 0.4 mag/d", AT, "rises by 0.40 mag/d", "https://tom/1", "ZTF26abc", 10.5, -2.25, {"rate": 0.4}
)
MESSAGE = Message("a" * 32, "ZTF26abc rises", [ONE], "Young", "https://tom/why", "https://tom/stop")


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def module(name):
    return plugins.load(PACKAGE, name)


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.TOM_ALERCE = {"NOTIFY": {"networks": ["127.0.0.0/8"], "apprise": ["discord"]}}


@pytest.fixture
def apprise(monkeypatch):
    """A stand-in for the package: what it was given, and what it answers."""
    seen = SimpleNamespace(url="", sent=[], answer=True)

    class Apprise:
        def __init__(self, asset):
            assert asset == {"async_mode": False, "service_timeout": 0}

        def add(self, url):
            seen.url = url
            return "://bad" not in url

        def notify(self, **given):
            seen.sent.append(given)
            return seen.answer

    monkeypatch.setitem(sys.modules, "apprise", SimpleNamespace(Apprise=Apprise, AppriseAsset=dict))
    return seen


def address(name, server, monkeypatch):
    """An address of each kind that leads to a server of ours."""
    if name in ("hermes", "telegram"):
        monkeypatch.setattr(plugins.load(PACKAGE, name), "API", server.url_for("").rstrip("/"))
    return {
        "slack": {"url": server.url_for(f"/{SECRET}")},
        "webhook": {"url": server.url_for(f"/{SECRET}"), "key": SECRET},
        "telegram": {"token": f"1:{SECRET}", "chat": "-100"},
        "hermes": {"topic": "hermes.test", "token": SECRET, "submitter": "Ada"},
        "email": {"to": "ada@tom.example"},
        "apprise": {"url": f"discord://{SECRET}"},
    }.get(name, {})


def send(name, server, monkeypatch, message=MESSAGE):
    with bounded(20.0):
        return plugins.load(PACKAGE, name).send(message, address(name, server, monkeypatch))


def test_the_module_says_what_it_is_and_which_parts_its_address_has(module):
    assert (module.__doc__ or "").strip()
    assert module.LABEL
    assert isinstance(module.PUBLIC, bool)
    assert all(isinstance(one, Field) and one.name.isidentifier() and one.label for one in module.FIELDS)


def test_a_sound_address_has_no_problems_and_an_unsound_one_is_refused_without_asking_anybody(
    name, module, httpserver, monkeypatch, apprise
):
    sound = address(name, httpserver, monkeypatch)
    assert set(sound) == {one.name for one in module.FIELDS}
    assert list(module.problems(sound, OWNER)) == []
    for one in module.FIELDS:
        for odd in ("", "x", "file:///etc/passwd", "a b", "é" * 300, "https://"):
            problems = list(module.problems(sound | {one.name: odd}, OWNER))
            assert all(isinstance(text, str) and text for text in problems)
            assert problems or odd or one.name == "submitter"
            assert problems or one.name != "url"
    assert httpserver.log == []


def test_every_channel_tells_title_text_and_how_to_end_it(name, httpserver, monkeypatch, apprise):
    httpserver.expect_request("/", method="POST").respond_with_json({"ok": True})
    httpserver.expect_request("/api/v0/submit_message/", method="POST").respond_with_json({})
    for path in (f"/{SECRET}", f"/bot1:{SECRET}/sendMessage"):
        httpserver.expect_request(path, method="POST").respond_with_json({"ok": True})
    answer = send(name, httpserver, monkeypatch)
    assert isinstance(answer, str)
    assert SECRET not in answer
    told = [request.get_data(as_text=True) for request, _ in httpserver.log] + [m.body for m in mail.outbox]
    told += [f"{one['title']} {one['body']}" for one in apprise.sent]
    assert len(told) == (name != "in_app")
    for text in told:
        assert "ZTF26abc rises" in text
        assert "by 0.4 mag/d" in text
        assert ("https://tom/stop" in text) is (name != "hermes")


@pytest.mark.parametrize("name", HTTP)
@pytest.mark.parametrize(
    ("answer", "for_good", "after"),
    [
        (Response(f"no {SECRET[:3]}", 500), False, None),
        (Response("slow down", 429, {"Retry-After": "30"}), False, 30.0),
        (Response(json.dumps({"parameters": {"retry_after": 7}}), 429), False, 7.0),
        (Response("x" * 1_000_000, 503, {"Retry-After": "nan"}), False, None),
        (Response("gone", 410), True, None),
        (Response("no", 403), True, None),
        (Response("", 302, {"Location": "http://127.0.0.1:1/"}), True, None),
    ],
    ids=["500", "429", "429 by its body", "large", "410", "403", "redirect"],
)
def test_an_answer_that_says_no_is_no_delivery_and_shows_no_secret(name, answer, for_good, after, httpserver, monkeypatch):
    httpserver.expect_request(re.compile(".*")).respond_with_response(answer)
    with pytest.raises(Undelivered) as caught:
        send(name, httpserver, monkeypatch)
    assert (caught.value.for_good, caught.value.after) == (for_good, after)
    assert SECRET not in caught.value.reason
    assert len(caught.value.reason) < 200
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("name", HTTP)
def test_a_service_that_is_away_is_asked_again(name, httpserver, monkeypatch):
    place = address(name, httpserver, monkeypatch)
    httpserver.stop()
    with pytest.raises(Undelivered) as caught, bounded(20.0):
        plugins.load(PACKAGE, name).send(MESSAGE, place)
    httpserver.start()
    assert not caught.value.for_good
    assert SECRET not in caught.value.reason


def test_a_webhook_is_signed_so_that_its_service_can_tell(httpserver, monkeypatch):
    httpserver.expect_request(f"/{SECRET}").respond_with_data("ok")
    send("webhook", httpserver, monkeypatch)
    [(request, _)] = httpserver.log
    body, at = request.get_data(), request.headers["X-TomAlerce-Timestamp"]
    signed = b".".join((MESSAGE.id.encode(), at.encode(), body))
    assert request.headers["X-Signature"] == "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["X-TomAlerce-Id"] == MESSAGE.id
    assert json.loads(body)["events"][0]["object"] == {"name": "ZTF26abc", "ra": 10.5, "dec": -2.25}


def test_slack_gets_no_mention_and_hermes_the_place_and_no_page_of_the_tom(httpserver, monkeypatch):
    for path in (f"/{SECRET}", "/api/v0/submit_message/"):
        httpserver.expect_request(path).respond_with_json({})
    send("slack", httpserver, monkeypatch)
    send("hermes", httpserver, monkeypatch)
    slack, hermes = (json.loads(request.get_data()) for request, _ in httpserver.log)
    assert "&lt;!channel&gt;" in slack["text"]
    assert hermes["data"]["targets"] == [{"name": "ZTF26abc", "ra": 10.5, "dec": -2.25}]
    assert "https://tom" not in json.dumps(hermes)


def test_telegram_says_yes_in_its_answer(httpserver, monkeypatch):
    httpserver.expect_request(f"/bot1:{SECRET}/sendMessage").respond_with_json({"ok": False})
    with pytest.raises(Undelivered, match="did not say"):
        send("telegram", httpserver, monkeypatch)


def test_e_mail_goes_to_ones_own_address_unless_one_runs_the_tom(httpserver, monkeypatch):
    email = plugins.load(PACKAGE, "email")
    assert list(email.problems({"to": "other@tom.example"}, OWNER))
    assert not list(email.problems({"to": "other@tom.example"}, Owner(trusted=True)))
    send("email", httpserver, monkeypatch)
    [sent] = mail.outbox
    assert sent.to == ["ada@tom.example"]
    assert sent.extra_headers["List-Unsubscribe"] == "<https://tom/stop>"


def test_apprise_sends_to_services_that_the_settings_allow_alone(httpserver, monkeypatch, apprise, settings):
    settings.TOM_ALERCE = {"NOTIFY": {"apprise": ["slack"]}}
    with pytest.raises(Undelivered, match="allow slack"):
        send("apprise", httpserver, monkeypatch)
    settings.TOM_ALERCE = {"NOTIFY": {"apprise": ["discord"]}}
    apprise.answer = False
    with pytest.raises(Undelivered, match="did not take it"):
        send("apprise", httpserver, monkeypatch)


def test_the_example_of_the_documentation_is_a_channel_that_the_settings_can_name(settings, httpserver):
    name = documented("channel")
    settings.TOM_ALERCE = {"NOTIFY": {"channels": [name], "networks": ["127.0.0.0/8"]}}
    assert next(iter(channels.kinds())) == "in_app"
    module = channels.kinds()[name]
    assert list(module.problems({"number": "x"}, OWNER))
    httpserver.expect_request("/page").respond_with_data("ok")
    module.API = httpserver.url_for("/page")
    assert module.send(MESSAGE, {"number": "+5621234567"}) == "paged"
    settings.TOM_ALERCE = {}
    with pytest.raises(StoreError, match="no kind of channel"):
        channels.plugin(name)


def test_every_channel_is_documented():
    page = (Path(__file__).resolve().parents[2] / "docs" / "notifications.md").read_text()
    assert all(f"| `{name}` |" in page for name in NAMES)
