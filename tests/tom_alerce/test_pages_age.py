"""Age and count on board, object page and endpoints: those of the whole life, with since when it is here."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from broker_adapters.lifetime import day
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd

pytestmark = pytest.mark.django_db


def old(**fields):
    """An object that is here since 1.7 days and was seen 1,805 days ago, 112 times in all."""
    now = now_mjd()
    sky = factories.sky_object(first_mjd=now - 1.7, survey_first_mjd=now - 1805.0, survey_n_detections=112, n=2, **fields)
    sky.survey_objects.update(
        first_mjd=now - 1.7, survey_first_mjd=now - 1805.0, survey_n_detections=112, survey_n_images=906,
        survey_doubts={"in the future": 88000.0},
    )  # fmt: skip
    return sky


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(response.content.decode())))


def names(client, **parameters):
    response = client.get(reverse("tom_alerce:board"), parameters)
    return [row.sky.pk for row in response.context["rows"]]


def test_board_and_page_give_the_whole_life_and_since_when_it_is_here(client, observer):
    sky = old()
    rank = factories.rank(factories.ranking(), sky)
    life = f"first seen {day(now_mjd() - 1805.0)}, 112 times; here since 1.7 d"
    assert "4.9 yr old, 112 times" in text_of(client.get(reverse("tom_alerce:board")))
    assert life in text_of(client.get(reverse("tom_alerce:rank-more", args=[rank.pk])))
    page = text_of(client.get(reverse("tom_alerce:object", args=[sky.pk])))
    for part in (life, "of 112 in 906 images", "not believed: 2099-10-24 is in the future"):
        assert part in page


def test_an_object_of_which_all_is_here_says_so_once(client, observer):
    sky = factories.sky_object(n=1, first_mjd=now_mjd() - 1.7)
    page = text_of(client.get(reverse("tom_alerce:object", args=[sky.pk])))
    assert f"first seen {day(now_mjd() - 1.7)}, once (1.7 d ago)" in page
    assert "not believed" not in page
    assert "here since" not in page


def test_filters_flag_and_order_of_the_board_go_by_the_whole_life(client, observer):
    now, ranking = now_mjd(), factories.ranking()
    fresh = factories.sky_object(first_mjd=now - 0.5)
    older = factories.sky_object(first_mjd=now - 5.0)
    risen = factories.sky_object(first_mjd=now - 0.4, survey_first_mjd=now - 1805.0, survey_n_detections=112)
    for sky in (fresh, older, risen):
        factories.rank(ranking, sky)
    assert names(client, new="true") == [fresh.pk]
    assert names(client, days="10") == [fresh.pk, older.pk]
    assert names(client, days="2000") == [fresh.pk, older.pk, risen.pk]
    assert names(client, sort="-first") == [fresh.pk, older.pk, risen.pk]
    assert names(client, sort="first") == [risen.pk, older.pk, fresh.pk]
    assert client.get(reverse("tom_alerce:board")).content.decode().count(">new</span>") == 1


def test_endpoints_give_both_under_clear_names(client, observer):
    sky = old()
    (answer,) = client.get(reverse("api:alerce-objects-list")).json()["results"]
    (member,) = answer["survey_objects"]
    for one in (answer, member):
        assert (one["n_detections"], one["n_seen"]) == (2, 112)
        assert one["first_mjd"] - one["first_seen_mjd"] == pytest.approx(1803.3)
    assert answer["id"] == str(sky.pk)
    assert (member["survey_n_images"], member["doubts"]) == (906, ["2099-10-24 is in the future"])


def test_a_forecast_of_an_old_object_is_told_to_be_doubtful(client, observer):
    now = now_mjd()
    family = {"flux": [[10.0, 20.0, 30.0]] * 2, "peak_mjd": [now, now + 1, now + 2], "peak_mag": [18.0, 18.5, 19.0]}
    details = {"forecast": {"mjd": [now - 1, now + 13], "families": {"r": family}}}
    pages = []
    for sky in (old(), factories.sky_object(first_mjd=now - 1.7)):
        factories.classification(sky, "lightcurve", probabilities={"SNIa": 1.0}, details=details)
        pages.append(text_of(client.get(reverse("tom_alerce:object", args=[sky.pk]))))
    assert f"doubtful First seen {day(now - 1805.0)}, long before the measurements here" in pages[0]
    assert "68 %" in pages[1].replace("\u2009", " ")
    assert "doubtful" not in pages[1]
