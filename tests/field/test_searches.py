"""Row 24: positions in the forms in which people type them, in the board's search and in the API."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.field import DATA
from tests.tom_alerce import factories
from tom_alerce.pages.positions import MAX_RADIUS, PositionError, parse

LINES = [line for line in (DATA / "39-board-queries.txt").read_text().splitlines() if line and not line.startswith("#")]
PLACES, NONE = LINES[:3], LINES[3:]


@pytest.fixture
def found(client, django_user_model):
    """What the board and the API find for a text: the names, or the reason why it is not understood."""
    client.force_login(factories.user())
    sky = factories.sky_object(ra=150.0, dec=2.2, images=False)
    factories.rank(factories.ranking(), sky)
    factories.sky_object(ra=150.01, dec=2.2, images=False)

    def search(text):
        page = client.get(reverse("tom_alerce:board"), {"query": text})
        answer = client.get(reverse("api:alerce-objects-list"), {"query": text})
        assert page.status_code == 200
        errors = page.context["filter"].form.errors.get("query", [])
        if answer.status_code == 400:
            assert errors == answer.json()["query"]
            assert all(error in page.content.decode() for error in map(str, errors))
            return errors
        names = [row.name for row in page.context["rows"]]
        assert not errors
        assert names == [one["name"] for one in answer.json()["results"]]
        return names

    search.name = sky.name
    return search


@pytest.mark.django_db
@pytest.mark.parametrize("text", PLACES)
def test_row_24_a_position_as_people_type_it_is_found(found, text):
    assert found(text) == [found.name]


@pytest.mark.django_db
@pytest.mark.parametrize("text", NONE)
def test_row_24_a_search_that_is_not_understood_says_so(found, text):
    assert found(text) == [f"no right ascension: {text.split()[0]}"]


SAME = [
    "150 2.2",
    "150.0, +2.2",
    "150.0+2.2",
    "150d 2.2d",
    "150° +2.2°",
    "150 deg 2.2 deg",
    "10:00:00 +02:12:00",
    "10:00:00+02:12:00",
    "(10:00:00, +02:12:00)",
    "10:00:00 / +02:12:00 (J2000)",
    "10 00 00.00 +02 12 00.0",
    "10 00 00 02 12 00",
    "10 00 +02 12",
    "10h00m00s +02d12m00s",
    "10h 00m 00s, +02° 12′ 00″",
    "10h +2.2d",
    "150d00m00s +2d12m",
    "RA=150 Dec=2.2",
    "ra: 10:00:00 dec: +02:12:00",
    "J100000.00+021200.0",
    "1.5e2 2.2",
    "\t150.0   2.2\n",
]


@pytest.mark.parametrize("text", SAME)
def test_row_24_all_spellings_are_one_place(text):
    cone = parse(text)
    assert cone is not None
    assert cone == pytest.approx((150.0, 2.2, 5.0), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "radius"),
    [
        ("150 2.2 10", 10.0),
        ("10 00 00 02 12 00 10", 10.0),
        ("10 00 00 +02 12 00 r=10", 10.0),
        ('150 2.2 r = 10"', 10.0),
        ("150 2.2 10″", 10.0),
        ("150 2.2 10 arcsec", 10.0),
        ("150 2.2 radius=1'", 60.0),
        ("150 2.2 1 arcmin", 60.0),
        ("150 2.2 r=0.01 deg", 36.0),
        ("r=7 150 2.2", 7.0),
        ("150 2.2 1e300", MAX_RADIUS),
    ],
)
def test_row_24_a_radius_is_in_arcseconds_or_has_its_unit(text, radius):
    assert parse(text) == pytest.approx((150.0, 2.2, radius))


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("10 00 00 -00 12 00", 150.0, -0.2),
        ("10 00 00 −00 12 00", 150.0, -0.2),
        ("0 -0.5", 0.0, -0.5),
        ("-10 0", 350.0, 0.0),
        ("360 90", 0.0, 90.0),
        ("24:00:00 -90:00:00", 0.0, -90.0),
        ("23:59:60 0", 0.0, 0.0),
    ],
)
def test_row_24_signs_and_ends_of_the_sky(text, ra, dec):
    assert parse(text)[:2] == pytest.approx((ra, dec), abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "361 0",
        "0 90.1",
        "25:00:00 0",
        "10:61:00 0",
        "10 00 00 02 12",
        "1 2 3 4 5 6 7 8",
        "150 2 -5",
        "150 2 0",
        "150 2 nan",
        "2 nan",
        "5 6h",
    ],
)
def test_row_24_numbers_that_are_no_place_are_told(text):
    with pytest.raises(PositionError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "ZTF26aacextk",
        "170032915988021282",
        "LSST 170032915988021282",
        "SN 2026asx",
        "2026asx",
        "AT2026 ab",
        "M 33",
        "5 5E",
        "1 2 S",
        "",
        "r=5",
    ],
)
def test_row_24_names_are_names(text):
    assert parse(text) is None


def test_row_24_a_long_text_is_read_at_once():
    assert parse("9" * 100_000 + " 2") is None
