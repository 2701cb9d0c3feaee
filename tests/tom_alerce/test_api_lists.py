"""Lists of the API: pages, orders, what is refused, chosen fields, tables, and how often one may ask."""

from __future__ import annotations

import csv
import io

import pytest
from django.urls import reverse
from pyarrow import parquet

from tests.tom_alerce import factories
from tom_alerce.models import SkyObject

pytestmark = pytest.mark.django_db
OBJECTS = "/api/alerce-objects/"


def walked(client, address):
    """Ids of all pages, and the number of pages."""
    found, pages = [], 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        found += [one["id"] for one in answer.json()["results"]]
        address, pages = answer.json()["next"], pages + 1
        assert bool(address) == ("Link" in answer.headers)
    return found, pages


@pytest.fixture
def many(observer):
    """Objects of which some were detected at the same time, and some never."""
    place = {"ra": 10.0, "dec": 2.0, "position_err": 0.1, "healpix": 1}
    seen = [None, 60000.0, 60000.0, None, 60001.5, 59999.25, 60000.0, None, 60002.0]
    return SkyObject.objects.bulk_create([SkyObject(**place, last_mjd=mjd, n_detections=i % 3) for i, mjd in enumerate(seen)])


@pytest.mark.parametrize("order", ["last_mjd", "-last_mjd", "n_detections", "-n_detections", "id", "-id"])
def test_pages_give_every_row_once_in_order(client, many, order):
    name, back = order.removeprefix("-"), order.startswith("-")
    attribute = {"id": "pk"}.get(name, name)
    have = [one for one in many if getattr(one, attribute) is not None]
    expected = sorted(have, key=lambda one: (getattr(one, attribute), one.pk), reverse=back)
    expected += sorted((one for one in many if one not in have), key=lambda one: one.pk, reverse=back)
    for limit in (1, 2, 4, 9, 1000):
        found, pages = walked(client, f"{OBJECTS}?order={order}&limit={limit}")
        assert found == [str(one.pk) for one in expected]
        assert pages == -(-len(many) // limit)


def test_a_page_stays_where_it_is_when_rows_come_before_it(client, many):
    first = client.get(OBJECTS, {"order": "-id", "limit": 3}).json()
    SkyObject.objects.create(ra=1, dec=1, position_err=0.1, healpix=1)
    second = client.get(first["next"]).json()["results"]
    assert [one["id"] for one in second] == [str(one.pk) for one in many[::-1][3:6]]


def test_ranks_are_paged_by_ranking_and_place(client, observer):
    expected = []
    for _ in range(2):
        ranking = factories.ranking()
        expected = [factories.rank(ranking, factories.sky_object(n=1, images=False), place) for place in (1, 2, 3)] + expected
    assert walked(client, "/api/alerce-ranks/?limit=2")[0] == [str(rank.pk) for rank in expected]


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ("colour=red", "colour"),
        ("offset=10", "offset"),
        ("survey=ztf&survey=lsst", "survey"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("order=colour", "order"),
        ("cursor=made-up", "cursor"),
        ("fields=name,colour", "fields"),
    ],
)
def test_what_is_not_understood_is_refused_by_its_name(client, many, parameters, named):
    answer = client.get(f"{OBJECTS}?{parameters}")
    assert answer.status_code == 400
    assert list(answer.json()) == [named]


def test_a_cursor_is_for_the_list_and_the_order_that_it_was_made_for(client, many):
    cursor = client.get(OBJECTS, {"limit": 2}).json()["next"].split("cursor=")[1]
    assert client.get(f"{OBJECTS}?limit=2&order=id&cursor={cursor}").status_code == 400
    assert client.get(f"/api/alerce-ranks/?cursor={cursor}").status_code == 400


def test_parameters_of_a_list_are_none_of_an_item(client, many):
    assert client.get(f"{OBJECTS}{many[0].pk}/?limit=3").status_code == 400
    assert client.get(f"{OBJECTS}{many[0].pk}/photometry/?fields=points").status_code == 400


def test_fields_are_chosen(client, many):
    (one,) = client.get(OBJECTS, {"limit": 1, "fields": "id,ra"}).json()["results"]
    assert list(one) == ["id", "ra"]
    assert list(client.get(f"{OBJECTS}{one['id']}/", {"fields": "dec"}).json()) == ["dec"]


def test_a_list_is_a_table(client, observer):
    sky = factories.sky_object(images=False, target=factories.target("=HYPERLINK(1)"))
    answer = client.get(OBJECTS, {"format": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["id"], float(row["ra"]), row["name"]) == (str(sky.pk), sky.ra, "'=HYPERLINK(1)")
    table = parquet.read_table(io.BytesIO(client.get(OBJECTS, {"format": "parquet"}).content))
    assert table.column("name").to_pylist() == ["=HYPERLINK(1)"]
    curve = parquet.read_table(io.BytesIO(client.get(f"{OBJECTS}{sky.pk}/light-curve/", {"format": "parquet"}).content)).to_pandas()
    assert curve["flux"].dtype == float
    assert set(curve["kind"]) == {"alert", "forced", "limit"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_empty_list_is_an_empty_table_and_a_refusal_is_json(client, observer, form):
    assert client.get(OBJECTS, {"format": form}).status_code == 200
    refused = client.get(OBJECTS, {"format": form, "limit": "x"})
    assert (refused.status_code, list(refused.json())) == (400, ["limit"])


def test_who_asks_too_often_waits(client, observer, settings):
    settings.TOM_ALERCE = {"API_RATES": {"read": "2/minute", "write": "1/minute"}, "EVERYBODY": ("view",)}
    assert [client.get(OBJECTS).status_code for _ in range(3)] == [200, 200, 429]
    stop = reverse("api:alerce-triggers-stop")
    assert [client.post(stop).status_code for _ in range(2)] == [200, 429]
    other = factories.user("other")
    client.force_login(other)
    answer = client.get(OBJECTS)
    assert answer.status_code == 200


def test_no_rate_is_no_limit(client, observer, settings):
    settings.TOM_ALERCE = {"API_RATES": {}}
    assert {client.get(OBJECTS).status_code for _ in range(5)} == {200}
