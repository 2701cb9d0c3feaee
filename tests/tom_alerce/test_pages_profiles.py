"""Pages of the profiles: who sees and changes them, the order that they show, and files from strangers."""

from __future__ import annotations

import json
from html import unescape
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from followup import profiles
from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tests.tom_alerce.test_pages_night import site, skies  # noqa: F401  # fixtures
from tom_alerce import models
from tom_alerce.pages import profile_form
from tom_alerce.store import profiles as store

pytestmark = pytest.mark.django_db

DEFAULT = profiles.shipped()["default"]


@pytest.fixture
def boss(observer):
    factories.roles(observer, "configure")
    return observer


def url(page, *args):
    return reverse(f"tom_alerce:{page}", args=args)


def said(response):
    return [str(message) for message in response.wsgi_request._messages][-1]


def fields(profile=DEFAULT, **changed):
    """What the form sends if nothing but ``changed`` is changed."""
    sent = {"name": profile.name, "title": profile.title, "description": profile.description, "rest": profile_form.rest(profile)}
    for one in [*profile_form.merits(profile), *profile_form.vetoes(profile)]:
        if one.value:
            sent[one.field] = one.value
        sent |= {p.field: p.value for p in one.parameters}
    cuts = {"cuts-days": profile.cuts.days, "cuts-detections": profile.cuts.detections}
    budget = {"budget-slots": profile.budget.slots, "budget-hours": profile.budget.hours}
    sent |= {name: str(value) for name, value in (cuts | budget).items() if value is not None}
    return {name.replace("__", "-"): value for name, value in (sent | changed).items() if value is not None}


def test_a_stranger_is_sent_to_the_log_in(client):
    for address in (url("profiles"), url("profile", "default"), url("profile-order", "default"), url("profile-export", "default")):
        assert client.get(address).status_code == 302


def test_the_list_has_every_profile(client, observer):
    text = unescape(client.get(url("profiles")).content.decode())
    for one in profiles.shipped().values():
        assert one.title in text
        assert url("profile", one.name) in text


def test_two_profiles_are_shown_beside_each_other(client, boss, skies):  # noqa: F811
    client.post(url("profile-save", "default"), fields(name="bright", title="Bright", merit__probability=None, merit__youth=None))
    response = client.get(url("profiles"), {"beside": ["default", "bright", "nothing"]})
    assert [one.name for one, _ in response.context["beside"]] == ["default", "bright"]
    assert response.content.decode().count("Lowered most by") == 2


def test_the_form_of_a_profile_says_that_profile(rf):
    for profile in profiles.shipped().values():
        assert profile_form.read(rf.post("/", fields(profile)).POST, profile) == profile


class Form(HTMLParser):
    """What a browser would send of the form of a profile."""

    def __init__(self, text):
        super().__init__()
        self.sent, self.area, self.inside = {}, None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.inside = attrs.get("id") == "profile" if tag == "form" else self.inside
        if not self.inside:
            return
        if tag == "input" and (attrs.get("type") != "checkbox" or "checked" in attrs):
            self.sent[attrs["name"]] = attrs.get("value", "on")
        self.area = attrs["name"] if tag == "textarea" else None

    def handle_data(self, data):
        if self.area:
            self.sent[self.area] = data
            self.area = None


@pytest.mark.parametrize("name", profiles.shipped())
def test_a_browser_that_changes_nothing_sends_the_same_profile(client, boss, rf, name):
    sent = Form(client.get(url("profile", name)).content.decode()).sent
    assert profile_form.read(rf.post("/", sent).POST, profiles.shipped()[name]) == profiles.shipped()[name]


def test_the_order_follows_what_is_entered(client, boss, skies):  # noqa: F811
    address = url("profile-order", "default")
    text = client.get(address).content.decode()
    for sky in skies:
        assert sky.name in text
    changed = client.post(address, fields(merit__probability="5", cuts__detections="1")).content.decode()
    assert changed.count("<tr>") == 6
    assert "Now</th>" in changed
    assert "Nothing deserves a place" in client.post(address, fields(cuts__detections="9999")).content.decode()
    assert not models.Profile.objects.exists()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"merit__moon": "x"}, "merits.moon.weight"),
        ({"merit__moon": "-1"}, "merits.moon.weight"),
        ({"merit__moon": "NaN"}, "no number of JSON"),
        ({"merit__moon": "1" + "0" * 500}, "too long a number"),
        ({"cuts__days": "[1]"}, "cuts.days"),
        ({"budget__slots": "0"}, "budget.slots"),
        ({"title": "\x00"}, "title"),
        ({"title": "<script>alert(1)</script>" * 999}, "characters"),
        ({"name": "Über"}, "name"),
        ({"rest": "{"}, "promotion, sites, facility"),
        ({"rest": '{"merits": {}}'}, "promotion, sites, facility"),
        ({"rest": '{"sites": 5}'}, "sites"),
    ],
)
def test_what_cannot_be_is_said_with_its_field_and_what_was_entered_stays(client, boss, changed, reason):
    text = unescape(client.post(url("profile-order", "default"), fields(**changed)).content.decode())
    assert reason in text
    answer = client.post(url("profile-save", "default"), fields(description="my own words", **changed))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert reason in unescape(text)
    assert "my own words" in text
    assert "<script>alert(1)" not in text
    assert not models.Profile.objects.exists()


