"""Which ranking is the current one: the same for board, object pages, API, explanations and requests."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.management.commands import alerce_explain
from tom_alerce.models import Rank, Ranking, SkyObject
from tom_alerce.pipeline import rank
from tom_alerce.store import rankings

pytestmark = pytest.mark.django_db


@pytest.fixture
def skies(db):
    return [factories.sky_object(ra=20.0 * i, dec=-30.0, images=False) for i in range(3)]


def test_there_is_none_without_a_ranking():
    assert rankings.current() is None
    assert not rankings.ranks(None).exists()


def test_rankings_for_other_sites_and_times_do_not_become_it(skies):
    made = rank.rank().row
    for site, at in (
        ("Siding Spring", None),
        (None, now_mjd() + 3),
        (None, now_mjd() - 3),
        (None, now_mjd() + 0.1),
        ("Paranal", now_mjd() + 1),
    ):
        row = rank.rank(site, at).row
        assert row.supposed == (at is not None)
        assert rankings.current() == made
    again = rank.rank(None, now_mjd()).row
    assert rankings.current() == again, "the present time may be given"


def test_the_site_is_that_of_the_settings(skies, settings):
    rank.rank()
    settings.TOM_ALERCE = {"SITE": "siding spring"}
    assert rankings.current() is None
    made = rank.rank().row
    assert rankings.current() == made
    settings.TOM_ALERCE = {"SITE": {"name": "My hill", "latitude": 1.0, "longitude": 2.0}}
    assert rankings.current() is None
    settings.TOM_ALERCE = {"SITE": "Atlantis"}
    assert rankings.current() is None, "no error: the system check says what is wrong"


def test_pages_api_explanations_and_requests_mean_the_same(client, observer, skies):
    made = rank.rank().row
    for site, at in (("Siding Spring", None), (None, now_mjd() + 1)):
        rank.rank(site, at)
    best = [row.sky_object_id for row in rankings.ranks(made)]
    assert client.get(reverse("tom_alerce:board")).context["ranking"] == made
    assert client.get(reverse("tom_alerce:object", args=[best[0]])).context["rank"].ranking == made
    listed = client.get(reverse("api:alerce-ranks-list"), {"latest": "true"}).json()["results"]
    assert {one["ranking"] for one in listed} == {str(made.pk)}
    assert alerce_explain.Command()._best(2) == best[:2]
    before = Ranking.objects.count()
    planned, row = rank.tonight()
    assert (row, Ranking.objects.count()) == (made, before)
    assert sorted(int(one.key) for one in planned.candidates) == sorted(best)


def test_requests_for_tonight_are_for_what_the_board_shows(skies):
    """An object that came after the ranking is not on the board, and is not requested before the next one."""
    made = rank.rank().row
    factories.sky_object(ra=60.0, dec=-30.0, images=False)
    ranked, row = rank.tonight()
    assert (row, len(ranked.candidates)) == (made, 3)
    Ranking.objects.filter(pk=made.pk).update(now=now_mjd() - 2, packed=b"")
    ranked, row = rank.tonight()
    assert row != made
    assert len(ranked.candidates) == 4


def test_another_site_or_time_is_ranked_for(skies):
    made = rank.rank().row
    _, row = rank.tonight("Siding Spring")
    assert row.site == "Siding Spring"
    _, row = rank.tonight(None, now_mjd() + 1)
    assert row.supposed
    assert rankings.current() == made


def test_an_object_that_is_not_in_it_shows_its_latest_place(skies):
    old, new = factories.ranking(now=now_mjd() - 1), factories.ranking()
    supposed = factories.ranking()
    supposed.supposed = True
    supposed.save()
    for ranking in (old, supposed):
        factories.rank(ranking, skies[0])
    factories.rank(new, skies[1])
    assert rankings.rank_of(skies[0]).ranking == old
    assert rankings.rank_of(skies[1]).ranking == new
    assert rankings.rank_of(skies[2]) is None


def test_the_command_says_where_a_chosen_ranking_is_shown_and_why_one_is_empty(settings):
    settings.TOM_ALERCE = {}

    def printed(*options):
        out = StringIO()
        call_command("alerce_rank", *options, stdout=out)
        return out.getvalue()

    text = printed()
    assert "nothing to rank: no object is stored yet" in text
    assert "?ranking=" not in text
    text = printed("--site", "Paranal")
    assert f"the board shows it to who chooses it: /alerce/?ranking={Ranking.objects.latest('pk').pk}" in text
    sky = factories.sky_object(images=False)
    SkyObject.objects.update(first_mjd=now_mjd() - 50, last_mjd=now_mjd() - 45)
    assert "nothing to rank: 1 object, none seen within RANK_DAYS = 30 (the latest was seen 45 days before)" in printed()
    assert not Rank.objects.filter(sky_object=sky).exists()
