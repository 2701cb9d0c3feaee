"""Versions of profiles: kept, switched, and nothing hostile gets in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from followup import profiles
from followup.records import FollowupError
from tests.tom_alerce import factories
from tom_alerce import models
from tom_alerce.store import profiles as store
from tom_alerce.store.errors import StoreError

pytestmark = pytest.mark.django_db

DEFAULT = profiles.shipped()["default"]


@pytest.fixture
def author(db):
    return factories.user()


def test_without_a_row_the_shipped_ones_are_in_use():
    assert store.every()["default"] == DEFAULT
    assert next(iter(store.every())) == "default"
    (only,) = store.versions("default")
    assert (only.number, only.by, only.active) == (1, "", True)


def test_every_change_is_a_version_and_any_version_can_be_used_again(author):
    first = store.save(replace(DEFAULT, title="Brighter"), author)
    second = store.save(replace(DEFAULT, title="Brightest"), author)
    assert (first.version, second.version) == (2, 3)
    assert store.current("default").title == "Brightest"
    assert [(v.number, v.by, v.active) for v in store.versions("default")] == [
        (3, "observer", True),
        (2, "observer", False),
        (1, "", False),
    ]
    store.use("default", 2)
    assert store.current("default") == first
    store.use("default", 1)
    assert store.current("default") == DEFAULT
    assert store.versions("default")[-1].active
    assert store.save(DEFAULT, author).version == 4


def test_the_order_of_terms_survives(author):
    turned = replace(DEFAULT, name="mine", merits=dict(reversed(list(DEFAULT.merits.items()))))
    store.save(turned, author)
    assert list(store.current("mine").merits) == list(turned.merits)


def test_one_that_is_retired_is_kept(author):
    store.save(replace(DEFAULT, name="mine"), author)
    store.retire("mine")
    assert "mine" not in store.every()
    assert len(store.versions("mine")) == 1
    with pytest.raises(StoreError, match="no stored version"):
        store.retire("mine")
    with pytest.raises(StoreError, match="no profile 'mine'"):
        store.current("mine")
    with pytest.raises(StoreError, match="no version 9"):
        store.use("mine", 9)


def test_a_stored_one_that_cannot_be_read_any_more_takes_nothing_else_away(author):
    store.save(replace(DEFAULT, title="Mine"), author)
    models.Profile.objects.update(body='{"name": "default"}')
    assert store.current("default") == DEFAULT
    with pytest.raises(FollowupError):
        store.use("default", 2)


def test_the_terms_of_the_settings_are_those_of_the_default(settings):
    settings.TOM_ALERCE = {"TERMS": {"brightness": 3.0}}
    assert dict(store.current("default").merits) == {"brightness": 3.0}


def body(**changed):
    return json.dumps(json.loads(DEFAULT.to_json()) | {"name": "mine"} | changed).encode()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not a profile"),
        (b"[]", "JSON object"),
        (b"{" * 50_000, "not a profile"),
        (b" " * 70_000, "larger than"),
        (b'{"name": "x", "title": "x", "merits": {"moon": NaN}}', "no number of JSON"),
        (b'{"name": "x", "title": "x", "merits": {"moon": 1e999}}', "merits.moon.weight"),
        (b'{"name": "x", "title": "x", "merits": {"moon": 1' + b"0" * 400 + b"}}", "too long a number"),
        (b"\xff\xfe", "not a profile"),
        (body(name="../../etc"), "name: "),
        (body(title="\x00"), "title: "),
        (body(merits={"os": 1.0}), "merits.os: "),
        (body(merits={"os.path": 1.0}), "merits.os.path: the settings do not name"),
        (body(merits={"moon": {"weight": 1.0, "darkness": 2}}), "merits.moon: "),
        (body(vetoes={"nothing": {}}), "vetoes.nothing: "),
        (body(cuts={"days": "x"}), "cuts.days: "),
        (body(budget={"slots": 0}), "budget.slots: "),
        (body(extra=1), "no field extra"),
        (body(facility={"x": "\ud800"}), "no Unicode"),
    ],
)
def test_what_is_no_profile_is_refused_with_the_field(text, reason):
    with pytest.raises(StoreError, match=reason):
        store.read(text)


def test_what_was_exported_is_read_again():
    assert store.read(DEFAULT.to_json().encode()) == DEFAULT