def test_a_site_that_there_is_not_is_said_by_the_order(client, boss, skies):  # noqa: F811
    text = unescape(client.post(url("profile-order", "default"), fields(rest='{"sites": ["Atlantis"]}')).content.decode())
    assert "no site 'Atlantis'" in text


def test_a_version_is_stored_used_and_switched_back(client, boss):
    answer = client.post(url("profile-save", "default"), fields(title="Mine", merit__moon="2"))
    assert answer.url == url("profile", "default")
    assert store.current("default").merits["moon"] == 2.0
    text = client.get(url("profile", "default")).content.decode()
    assert "version 2" in text
    client.post(url("profile-use", "default"), {"version": "1"})
    assert store.current("default") == DEFAULT
    assert "not in use" in client.get(url("profile", "default"), {"version": "2"}).content.decode()
    assert "Not done" in said(client.post(url("profile-use", "default"), {"version": "9" * 50}))
    client.post(url("profile-save", "default"), fields(name="other", title="Other"))
    client.post(url("profile-retire", "other"))
    assert client.get(url("profile", "other")).status_code == 404


def test_parameters_that_are_as_the_plug_in_has_them_are_left_out(client, boss):
    one = next(t for t in profile_form.merits(DEFAULT) if any(p.number for p in t.parameters))
    parameter = next(p for p in one.parameters if p.number)
    changed = str(float(parameter.value) + 1.0)
    client.post(url("profile-save", "default"), fields(**{parameter.field: changed}))
    stored = store.current("default").merits
    assert stored[one.name][parameter.name] == float(changed)
    assert [name for name, value in stored.items() if not isinstance(value, (int, float))] == [one.name]


def upload(client, content):
    return client.post(url("profile-import"), {"file": SimpleUploadedFile("mine.json", content, "application/json")})


def test_what_was_exported_is_imported_elsewhere(client, boss):
    answer = client.get(url("profile-export", "default"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="default-1.json"'
    body = json.loads(answer.content) | {"name": "theirs", "title": "<b>Theirs</b>"}
    upload(client, json.dumps(body).encode())
    assert store.current("theirs").merits == DEFAULT.merits
    assert "<b>Theirs" not in client.get(url("profiles")).content.decode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG", "not a profile"),
        (b" " * 100_000, "larger than"),
        (b"[" * 60_000, "not a profile"),
        (DEFAULT.to_json().replace('"moon"', '"subprocess.run"').encode(), "merits.subprocess.run"),
        (DEFAULT.to_json().replace('"version": 1', '"version": 0').encode(), "version"),
    ],
)
def test_hostile_files_are_refused_with_the_field(client, boss, content, reason):
    assert reason in said(upload(client, content))
    assert "no file" in said(client.post(url("profile-import")))
    assert not models.Profile.objects.exists()


def test_without_the_role_configure_profiles_are_read(client, observer):
    text = client.get(url("profile", "default")).content.decode()
    assert "<fieldset disabled>" in text
    assert "Store and use" not in text
    for address, data in (
        (url("profile-save", "default"), fields(title="Mine")),
        (url("profile-use", "default"), {"version": "1"}),
        (url("profile-retire", "default"), {}),
        (url("profile-import"), {}),
    ):
        assert "the role 'configure'" in refused(client.post(address, data))
        assert client.get(address).status_code == 405
    assert not models.Profile.objects.exists()


@pytest.mark.parametrize("version", ["0", "7", "x", "9" * 40])
def test_versions_that_are_not_there(client, observer, version):
    assert client.get(url("profile", "default"), {"version": version}).status_code == (
        200 if not version.isdecimal() or len(version) > 8 else 404
    )
    assert client.get(url("profile", "nothing")).status_code == 404


def test_what_it_would_have_caught_is_replayed(client, boss, skies):  # noqa: F811
    address = url("profile-caught", "default")
    response = client.post(address, fields())
    picks = response.context["made"].picks
    assert len(picks) == len({pick.key for pick in picks}) > 0
    assert {int(pick.key) for pick in picks} <= {sky.pk for sky in skies}
    assert sum(n for _, n in response.context["by_class"]) == len(picks)
    assert "in 30 nights" in response.content.decode()
    few = client.post(address, fields(cuts__detections="9999")).context["made"].picks
    assert few == ()
    assert "merits.moon.weight" in client.post(address, fields(merit__moon="-1")).content.decode()
    assert client.get(address).status_code == 405
