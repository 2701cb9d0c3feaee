"""The outbox: an event is there if, and only if, what it tells of has happened, and once."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.tom_alerce import factories
from tom_alerce.models import Event
from tom_alerce.store.outbox import announce

pytestmark = pytest.mark.django_db


def test_an_event_is_stored_once_by_its_kind_and_key():
    sky = factories.sky_object(images=False)
    for title in ("first", "second"):
        announce("new", "1", title, "text", sky_object=sky, facts={"rate": float("nan")})
    announce("class", "1", "another kind", "")
    assert list(Event.objects.order_by("pk").values_list("title", flat=True)) == ["first", "another kind"]
    first = Event.objects.get(event="new")
    assert (first.sky_object, first.facts, first.spread) == (sky, {"rate": None}, False)


def test_what_is_taken_back_has_no_event():
    with transaction.atomic():
        announce("drift", "1", "it drifts", "")
        transaction.set_rollback(True)
    assert not Event.objects.exists()


def test_texts_from_outside_fit_the_columns_of_every_database():
    announce("silent", "k" * 500, "two\nlines \x00" + "t" * 500, "x" * 10_000 + "\ud800", url="/" + "u" * 900, profile="p" * 300)
    event = Event.objects.get()
    event.full_clean()
    assert event.title.startswith("two lines t")
    assert len(event.text) == 4000


def test_an_unknown_event_is_a_mistake_of_the_code():
    with pytest.raises(ValueError, match="no event 'news'"):
        announce("news", "1", "", "")
