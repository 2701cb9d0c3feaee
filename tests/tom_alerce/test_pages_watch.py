"""Pages of lists: made by pasting or from a file, shared, changed, exported; mistakes are told by their lines."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from followup import watchlists
from tests.tom_alerce import factories
from tests.tom_alerce.telling import person
from tom_alerce.models import Watch
from tom_alerce.pipeline import lists
from tom_alerce.store import watch as store

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"tom_alerce:{name}", args=args)


def text(response):
    return response.content.decode()


def make(client, entries="", file=None, **fields):
    given = {"name": "Mine", "radius": "5", "entries": entries} | fields
    return client.post(url("watch-new"), given | ({"file": SimpleUploadedFile("l.txt", file)} if file else {}), follow=True)


def test_a_list_is_made_by_pasting_and_shows_what_was_stored_already(client, observer):
    sky = factories.sky_object(ra=10.0, dec=5.0, images=False, n=1, target=factories.target("Private", permissions="PRIVATE"))
    page = text(make(client, "10,5,<b>M 1,5\n11,5,other", text="<i>for</i>"))
    assert "1 stored object found" in page
    assert sky.public_name in page
    assert "Private" not in page
    assert "&lt;b&gt;M 1" in page
    assert "<b>M" not in page
    assert "(was stored)" in page
    assert "Mine" in text(client.get(url("watches")))


def test_lines_that_cannot_be_read_are_told_and_what_was_typed_stays(client, observer):
    page = text(make(client, "10,5,good\n10,95,bad\n<script>,,"))
    assert "line 2: the declination 95 is not from" in page
    assert "line 3: " in page
    assert "10,95,bad" in page
    assert "<script>" not in page.split('id="problems"')[1].split("</form>")[0]
    assert not Watch.objects.exists()
    make(client, "10,5,good\n10,95,bad", skip="1")
    assert [one.name for one in Watch.objects.get().entries.all()] == ["good"]


def test_regions_come_as_text_or_file_and_go_as_a_map(client, observer):
    make(client, "circle 10 5 1")
    one = Watch.objects.get()
    assert one.kind == "region"
    assert "3.1" in text(client.get(url("watch", one.pk)))
    exported = client.get(url("watch-export", one.pk)).content
    make(client, file=exported, name="Again")
    assert Watch.objects.get(name="Again").ranges == one.ranges
    assert "Not done" in text(make(client, "circle 10 5 nan", name="bad"))
    assert "Not done" in text(make(client, name="empty"))


def test_what_is_exported_can_be_read_again(client, observer):
    make(client, "10,5,M 1,7.5,a remark\nZTF21abc")
    one = Watch.objects.get()
    answer = client.get(url("watch-export", one.pk))
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = watchlists.read(answer.content.decode())
    assert again.problems == []
    assert [entry.name for entry in again.entries] == [entry.name for entry in one.entries.order_by("pk")]


def test_a_list_is_changed_without_its_entries_and_switched_and_removed(client, observer):
    make(client, "10,5,a")
    one = Watch.objects.get()
    client.post(url("watch-save", one.pk), {"name": "Renamed", "radius": "9"})
    one.refresh_from_db()
    assert (one.name, one.radius, one.entries.count()) == ("Renamed", 9.0, 1)
    client.post(url("watch-switch", one.pk), {"active": "0"})
    assert not store.inside([10.0], [5.0]).any()
    assert "off" in text(client.get(url("watches")))
    client.post(url("watch-remove", one.pk))
    assert not Watch.objects.exists()


def test_a_list_is_seen_by_its_group_changed_by_its_owner_and_hidden_from_others(client, observer):
    team = Group.objects.create(name="team")
    berta = person("berta")
    berta.groups.add(team)
    shared, private = store.save(berta, "Shared", group=team), store.save(berta, "Private")
    assert "Shared" not in text(client.get(url("watches")))
    assert client.get(url("watch", shared.pk)).status_code == 404
    observer.groups.add(team)
    page = text(client.get(url("watches")))
    assert "Shared" in page
    assert "Private" not in page
    assert "Change" not in text(client.get(url("watch", shared.pk)))
    for name in ("watch-save", "watch-switch", "watch-remove"):
        assert "who alone may change it" in text(client.post(url(name, shared.pk), {"name": "x"}, follow=True))
        assert client.post(url(name, private.pk), {"name": "x"}).status_code == 404
    assert client.get(url("watch-export", private.pk)).status_code == 404
    assert set(Watch.objects.values_list("name", flat=True)) == {"Shared", "Private"}


def test_what_one_page_does_not_look_through_the_command_does(client, observer, monkeypatch):
    monkeypatch.setattr(store, "AT_ONCE", 1)
    monkeypatch.setattr(lists, "AT_ONCE", 1)
    for i in range(3):
        factories.sky_object(ra=10.0 + i, dec=5.0, images=False, n=1)
    page = text(make(client, "10,5,a\n12,5,b"))
    assert "alerce_notify looks through the rest" in page
    assert "still to be looked through" in page
    assert lists.search() == {"Mine": 1}
    assert lists.search() == {}
    assert Watch.objects.get().matches.count() == 2


def test_the_page_of_an_object_names_the_lists_that_one_may_see(client, observer):
    sky = factories.sky_object(ra=10.0, dec=5.0, n=1, images=False)
    assert "In lists" not in text(client.get(url("object", sky.pk)))
    make(client, "10,5.0001,<b>M 1", name="<i>Mine")
    theirs = store.fill(store.save(person("berta"), "Hers"), watchlists.read("10,5,x").entries)
    store.search(theirs)
    page = text(client.get(url("object", sky.pk)))
    assert "&lt;i&gt;Mine</a> as &lt;b&gt;M 1, 0.4″ apart" in page
    assert "Hers" not in page
