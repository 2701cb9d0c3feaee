"""The board: who sees it, what it costs, what it can be narrowed down by, and what it says when there is nothing."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from broker_adapters.times import datetime_from_mjd
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Rank, Ranking, SkyObject, Stamps, SurveyObject

pytestmark = pytest.mark.django_db


def board(client, **parameters):
    response = client.get(reverse("tom_alerce:board"), parameters)
    assert response.status_code == 200
    return response


def shown(response):
    return [row.name for row in response.context.get("rows", ())]


def more(client, sky):
    """What lies behind the line of an object."""
    (rank,) = Rank.objects.filter(sky_object=sky)
    return unescape(client.get(reverse("tom_alerce:rank-more", args=[rank.pk])).content.decode())


def test_a_stranger_is_sent_to_the_log_in(client):
    response = client.get(reverse("tom_alerce:board"))
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_without_a_ranking_it_says_which_commands_make_one(client, observer):
    text = board(client).content.decode()
    for command in ("alerce_poll", "alerce_ingest", "alerce_classify", "alerce_rank"):
        assert f"manage.py {command}" in text


def test_a_ranking_without_objects_says_so(client, observer):
    factories.ranking()
    assert "Nothing to observe" in board(client).content.decode()


def test_an_old_ranking_is_said_to_be_old(client, observer):
    factories.ranking(now=now_mjd() - 2)
    assert "old: run" in board(client).content.decode()


def test_a_row_has_what_an_observer_wants(client, observer):
    ranking = factories.ranking()
    sky = factories.sky_object(surveys=("lsst", "ztf"), target=factories.target("SN 2026abc"))
    factories.classification(sky)
    factories.request(sky)
    factories.rank(ranking, sky, score=0.834)
    text = unescape(board(client).content.decode())
    for part in ("SN 2026abc", "0.83", "Moon 61° away", "SN <b>0.81</b>", "validated", "latest", "requested"):
        assert part in text
    assert text.count('class="plot') == 2
    assert text.count('<img src="/alerce/stamps/') == 2
    for part in ("10:00:00.00 +02:00:00.0", "Moon 61° away", "SN <b>0.81</b>", *sky.public_names):
        assert part in more(client, sky)


def test_stamps_with_a_template_are_shown_before_those_without(client, observer):
    sky = factories.sky_object(surveys=("atlas", "ztf"))
    Stamps.objects.filter(survey_object__survey="atlas").update(template=None)
    factories.rank(factories.ranking(), sky)
    (row,) = board(client).context["rows"]
    assert [one.slot for one in row.stamps] == ["first", "latest"]
    assert set(Stamps.objects.filter(pk__in=[one.pk for one in row.stamps]).values_list("survey_object__survey", flat=True)) == {"ztf"}


def test_the_number_of_queries_does_not_grow_with_the_page(client, observer, django_assert_max_num_queries):
    factories.board(25)
    board(client)  # what is read once for all pages
    with django_assert_max_num_queries(12) as many:
        assert len(shown(board(client))) == 25
    Rank.objects.filter(place__gt=3).delete()
    with django_assert_max_num_queries(12) as few:
        assert len(shown(board(client))) == 3
    assert len(many) == len(few)


def test_somebody_elses_private_target_is_shown_under_the_surveys_name(client, observer):
    ranking = factories.ranking()
    theirs = factories.target("Secret", permissions="PRIVATE")
    taken = factories.sky_object(target=theirs)
    factories.rank(ranking, taken, 1)
    factories.rank(ranking, factories.sky_object(), 2)
    page = board(client)
    assert "Secret" not in page.content.decode()
    assert f"/targets/{theirs.pk}/" not in page.content.decode()
    assert shown(page)[0] == taken.survey_objects.get().object_id
    assert len(shown(page)) == 2
    assert shown(board(client, query="Secret")) == []
    assign_perm("tom_targets.view_target", observer, theirs)
    assert shown(board(client))[0] == "Secret"
    assert shown(board(client, query="ecre")) == ["Secret"]


@pytest.fixture
def three(observer):
    """Three ranked objects: a bright supernova of yesterday across RA 0, a faint AGN, a middling star."""
    ranking = factories.ranking()
    made = []
    for i, (ra, peak, probabilities, first) in enumerate(
        [
            (359.9999, 400_000.0, {"SN": 0.9, "AGN": 0.1}, 0.5),
            (150.0, 8_000.0, {"SN": 0.3, "AGN": 0.7}, 20.0),
            (150.1, 60_000.0, {"SN": 0.1, "VS": 0.9}, 5.0),
        ]
    ):
        sky = factories.sky_object(ra, 2.0, peak=peak, first_mjd=now_mjd() - first)
        factories.classification(sky, probabilities={"bogus": 1.0})  # an earlier word, outdated by the next
        factories.classification(sky, probabilities=probabilities)
        factories.rank(ranking, sky, i + 1, score=0.9 - 0.1 * i)
        made.append(sky)
    return made


@pytest.mark.parametrize(
    ("parameters", "places"),
    [
        ({}, [1, 2, 3]),
        ({"label": "SN"}, [1]),
        ({"label": "SN", "probability": "0.25"}, [1, 2]),
        ({"label": "bogus"}, []),
        ({"probability": "0.8"}, [1, 3]),
        ({"days": "6"}, [1, 3]),
        ({"new": "true"}, [1]),
        ({"query": "0.0001 2.0 2"}, [1]),
        ({"query": "0.0001, 2.0, 0.5"}, []),
        ({"query": "10:00:00 +02:00:00"}, [2]),
        ({"sort": "-place"}, [3, 2, 1]),
        ({"sort": "magnitude"}, [1, 3, 2]),
        ({"sort": "-magnitude"}, [2, 3, 1]),
        ({"sort": "-first"}, [1, 3, 2]),
        ({"sort": "score"}, [3, 2, 1]),
        ({"sort": "nonsense; drop table"}, [1, 2, 3]),
        ({"days": "many", "probability": "x"}, [1, 2, 3]),
    ],
)
def test_filters_and_orders(client, three, parameters, places):
    assert shown(board(client, **parameters)) == [three[p - 1].name for p in places]


def test_the_magnitude_filter_is_that_of_the_latest_detection(client, three):
    rows = board(client).context["rows"]
    cut = rows[2].latest.latest + 0.01
    assert shown(board(client, magnitude=cut)) == [rows[0].name, rows[2].name]


def test_search_by_any_name(client, three):
    member = three[1].survey_objects.get()
    SurveyObject.objects.filter(pk=member.pk).update(names=["SN 2026xyz"])
    assert shown(board(client, query=member.object_id[4:])) == [three[1].name]
    for name in ("2026xyz", "SN 2026xyz", "sn 2026xyz"):
        assert shown(board(client, query=name)) == [three[1].name]
    for name in ("SN 5", "AGNS 5N", "5 5E", "1 2 S", "M 33", "1e999 5", "nan nan"):
        assert board(client, query=name).status_code == 200
    assert "Nothing passes these filters" in board(client, query="nobody").content.decode()


def test_pages(client, observer):
    ranking = factories.ranking()
    for i in range(26):
        factories.rank(ranking, factories.sky_object(ra=float(i), n=1, images=False), i + 1)
    assert len(shown(board(client))) == 25
    assert len(shown(board(client, page=2))) == 1


def test_the_board_opens_on_the_site_of_the_settings_and_others_can_be_chosen(client, observer):
    _, new, other = factories.ranking(), factories.ranking(), factories.ranking("Siding Spring")
    sky = factories.sky_object()
    factories.rank(other, sky)
    assert board(client).context["ranking"] == new
    assert [one for one, _ in board(client).context["by_site"]] == [new, other]
    assert [one for one, _ in board(client).context["by_profile"]] == [new]
    assert shown(board(client, ranking=other.pk)) == [sky.name]
    for absent in (10**6, "9" * 19, "9" * 5000):
        assert client.get(reverse("tom_alerce:board"), {"ranking": absent}).status_code == 404


def test_a_ranking_for_a_supposed_time_is_offered_and_is_nobodys_default(client, observer):
    made = factories.ranking()
    supposed = Ranking.objects.create(site=made.site, night="2030-01-01", now=made.now + 0.2, weights={}, supposed=True)
    page = board(client)
    assert page.context["ranking"] == made
    assert supposed in [one for one, _ in page.context["by_site"]]
    assert board(client, ranking=supposed.pk).context["ranking"] == supposed
    assert "not tonight" in board(client, ranking=supposed.pk).content.decode()


def test_a_site_without_a_ranking_says_so_and_offers_those_of_others(client, observer):
    other = factories.ranking("Siding Spring")
    text = board(client).content.decode()
    assert "No ranking for Cerro Pachon yet" in text
    assert f"?ranking={other.pk}" in text


def test_an_empty_ranking_says_why(client, observer):
    ranking = factories.ranking()
    assert "no object is stored yet" in board(client).content.decode()
    factories.sky_object(images=False)
    SkyObject.objects.update(last_mjd=ranking.now - 45, first_mjd=ranking.now - 50)
    assert "1 object, none seen within RANK_DAYS = 30 (the latest was seen 45 days before)" in board(client).content.decode()
    SkyObject.objects.update(moving=True)
    assert "all of them known to move" in board(client).content.decode()


@pytest.mark.parametrize(("asked", "got"), [("-1", 1), ("0", 1), ("7", 7), ("100000", 30), ("9" * 400, 30), ("many", 25)])
def test_a_page_has_a_sensible_number_of_rows_whatever_is_asked_for(client, observer, asked, got):
    ranking = factories.ranking()
    for i in range(30):
        factories.rank(ranking, factories.sky_object(ra=float(i), n=1, images=False), i + 1)
    assert len(shown(board(client, per_page=asked))) == got


@pytest.mark.parametrize("text", ["1e400 2", "inf 0", "400 2", "10 95", "1 2 3 4 5", "150 2 -5"])
def test_a_position_that_is_none_is_called_so(client, three, text):
    page = board(client, query=text)
    assert page.context["filter"].form.errors["query"]
    assert 'class="alerce-errors"' in page.content.decode()


HOSTILE = '"><script>alert(1)</script>'


def test_hostile_text_is_text(client, observer):
    ranking = factories.ranking(site=HOSTILE)
    sky = factories.sky_object()
    member = sky.survey_objects.get()
    member.object_id, member.names = HOSTILE[:60], [HOSTILE]
    member.save()
    member.detections.update(band='"<')
    factories.classification(sky, HOSTILE, HOSTILE[:16], {HOSTILE: 1.0})
    factories.request(sky, facility=HOSTILE, message=HOSTILE, payload={HOSTILE: HOSTILE})
    factories.rank(ranking, sky, terms={HOSTILE: {"score": 0.5, "weight": 1.0, "reason": HOSTILE}})
    for page in (reverse("tom_alerce:board"), reverse("tom_alerce:object", args=[sky.pk])):
        response = client.get(page, {"query": HOSTILE, "ranking": ranking.pk} if page.endswith("alerce/") else {})
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
    text = board(client, ranking=ranking.pk).content.decode()
    assert "&lt;script&gt;alert(1)" in text


def test_an_object_without_anything_is_shown_too(client, observer):
    sky = SkyObject.objects.create(ra=1.0, dec=2.0, position_err=0.1, healpix=0)
    factories.rank(factories.ranking(), sky, score=0.0, terms={})
    assert shown(board(client)) == [f"sky object {sky.pk}"]
    assert client.get(reverse("tom_alerce:object", args=[sky.pk])).status_code == 200


def test_the_theme_is_kept_in_a_cookie_and_leads_back(client, observer):
    factories.ranking()
    response = client.post(reverse("tom_alerce:theme"), {"theme": "red", "next": "/alerce/?page=1"})
    assert response.url == "/alerce/?page=1"
    assert 'data-theme="red"' in board(client).content.decode()
    assert client.post(reverse("tom_alerce:theme"), {"theme": "red", "next": "https://evil.example/"}).url == reverse("tom_alerce:board")
    client.cookies["alerce_theme"] = HOSTILE
    assert 'data-theme="site"' in board(client).content.decode()


def test_what_waits_is_folded_with_its_date_and_its_reason(client, observer):
    ranking = factories.ranking()
    now, waiting, hidden = (factories.sky_object(ra=10.0 * i, images=False) for i in range(3))
    for i, sky in enumerate((now, hidden, waiting)):
        factories.rank(ranking, sky, i + 1)
    Rank.objects.filter(sky_object__in=[waiting, hidden]).update(vetoed=True, score=0.0)
    better = ranking.now + 3.0
    places = replace(ranking.places, vetoes={"observable": {2: ("never up", None)}, "waiting": {3: ("better <then>", better)}})
    ranking.packed = places.pack()
    ranking.save()
    page = board(client)
    assert shown(page) == [now.name]
    assert "Not tonight (2)" in page.content.decode()
    page = client.get(reverse("tom_alerce:later"), {"ranking": ranking.pk})
    assert [rank.sky_object for rank in page.context["later"]] == [waiting, hidden]
    text = page.content.decode()
    assert "waiting: better &lt;then&gt;" in text
    assert f"{datetime_from_mjd(better):%A} {datetime_from_mjd(better).day} {datetime_from_mjd(better):%b}" in text


def test_the_profile_is_chosen_on_the_board(client, observer):
    sky, other = factories.sky_object(images=False), factories.sky_object(ra=20.0, images=False)
    factories.rank(factories.ranking(), sky)
    peak = factories.ranking()
    factories.rank(peak, other)
    Ranking.objects.filter(pk=peak.pk).update(profile="snia_near_peak")
    page = board(client)
    assert shown(page) == [sky.name]
    assert [name for _, name in page.context["by_profile"]] == ["Any transient", "SN Ia near peak"]
    for parameters in ({"profile": "snia_near_peak"}, {"ranking": peak.pk}):
        assert shown(board(client, **parameters)) == [other.name]
    assert "No ranking" in board(client, profile="<nothing>").content.decode()
