"""What pages ask grows with what they show, not with the tables: numbers of queries, and the indices that serve them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.urls import reverse

from tests.tom_alerce import factories
from tom_alerce import visible
from tom_alerce.api import keyset
from tom_alerce.api.classifications import ClassificationViewSet
from tom_alerce.api.objects import SkyObjectViewSet
from tom_alerce.api.ranks import RankViewSet
from tom_alerce.models import MatchCandidate
from tom_alerce.pages import summaries
from tom_alerce.store import rankings

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads small tables from end to end, whatever indices they have"),
]


def plan(rows):
    """How SQLite would answer with tables of 100,000 rows, of which few are undecided matches: the lines of EXPLAIN QUERY PLAN."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("UPDATE sqlite_stat1 SET stat = '100000' || substr(stat, instr(stat || ' ', ' '))")
        cursor.execute("UPDATE sqlite_stat1 SET stat = '100 1' WHERE idx = 'alerce_undecided'")
        cursor.execute("ANALYZE sqlite_schema")
    return rows.explain().splitlines()


def served(lines, index):
    """Whether the first table is read by this index, and nothing else is sorted, or read from end to end.

    What a query computes for each row that it gives (lines below another: the second number is that of the line above) may sort.
    """
    first = next(line for line in lines if "SCAN" in line or "SEARCH" in line)
    others = [line for line in lines if line is not first]
    return index in first and not any("SCAN" in line or ("TEMP B-TREE" in line and line.split()[1] == "0") for line in others)


class Request:
    """A request as a view set needs it."""

    def __init__(self, user):
        self.user = user


def queryset(view_set, user):
    view = view_set()
    view.request = Request(user)
    return view.get_queryset()


@pytest.fixture
def filled(observer):
    """Some matches, classifications and ranks, decided and undecided, with and without a private target."""
    secret = factories.target(permissions="PRIVATE")
    ranking = factories.ranking()
    for i in range(12):
        sky = factories.sky_object(n=1, images=False, target=secret if i % 3 == 0 else None)
        factories.classification(sky)
        factories.rank(ranking, sky, i + 1)
        factories.candidate(factories.sky_object(n=1, images=False).survey_objects.get(), sky)
    MatchCandidate.objects.filter(pk__in=list(MatchCandidate.objects.values_list("pk", flat=True)[:6])).update(decided=True)
    return observer


def test_what_is_undecided_has_its_own_index(filled):
    rows = visible.undecided(filled)
    assert "SkyObject" not in str(rows.query)
    assert served(plan(rows.order_by("-pk")), "alerce_undecided")
    count = plan(rows.order_by().values("decided"))
    assert any("alerce_undecided" in line for line in count)


def test_matches_of_a_page_are_found_by_key(filled):
    rows = visible.undecided(filled).filter(summaries.about([1, 2], [3, 4]))
    assert not any("SCAN" in line for line in plan(rows))


@pytest.mark.parametrize(
    ("view_set", "order", "index"),
    [
        (ClassificationViewSet, "-created", "alerce_labelled"),
        (RankViewSet, "place", "alerce_rank_place"),
        (SkyObjectViewSet, "-last_mjd", "last_mjd"),
        (SkyObjectViewSet, "n_detections", "alerce_n_detections"),
        (SkyObjectViewSet, "-id", "PRIMARY KEY"),
    ],
)
def test_lists_are_read_by_an_index_from_where_a_page_begins(filled, view_set, order, index):
    rows, columns = queryset(view_set, filled), keyset.order_of(order, view_set.orders)
    assert served(plan(rows.order_by(*columns)), index.replace("PRIMARY KEY", "SCAN"))
    last = rows.order_by(*columns).first()
    after = [getattr(last, column.removeprefix("-")) for column in columns]
    lines = plan(rows.order_by(*columns).filter(keyset.beyond(columns, after)))
    assert served(lines, index)
    assert "SEARCH" in lines[0]


def test_ranks_of_the_board_are_read_in_the_order_of_their_index(filled):
    assert served(plan(rankings.ranks(rankings.current())), "alerce_rank_place")


@pytest.mark.parametrize("view_set", [SkyObjectViewSet, ClassificationViewSet, RankViewSet])
def test_no_list_asks_for_each_object_whether_its_target_is_visible(filled, view_set):
    text = str(queryset(view_set, filled).query)
    assert "tom_targets" not in text
    assert "IN (SELECT" not in text


@pytest.mark.parametrize(("page", "most"), [("tom_alerce:review", 16), ("tom_alerce:board", 12)])
def test_a_page_of_many_asks_as_much_as_a_page_of_few(client, filled, page, most, django_assert_max_num_queries):
    with django_assert_max_num_queries(most) as many:
        assert client.get(reverse(page)).status_code == 200
    keep = list(MatchCandidate.objects.filter(decided=False).values_list("pk", flat=True)[:1])
    MatchCandidate.objects.exclude(pk__in=keep).delete()
    rankings.current().ranks.filter(place__gt=2).delete()
    with django_assert_max_num_queries(most) as few:
        assert client.get(reverse(page)).status_code == 200
    assert len(few) <= len(many)
