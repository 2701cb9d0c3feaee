"""The page of the night plan, its files and its requests."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from django.urls import reverse
from requests import ConnectionError
from tom_observations.models import ObservationRecord

from followup import profiles
from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import FollowupRequest
from tom_alerce.pages import exports
from tom_alerce.store import profiles as store

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings):
    """A site where the Sun has just set, and a facility that needs no network."""
    evening = 15.0 * (20.0 - (now_mjd() % 1.0) * 24.0)
    settings.TARGET_DEFAULT_PERMISSION = "PRIVATE"
    settings.TOM_ALERCE = {
        "SITE": {"name": "Here", "latitude": 30.0, "longitude": (evening + 180.0) % 360.0 - 180.0, "elevation": 0.0},
        "LIMITS": {"moon_separation": 0.0, "max_airmass": 2.9},
        "FACILITY": {"name": "fake", "threshold": 0.0},
    }
    return settings


@pytest.fixture
def skies(observer, site):
    ranking = factories.ranking("Here")
    made = [
        factories.sky_object(ra=30.0 * i, dec=80.0, surveys=("ztf",), peak=2e6, images=False, rng=np.random.default_rng(i))
        for i in range(5)
    ]
    for i, sky in enumerate(made):
        factories.rank(ranking, sky, i + 1)
        factories.classification(sky)
    return made


def page(client, **parameters):
    response = client.get(reverse("tom_alerce:night"), parameters)
    assert response.status_code == 200
    return response


def planned(response):
    return [line.key for line, _ in response.context["chosen"]]


def test_without_a_ranking_it_says_which_command_makes_one(client, observer, site):
    assert "manage.py alerce_rank" in page(client).content.decode()


def test_a_stranger_is_sent_to_the_log_in(client):
    for name in ("night", "night-table", "night-calendar"):
        assert client.get(reverse(f"tom_alerce:{name}")).status_code == 302


def test_the_plan_has_every_object_once_with_what_it_costs(client, skies):
    response = page(client)
    assert set(planned(response)) == {sky.pk for sky in skies}
    text = response.content.decode()
    assert text.count('class="block"') == 5
    assert "Here, CAMERA" in text
    assert text.count("Plan without") == 5
    lines = [line for line, _ in response.context["chosen"]]
    assert all(one.end <= two.start for one, two in pairwise(lines))
    assert all(1.0 <= line.airmass <= 3.0 and line.visible_until >= line.end for line in lines)


def test_a_choice_costs_and_is_shown(client, skies):
    free = page(client, most=2)
    assert len(planned(free)) == 2
    out = planned(free)[0]
    changed = page(client, most=2, without=out)
    assert out not in planned(changed)
    assert "left out by hand" in changed.content.decode()
    assert changed.context["changed"]["loss"] >= 0.0
    assert [sky.pk for sky in changed.context["changed"]["out"]] == [out]
    missing = next(sky.pk for sky in skies if sky.pk not in planned(free))
    forced = page(client, **{"most": 2, "with": missing})
    assert missing in planned(forced)
    assert "Back to the free plan" in forced.content.decode()
    again = client.get(reverse("tom_alerce:night") + "?" + changed.context["changed"]["free"])
    assert planned(again) == planned(free)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"hours": "-1"}, "hours: "),
        ({"most": "1e9"}, "most: "),
        ({"at": "nan"}, "at: "),
        ({"at": "1"}, "days before and after"),
        ({"site": "Nowhere"}, "site: "),
        ({"site": ["Lick", "Palomar", "Teide", "Paranal", "La Silla"]}, "at most 4 sites"),
        ({"instrument": "<script>"}, "instrument: "),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_field(client, skies, parameters, reason):
    text = page(client, **parameters).content.decode()
    assert reason in text
    assert "<script>" not in text.split('id="messages"')[-1].split('role="alert"')[-1].split("</section>")[0]
    for name in ("night-table", "night-calendar"):
        answer = client.get(reverse(f"tom_alerce:{name}"), parameters)
        assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.parametrize("parameters", [{"with": "9" * 30}, {"with": "x"}, {"without": "-1"}, {"with": "999999"}])
def test_keys_of_nothing_change_nothing(client, skies, parameters):
    assert len(planned(page(client, **parameters))) == 5


def test_files_are_of_the_plan_that_the_page_shows(client, skies):
    response = page(client)
    query = response.context["query"]
    rows = list(csv.DictReader(io.StringIO(client.get(reverse("tom_alerce:night-table") + "?" + query).content.decode())))
    assert tuple(rows[0]) == exports.COLUMNS
    assert [row["object"] for row in rows] == [line.name for line, _ in response.context["chosen"]]
    answer = client.get(reverse("tom_alerce:night-calendar") + "?" + query)
    assert re.fullmatch(r'attachment; filename="alerce-night-\d{4}-\d\d-\d\d\.ics"', answer.headers["Content-Disposition"])
    text = answer.content.decode()
    assert text.count("BEGIN:VEVENT") == text.count("END:VEVENT") == 5
    starts = re.findall(r"DTSTART:(\d{8}T\d{6}Z)", text)
    assert starts == [row["begin_utc"].replace("-", "").replace(":", "") for row in rows]


def test_a_private_targets_name_is_in_no_file_of_others(client, skies):
    skies[0].target = factories.target("Secret", permissions="PRIVATE")
    skies[0].save()
    text = page(client).content.decode()
    query = page(client).context["query"]
    for name in ("night-table", "night-calendar"):
        text += client.get(reverse(f"tom_alerce:{name}") + "?" + query).content.decode()
    assert "Secret" not in text
    assert skies[0].survey_objects.get().object_id in text


def test_requests_for_all_are_checked_and_shown_with_their_verdicts(client, skies, observer):
    response = page(client, most=3)
    address = reverse("tom_alerce:night-requests") + "?" + response.context["query"]
    assert client.get(address).status_code == 405
    answer = client.post(address)
    rows = FollowupRequest.objects.all()
    assert answer.url.partition("?")[0] == reverse("tom_alerce:bulk")
    assert {row.sky_object_id for row in rows} == set(planned(response))
    assert {(row.state, row.user) for row in rows} == {("validated", observer)}
    assert not ObservationRecord.objects.exists()
    shown = client.get(answer.url)
    assert {row.pk for row in shown.context["requests"]} == {row.pk for row in rows}
    assert all(row.verdicts for row in shown.context["requests"])


def test_one_object_of_others_ends_no_other_request_and_is_not_named(client, skies):
    skies[0].target = factories.target("Secret", permissions="PRIVATE")
    skies[0].save()
    answer = client.post(reverse("tom_alerce:night-requests"))
    (said,) = [str(m) for m in answer.wsgi_request._messages]
    assert said.startswith(f"{skies[0].survey_objects.get().object_id}: it is a target of others")
    assert FollowupRequest.objects.count() == 4


def test_a_silent_portal_is_asked_once_and_the_rest_are_drafts(client, skies, observer, monkeypatch):
    def silent(self, *args, **options):
        asked.append(1)
        raise ConnectionError

    asked = []
    monkeypatch.setattr("demo.facility.FakeFacility.create_form_instance", silent)
    answer = client.post(reverse("tom_alerce:night-requests"))
    assert len(asked) == 1
    assert {row.state for row in FollowupRequest.objects.all()} == {"draft"}
    monkeypatch.undo()
    keys = [str(row.pk) for row in FollowupRequest.objects.all()]
    client.post(reverse("tom_alerce:bulk-confirm"), {"do": "check", "pk": keys})
    assert {row.state for row in FollowupRequest.objects.all()} == {"validated"}
    assert answer.status_code == 302


def test_a_plan_that_cannot_be_made_makes_no_request(client, skies):
    answer = client.post(reverse("tom_alerce:night-requests") + "?hours=-1")
    assert answer.url.startswith(reverse("tom_alerce:night"))
    assert "hours: " in [str(m) for m in answer.wsgi_request._messages][-1]
    client.post(reverse("tom_alerce:night-requests") + "?" + "&".join(f"without={sky.pk}" for sky in skies))
    assert not FollowupRequest.objects.exists()


def test_without_the_role_request_nothing_is_drafted(client, skies, site):
    client.force_login(factories.user("guest"))
    assert "Draft requests" not in page(client).content.decode()
    answer = client.post(reverse("tom_alerce:night-requests"))
    assert "the role 'request'" in refused(answer)
    assert not FollowupRequest.objects.exists()


def line(**changed):
    values = {
        "number": 1, "key": 7, "name": "SN 2026abc", "site": "Here", "instrument": "CAMERA", "ra": 150.0, "dec": -2.0, "start": 61000.25,
        "end": 61000.2625, "visible_until": 61000.4, "exposures": "g 2 × 30 s, r 1 × 60 s", "airmass": 1.234, "moon": 61.2, "value": 0.5,
        "price": 0.1, "address": "https://tom.example.org/alerce/objects/7/",
    }  # fmt: skip
    return exports.Line(**values | changed)


def test_a_calendar_escapes_what_is_no_text_of_its_own():
    nasty = 'A;B,C\\D\r\nEND:VEVENT\r\nX: "é' + "ö" * 80
    text = exports.calendar([line(name=nasty, start=61000.25)], 61000.0, "tom.example.org")
    assert all(len(row.encode()) <= 75 for row in text.split("\r\n"))
    assert text.endswith("END:VCALENDAR\r\n")
    rows = text.replace("\r\n ", "").split("\r\n")
    assert rows.count("END:VEVENT") == 1
    (summary,) = (row for row in rows if row.startswith("SUMMARY:"))
    assert summary.startswith('SUMMARY:1. A\\;B\\,C\\\\D\\nEND:VEVENT\\nX: "é')
    assert "DTSTART:20251121T060000Z" in rows
    assert "DTEND:20251121T061800Z" in rows


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)"])
def test_a_table_has_no_formula(name):
    (row,) = csv.DictReader(io.StringIO(exports.table([line(name=name)])))
    assert row["object"] == f"'{name}"
    assert row["dec_deg"] == "-2.000000"


def test_the_budget_of_a_profile_limits_its_plan(client, skies):
    store.save(replace(profiles.shipped()["default"], budget=profiles.Budget(slots=2)), factories.user("boss"))
    assert len(planned(page(client, profile="default"))) == 2
    assert len(planned(page(client, most=1))) == 1
    assert (
        "profile: " in page(client, profile="<nothing>").content.decode()
        or "No ranking" in page(client, profile="<nothing>").content.decode()
    )
