"""REST endpoints: who may read what, how it is narrowed down, and what it costs."""

from __future__ import annotations

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm
from rest_framework.authtoken.models import Token

from tests.tom_alerce import factories
from tom_alerce.models import SurveyObject

pytestmark = pytest.mark.django_db

ENDPOINTS = ("alerce-objects", "alerce-classifications", "alerce-ranks")


def get(client, endpoint, **parameters):
    response = client.get(reverse(f"api:{endpoint}-list"), parameters)
    assert response.status_code == 200, response.content
    return response.json()["results"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_only_for_those_who_are_known(client, endpoint):
    assert client.get(reverse(f"api:{endpoint}-list")).status_code in (401, 403)
    token = Token.objects.get_or_create(user=factories.user())[0]
    assert client.get(reverse(f"api:{endpoint}-list"), headers={"Authorization": f"Token {token}"}).status_code == 200


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_read_only(client, observer, endpoint):
    assert client.post(reverse(f"api:{endpoint}-list"), {}).status_code == 405


def test_ids_are_texts(client, observer):
    sky = factories.sky_object(surveys=("lsst",), images=False)
    SurveyObject.objects.update(object_id="170028526513684557")
    (found,) = get(client, "alerce-objects")
    assert found["id"] == str(sky.pk)
    assert found["survey_objects"][0]["object_id"] == "170028526513684557"
    assert found["target"] is None


def test_a_private_target_is_in_no_answer_and_its_object_is_in_all(client, observer):
    target = factories.target("Secret", permissions="PRIVATE")
    sky = factories.sky_object(target=target, images=False)
    name = sky.survey_objects.get().object_id
    factories.classification(sky)
    factories.rank(factories.ranking(), sky)
    for endpoint in ENDPOINTS:
        assert len(get(client, endpoint)) == 1
    (found,), (rank,) = get(client, "alerce-objects"), get(client, "alerce-ranks")
    assert (found["name"], found["target"], rank["name"]) == (name, None, name)
    assert client.get(reverse("api:alerce-objects-detail", args=[sky.pk])).json()["name"] == name
    assert get(client, "alerce-objects", query="ecre") == []
    assert get(client, "alerce-objects", target=target.pk) == []
    assign_perm("tom_targets.view_target", observer, target)
    (found,) = get(client, "alerce-objects", query="ecre", target=target.pk)
    assert (found["name"], found["target"]) == ("Secret", str(target.pk))
    assert get(client, "alerce-ranks")[0]["name"] == "Secret"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_account_without_the_role_reads_nothing(client, settings, endpoint):
    settings.TOM_ALERCE = {"EVERYBODY": ()}
    user = factories.user()
    client.force_login(user)
    assert client.get(reverse(f"api:{endpoint}-list")).status_code == 403
    factories.roles(user, "view_board")
    assert client.get(reverse(f"api:{endpoint}-list")).status_code == 200


def test_the_latest_ranks_are_those_of_the_board(client, observer):
    old, new, other = factories.ranking(), factories.ranking(), factories.ranking("Siding Spring")
    sky = factories.sky_object(images=False)
    for ranking in (old, new, other):
        factories.rank(ranking, sky)
    assert [rank["ranking"] for rank in get(client, "alerce-ranks", latest="true")] == [str(new.pk)]
    assert [rank["ranking"] for rank in get(client, "alerce-ranks", latest="true", site="Siding Spring")] == [str(other.pk)]
    assert get(client, "alerce-ranks", latest="true", site="Nowhere") == []
    assert len(get(client, "alerce-ranks")) == 3


def test_a_search_that_is_no_position_is_refused_with_the_reason(client, observer):
    response = client.get(reverse("api:alerce-objects-list"), {"query": "1e400 2"})
    assert response.status_code == 400
    assert response.json()["query"] == ["no right ascension: 1e400"]


@pytest.fixture
def two(observer):
    ztf = factories.sky_object(ra=359.9999, surveys=("ztf", "atlas"), images=False, target=factories.target("SN 2026abc"))
    lsst = factories.sky_object(ra=10.0, surveys=("lsst",), images=False, moving=True)
    ranking = factories.ranking()
    for i, sky in enumerate((ztf, lsst)):
        factories.classification(sky, probabilities={"SN": 0.9 - 0.5 * i, "AGN": 0.1 + 0.5 * i})
        factories.rank(ranking, sky, i + 1, score=0.8 - 0.5 * i)
    return ztf, lsst


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"query": "0.0 2.0 1"}, [0]),
        ({"query": "2026abc"}, [0]),
        ({"survey": "lsst"}, [1]),
        ({"survey": "atlas"}, [0]),
        ({"moving": "true"}, [1]),
        ({"since": "99999"}, []),
    ],
)
def test_filters_of_objects(client, two, parameters, expected):
    assert [found["id"] for found in get(client, "alerce-objects", **parameters)] == [str(two[i].pk) for i in expected]


def test_filters_of_classifications_and_ranks(client, two):
    assert [w["sky_object"] for w in get(client, "alerce-classifications", label="AGN")] == [str(two[1].pk)]
    assert [w["label"] for w in get(client, "alerce-classifications", probability="0.7")] == ["SN"]
    (rank,) = get(client, "alerce-ranks", score="0.5")
    assert (rank["name"], rank["place"], rank["site"]) == ("SN 2026abc", 1, "Cerro Pachon")
    assert set(rank["terms"]["moon"]) == {"score", "weight", "reason"}
    assert get(client, "alerce-ranks", site="nowhere") == []


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_page_is_few_queries_and_bounded(client, observer, endpoint, django_assert_max_num_queries):
    ranking = factories.ranking()
    for i in range(12):
        sky = factories.sky_object(surveys=("ztf", "lsst"), n=1, images=False, target=factories.target(f"T{i}") if i % 2 else None)
        factories.classification(sky)
        factories.rank(ranking, sky, i + 1)
    with django_assert_max_num_queries(10):
        assert len(get(client, endpoint, limit="5000")) == 12
    assert len(get(client, endpoint, limit="5")) == 5


@pytest.mark.parametrize("number", ["NaN", "1e400", "-1e999999999", "9" * 5000, "-9223372036854775809", "9223372036854775808", "\x00"])
def test_no_number_is_too_odd(client, two, number):
    numbers = {
        "objects": ("since", "target"),
        "classifications": ("probability", "sky_object"),
        "ranks": ("score", "ranking", "sky_object"),
    }
    for endpoint, names in numbers.items():
        for name in names:
            assert client.get(reverse(f"api:alerce-{endpoint}-list"), {name: number}).status_code in (200, 400)


def test_one_object_or_ranking(client, two):
    (word,), (rank,) = (get(client, f"alerce-{kind}", sky_object=two[1].pk) for kind in ("classifications", "ranks"))
    assert word["sky_object"] == rank["sky_object"] == str(two[1].pk)
    assert len(get(client, "alerce-ranks", ranking=rank["ranking"])) == 2


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_page_for_people_names_no_private_target(client, observer, endpoint):
    sky = factories.sky_object(target=factories.target("a secret", permissions="PRIVATE"), images=False)
    factories.rank(factories.ranking(), sky)
    page = client.get(reverse(f"api:{endpoint}-list"), headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "a secret" not in page.content.decode()
