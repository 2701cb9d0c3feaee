"""Terms and visibility of a ranking's places, packed: nothing is lost, and a place is small."""

from __future__ import annotations

import json

import numpy as np
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from hypothesis import given
from hypothesis import strategies as st

from tests.tom_alerce import factories
from tom_alerce.models import Rank, Ranking
from tom_alerce.models.places import Places

#: Bytes of the rows of `Rank` and of their indices, with the overhead of PostgreSQL's, which has more than SQLite's.
ROW_BYTES = 180


@st.composite
def places(draw):
    n, t = draw(st.integers(0, 6)), draw(st.integers(0, 5))
    names = draw(st.lists(st.text(max_size=8), unique=True, max_size=4))
    angle = st.floats(-180, 180) | st.just(float("nan"))
    number = st.floats(0, 1, width=32)

    def array(elements, *shape):
        size = int(np.prod(shape))
        return np.array(draw(st.lists(elements, min_size=size, max_size=size)), float).reshape(shape)

    return Places(
        scores={name: array(number, n).astype(np.float32) for name in names},
        reasons={name: draw(st.lists(st.text(max_size=12), min_size=n, max_size=n)) for name in names},
        times=array(st.floats(5e4, 9e4), t),
        moon_altitude=array(angle, t),
        altitude=array(angle, n, t),
        moon_separation=array(angle, n),
    )


@given(places())
def test_what_is_packed_comes_back(made):
    back = Places.unpack(made.pack())
    assert dict(back.reasons) == {name: list(own) for name, own in made.reasons.items()}
    for name, own in made.scores.items():
        np.testing.assert_array_equal(back.scores[name], own)
    np.testing.assert_array_equal(back.times, made.times)
    for name in ("altitude", "moon_altitude", "moon_separation"):
        np.testing.assert_allclose(getattr(back, name), getattr(made, name), atol=0.0051)


def test_a_veto_stays_a_veto_and_a_small_score_does_not_become_one():
    made = Places(
        {"x": np.array([0.0, 1e-9], np.float32)}, {"x": ["no", "hardly"]}, np.empty(0), np.empty(0), np.empty((2, 0)), np.full(2, np.nan)
    )
    back = Places.unpack(made.pack())
    assert back.terms(1, {"x": 2.0}) == {"x": {"score": 0.0, "weight": 2.0, "reason": "no"}}
    assert back.terms(2, {})["x"]["score"] == pytest.approx(1e-9)


@pytest.mark.parametrize("place", [0, -1, 3, 10**9])
def test_a_place_that_is_not_there_is_empty(place):
    made = Places({"x": np.zeros(2, np.float32)}, {"x": ["a", "b"]}, np.array([6e4]), np.zeros(1), np.zeros((2, 1)), np.zeros(2))
    assert made.terms(place, {}) == {}
    assert made.visibility(place)["times"] == []
    assert Places.unpack(b"").terms(1, {}) == {}


def test_a_place_takes_less_than_400_bytes():
    """As many places, terms and points as a night has, each with reasons of its own."""
    rng = np.random.default_rng(1)
    n, t = 500, 48
    names = ("brightness", "class", "confirmation", "early", "moon", "oddness", "rising", "visibility")
    reasons = {
        name: [f"{name} {rng.uniform(14, 22):.1f} now, {rng.uniform(0, 30):.1f} d ago ({rng.uniform():.2f})" for _ in range(n)]
        for name in names
    }
    hour = np.linspace(-90, 90, t) + rng.uniform(-180, 180, (n, 1))
    altitude = rng.uniform(-30, 60, (n, 1)) + 40 * np.cos(np.radians(hour))
    scores = {name: rng.uniform(0, 1, n).astype(np.float32) for name in names}
    made = Places(scores, reasons, 6e4 + np.linspace(0, 0.4, t), rng.uniform(-90, 90, t), altitude, rng.uniform(0, 180, n))
    as_text = sum(len(json.dumps(made.terms(i + 1, {}))) + len(json.dumps(made.visibility(i + 1))) for i in range(n)) / n
    packed = len(made.pack()) / n
    assert as_text > 1800
    assert packed + ROW_BYTES < 400


@pytest.mark.django_db
def test_ranks_of_a_page_share_one_ranking(django_assert_num_queries):
    ranking = factories.ranking()
    for i in range(3):
        factories.rank(ranking, factories.sky_object(n=1, images=False), i + 1)
    with django_assert_num_queries(2):
        rows = list(Rank.objects.prefetch_related("ranking"))
        assert all(row.terms["moon"]["reason"] and len(row.visibility["times"]) == 48 for row in rows)
    assert len({id(row.ranking.places) for row in rows}) == 1


@pytest.mark.django_db(transaction=True)
def test_stored_rankings_are_packed_by_the_migration():
    graph = MigrationExecutor(connection)
    latest = graph.loader.graph.leaf_nodes("tom_alerce")
    try:
        graph.migrate([("tom_alerce", "0007_width_of_names")])
        apps = graph.loader.project_state([("tom_alerce", "0007_width_of_names")]).apps
        old, old_rank, sky = (apps.get_model("tom_alerce", name) for name in ("Ranking", "Rank", "SkyObject"))
        skies = [sky.objects.create(ra=1.0, dec=2.0, position_err=0.1, healpix=1) for _ in range(3)]
        kept = old.objects.create(site="x", night="2026-11-22", now=61000.0, weights={"moon": 2.0})
        for place, one in ((1, skies[0]), (3, skies[1])):
            visibility = {
                "times": [61000.1, 61000.2],
                "altitude": [30.0 + place, 40.5],
                "moon_altitude": [1.0, 2.0],
                "moon_separation": 60.1,
            }
            terms = {"moon": {"score": 0.25 * place, "weight": 2.0, "reason": f"place {place}"}}
            common = {"score": 0.5, "hours": 1.0, "terms": terms, "visibility": visibility}
            old_rank.objects.create(ranking=kept, sky_object=one, place=place, **common)
        bare = old.objects.create(site="y", night="2026-11-22", now=61000.0, weights={})
        old_rank.objects.create(ranking=bare, sky_object=skies[2], place=1, score=0.0, hours=0.0, terms={}, visibility={})
    finally:
        again = MigrationExecutor(connection)
        again.migrate(latest)
    assert set(Ranking.objects.values_list("supposed", flat=True)) == {True}, "made long after or before the time that they are for"
    first, third = Ranking.objects.get(site="x").ranks.order_by("place")
    assert first.terms == {"moon": {"score": 0.25, "weight": 2.0, "reason": "place 1"}}
    assert third.terms["moon"]["reason"] == "place 3"
    assert third.visibility == {"times": [61000.1, 61000.2], "altitude": [33.0, 40.5], "moon_altitude": [1.0, 2.0], "moon_separation": 60.1}
    empty = Ranking.objects.get(site="y").ranks.get()
    assert (empty.terms, empty.visibility["times"]) == ({}, [])
