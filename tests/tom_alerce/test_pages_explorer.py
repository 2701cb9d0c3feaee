"""The Explorer: what passes is shown as table, gallery, map and file, page by page, and what is asked for wrongly is said."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from astropy.table import Table
from django.urls import reverse

from followup import filters
from tests.tom_alerce import factories
from tom_alerce.models import SavedFilter, Traits
from tom_alerce.pages import explorer, explorer_files
from tom_alerce.pages.figures.skymap import project, skymap
from tom_alerce.pipeline import filters as pipeline
from tom_alerce.store import explore, saved, traits

pytestmark = pytest.mark.django_db

BRIGHT = {"and": [{"field": "magnitude", "op": "<", "value": 21}]}
NORTH = {"field": "dec", "op": ">", "value": 30}


@pytest.fixture
def skies(observer):
    made = [factories.sky_object(ra=10.0 * i, dec=5.0 * i, n=3, images=i == 1) for i in range(5)]
    private = factories.target("=SECRET()", permissions="PRIVATE")
    made[0].target = private
    made[0].save()
    factories.classification(made[1], "lightcurve", probabilities={"SNIa": 0.7, "SNII": 0.3})
    list(traits.refresh([sky.pk for sky in made]))
    return made


def shown(client, **given):
    body = given.pop("filter", None)
    answer = client.get(reverse("tom_alerce:explorer"), given | ({} if body is None else {"filter": json.dumps(body)}))
    assert answer.status_code == 200
    return answer


def keys(answer):
    return [one.sky.pk for one in answer.context["found"]]


def test_everything_then_what_passes(client, skies):
    answer = shown(client)
    assert answer.context["count"] == 5
    assert set(keys(answer)) == {sky.pk for sky in skies}
    assert b"SECRET" not in answer.content
    one = shown(client, filter={"and": [{"field": "class", "class": "SNIa", "op": ">", "value": 0.5}]})
    assert keys(one) == [skies[1].pk]
    assert "SNIa 0.70" in one.content.decode()
    assert "P(class) any SNIa &gt; 0.5" in one.content.decode()
    assert keys(shown(client, filter=NORTH)) == []
    assert "No object passes" in shown(client, filter=NORTH).content.decode()


@pytest.mark.parametrize("order", ["magnitude", "-magnitude", "age", "-age", "redshift", "peak", "-ra"])
def test_pages_follow_one_another_in_any_order(client, skies, monkeypatch, order):
    monkeypatch.setattr(explorer, "SIZE", 2)
    Traits.objects.filter(pk=skies[3].pk).update(magnitude=None, first_seen=None)
    Traits.objects.filter(pk__in=[sky.pk for sky in skies[1:3]]).update(magnitude=18.0)
    found, address = [], {"sort": order}
    while address:
        answer = shown(client, **address)
        assert answer.context["count"] == 5
        found += keys(answer)
        more = answer.context["next"]
        address = dict(part.split("=", 1) for part in more.replace("%7E", "~").split("&")) if more else None
    assert len(found) == len(set(found)) == 5
    column = explore.column_of(order)
    values = [getattr(Traits.objects.get(pk=key), column) for key in found]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (5 - len(known))
    assert known == sorted(known, reverse=order in ("-magnitude", "age", "-ra"))


def test_gallery_and_map(client, skies):
    gallery = shown(client, show="gallery")
    assert [one.sky.pk for one in gallery.context["found"] if one.stamps] == [skies[1].pk]
    assert b"/alerce/stamps/" in gallery.content
    drawn = shown(client, show="map").context["map"]
    assert drawn.dots.count("M") == len(drawn.links) == 5


def test_a_name_or_a_position_with_the_filter(client, skies):
    name = skies[2].survey_objects.get().object_id
    assert keys(shown(client, query=name)) == [skies[2].pk]
    assert keys(shown(client, query="20 10 60", filter=BRIGHT)) == [skies[2].pk]
    assert keys(shown(client, query="SECRET")) == []
    assert "no declination" in shown(client, query="20 100 60").content.decode()


@pytest.mark.parametrize(
    "text", ["{", "[" * 9000, '{"field": "x"}', "x" * 30_000, "NaN", '{"and": [{"field": "ra", "op": "<", "value": Infinity}]}']
)
def test_what_is_no_filter_is_said_and_kept(client, skies, text):
    answer = client.get(reverse("tom_alerce:explorer"), {"filter": text})
    assert answer.status_code == 200
    assert "alerce-errors" in answer.content.decode()
    assert answer.context["asked"].text == text[:20_000]
    assert client.get(reverse("tom_alerce:explorer-file", args=["csv"]), {"filter": text}).status_code == 404


@pytest.mark.parametrize("after", ["", "~", "x~1", "nan~1", "1e999~1", "1~x", "~-1", "1~" + "9" * 30])
def test_a_mark_that_is_none_is_the_beginning(client, skies, after):
    assert len(keys(shown(client, after=after))) == 5


def test_files_have_all_pages_with_units(client, skies):
    def content(ending):
        answer = client.get(reverse("tom_alerce:explorer-file", args=[ending]), {"filter": json.dumps(BRIGHT), "sort": "ra"})
        assert answer.status_code == 200
        return b"".join(answer.streaming_content)

    rows = list(csv.DictReader(io.StringIO(content("csv").decode())))
    assert [int(row["key"]) for row in rows] == [sky.pk for sky in skies]
    assert "SECRET" not in str(rows)
    table = pq.read_table(io.BytesIO(content("parquet")))
    assert table["key"].to_pylist() == [sky.pk for sky in skies]
    assert table["classes"].to_pylist()[1] == "lightcurve: SNIa 0.7"
    assert table.schema.field("ra").metadata == {b"unit": b"deg", b"description": b"ICRS"}
    votable = Table.read(io.BytesIO(content("vot")), format="votable")
    assert list(votable["key"]) == [sky.pk for sky in skies]
    assert str(votable["dec"].unit) == "deg"
    assert votable["redshift"].mask.all()
    assert [float(row["magnitude"]) for row in rows] == list(votable["magnitude"]) == table["magnitude"].to_pylist()
    assert client.get(reverse("tom_alerce:explorer-file", args=["exe"])).status_code == 404


def test_the_columns_of_a_file_are_those_of_the_table():
    assert set(explorer_files.columns()) - {"key", "name", "classes", "surveys"} <= set(traits.STORED)


def test_a_file_of_nothing(client, observer):
    for ending in explorer_files.TYPES:
        assert b"".join(client.get(reverse("tom_alerce:explorer-file", args=[ending])).streaming_content)


def test_the_map_is_in_its_ellipse_and_puts_east_to_the_left():
    x, y = project([180.0, 190.0, 180.0, 0.0], [0.0, 0.0, 90.0, 0.0])
    assert (x[0], y[0]) == (372.0, 192.0)
    assert x[1] < x[0]
    assert y[2] == pytest.approx(12.0)
    assert "nan" not in str(skymap([0.0, 266.4], [0.0, -29.0], []))


def test_every_example_is_a_filter():
    for _, body in explorer.EXAMPLES:
        assert filters.used(filters.parse(body))


class TestSaved:
    def test_save_try_switch_share_delete(self, client, skies, observer):
        answer = client.post(reverse("tom_alerce:filter-save"), {"name": "north", "filter": json.dumps(NORTH), "text": "high"}, follow=True)
        assert answer.status_code == 200
        one = SavedFilter.objects.get()
        assert (one.owner, one.on) == (observer, None)
        page, switch = (reverse(f"tom_alerce:{name}", args=[one.pk]) for name in ("filter", "filter-switch"))
        assert "has to be tried" in client.post(switch, follow=True, headers={"Referer": page}).content.decode()
        assert "0 of 5 objects" in client.post(reverse("tom_alerce:filter-try", args=[one.pk]), follow=True).content.decode()
        client.post(switch, {"version": "1"})
        one.refresh_from_db()
        assert one.on == 1
        new = factories.sky_object(dec=50.0, n=2, images=False)
        pipeline.run([new.pk])
        assert new.name in client.get(page).content.decode()
        client.post(switch, {"on": "0"})
        one.refresh_from_db()
        assert one.on is None
        assert "north" in client.get(reverse("tom_alerce:filters")).content.decode()
        client.post(reverse("tom_alerce:filter-save"), {"name": "north", "filter": json.dumps(BRIGHT)})
        assert [row.version for row in one.versions.all()] == [2, 1]
        assert client.get(page, {"version": "1"}).context["row"].version == 1
        client.post(reverse("tom_alerce:filter-delete", args=[one.pk]))
        assert not SavedFilter.objects.exists()

    def test_others_see_what_is_shared_with_them_and_change_nothing(self, client, skies, observer):
        from django.contrib.auth.models import Group

        group, foreign = (Group.objects.create(name=name) for name in ("nightly", "foreign"))
        owner = factories.user("owner")
        owner.groups.add(group)
        one = saved.save("north", NORTH, owner).saved
        page = reverse("tom_alerce:filter", args=[one.pk])
        assert client.get(page).status_code == 404
        observer.groups.add(group)
        client.force_login(owner)
        client.post(reverse("tom_alerce:filter-share", args=[one.pk]), {"group": [group.pk, foreign.pk, "x", "9" * 30]})
        assert list(one.groups.all()) == [group]
        client.force_login(observer)
        assert client.get(page).status_code == 200
        for name in ("switch", "share", "delete"):
            assert client.post(reverse(f"tom_alerce:filter-{name}", args=[one.pk])).status_code == 403
        assert "north" in client.get(reverse("tom_alerce:filters")).content.decode()
        client.post(reverse("tom_alerce:filter-save"), {"name": "north", "filter": json.dumps(BRIGHT)})
        assert one.versions.count() == 1

    def test_a_version_that_cannot_be_read_any_more_is_said(self, client, observer):
        row = saved.save("old", NORTH, observer)
        row.body = {"field": "gone<script>"}
        row.save()
        assert "cannot be read" in client.get(reverse("tom_alerce:filters")).content.decode()
        answer = client.get(reverse("tom_alerce:filter", args=[row.saved_id]))
        assert b"gone<script>" not in answer.content
        assert client.post(reverse("tom_alerce:filter-try", args=[row.saved_id])).status_code == 302
