"""The page of an object, what can be done on it and by whom, the tab of its target, and the review page."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm
from tom_targets.models import Target

from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce.clock import now as now_mjd
from tom_alerce.dataservices.lasair import LasairDataService
from tom_alerce.models import FollowupRequest, MatchCandidate, Ranking, SkyObject
from tom_alerce.pages.filters import named_or_near
from tom_alerce.store.candidates import candidates

pytestmark = pytest.mark.django_db


def url(name, *args):
    return reverse(f"tom_alerce:{name}", args=args)


def said(response):
    return [str(message) for message in response.wsgi_request._messages]


def test_the_page_has_everything(client, observer):
    sky = factories.sky_object(ra=187.705930, dec=12.391123, surveys=("lsst", "ztf"))
    factories.classification(sky, probabilities={"SN": 0.4, "AGN": 0.6})
    factories.classification(sky, "lc_classifier", "alerce", {"SNIa": 0.62, "SNII": 0.38})
    factories.classification(sky, probabilities={"SN": 0.9, "AGN": 0.1})
    factories.request(sky, message="valid")
    factories.rank(factories.ranking(), sky, 3)
    response = client.get(url("object", sky.pk))
    text = response.content.decode()
    for part in (
        "12:30:49.42 +12:23:28.0",
        "187.705930 +12.391123",
        "place 3 at Cerro Pachon",
        "Over time (3)",
        "alerce lc_classifier",
        "validated, not sent",
        "https://alerce.online/object/ZTF26a",
        "https://lasair.lsst.ac.uk/objects/17002852651368",
        "&quot;exposure_time&quot;: 120",
    ):
        assert part in text, part
    assert set(response.context["figures"]) == {"flux", "difference", "total"}
    assert text.count("/alerce/stamps/") == 4
    assert "https://cdn" not in text.split('<div class="alerce"')[1], "nothing of ours comes from elsewhere"


def test_a_label_without_a_probability_is_shown_as_such(client, observer):
    sky = factories.sky_object(images=False)
    factories.classification(sky, "sherlock", "lasair", label="SN", probability=0.0, probabilities={"SN": None, "AGN": None, "VS": 0.2})
    factories.rank(factories.ranking(), sky)
    for page in (url("board"), url("object", sky.pk)):
        assert "SN <b>–</b>" in client.get(page).content.decode()


def test_the_number_of_queries_is_bounded(client, observer, django_assert_max_num_queries):
    sky = factories.sky_object(surveys=("lsst", "ztf", "atlas"), n=20)
    for _ in range(10):
        factories.classification(sky)
        factories.request(sky)
        factories.candidate(factories.sky_object().survey_objects.get(), sky)
    factories.rank(factories.ranking(), sky)
    with django_assert_max_num_queries(33):
        assert client.get(url("object", sky.pk)).status_code == 200


def test_an_object_of_a_private_target_is_looked_at_and_not_changed(client, observer):
    target = factories.target("Secret", permissions="PRIVATE")
    sky = factories.sky_object(surveys=("ztf", "lsst"), target=target)
    factories.request(sky, message="for our proposal")
    member, other = sky.survey_objects.first(), factories.sky_object(images=False)
    page = client.get(url("object", sky.pk))
    text = page.content.decode()
    assert page.status_code == 200
    for secret in ("Secret", "for our proposal", f"/targets/{target.pk}/", "Make it a target", "Unlink"):
        assert secret not in text
    for action, pk, data in (
        ("promote", sky.pk, {}),
        ("place", sky.pk, {}),
        ("dry-run", sky.pk, {}),
        ("link", sky.pk, {"name": str(other.survey_objects.get())}),
        ("link", other.pk, {"name": str(member)}),
        ("unlink", member.pk, {}),
    ):
        assert "it is a target of others" in refused(client.post(url(action, pk), data))
    assert sky.survey_objects.count() == 2
    assert FollowupRequest.objects.count() == 1


def test_a_private_target_that_is_deleted_leaves_what_the_survey_saw_and_no_requests(client, observer):
    """The object is everybody's, as before it was promoted; what its owner asked for stays the owner's."""
    owner = factories.user("owner")
    sky = factories.sky_object(target=factories.target("Secret", permissions="PRIVATE"))
    factories.request(sky, message="for our proposal", user=owner)
    sky.target.delete()
    page = client.get(url("object", sky.pk))
    assert page.status_code == 200
    assert "Secret" not in page.content.decode()
    assert "for our proposal" not in page.content.decode()
    client.post(url("promote", sky.pk))
    assert "for our proposal" not in client.get(url("object", sky.pk)).content.decode(), "another target is not the one it was for"
    client.force_login(owner)
    SkyObject.objects.update(target=None)
    assert "for our proposal" in client.get(url("object", sky.pk)).content.decode()


ACTIONS = ("promote", "place", "dry-run", "link", "unlink", "accept", "dismiss", "host", "host-undo")


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_a_post_with_a_token_by_somebody_who_is_logged_in(observer, action):
    stranger, careless = Client(), Client(enforce_csrf_checks=True)
    careless.force_login(observer)
    assert stranger.post(url(action, 1)).url.startswith("/accounts/login/")
    # the toolkit turns a refused token into a visit to the log-in page
    assert careless.post(url(action, 1)).url.startswith("/accounts/login/")
    careless.handler.enforce_csrf_checks = False
    assert careless.get(url(action, 1)).status_code == 405


def test_who_may_not_change_the_target_may_not_change_its_objects(client, observer):
    target = factories.target()
    sky = factories.sky_object(surveys=("lsst", "ztf"), target=target)
    member = sky.survey_objects.first()
    near = factories.candidate(factories.sky_object().survey_objects.get(), sky)
    attempts = [("unlink", member.pk), ("promote", sky.pk), ("dry-run", sky.pk), ("accept", near.pk), ("dismiss", near.pk)]
    text = client.get(url("object", sky.pk)).content.decode()
    assert "Unlink" not in text
    assert "may change both targets decide" in text
    for action, pk in attempts:
        assert "it is a target of others" in refused(client.post(url(action, pk)))
    assert sky.survey_objects.count() == 2
    assert not MatchCandidate.objects.get().decided
    assign_perm("tom_targets.change_target", observer, target)
    for action, pk in [("unlink", member.pk), ("dismiss", near.pk)]:
        assert client.post(url(action, pk)).status_code == 302
    assert sky.survey_objects.count() == 1
    assert MatchCandidate.objects.get(pk=near.pk).decided_by == observer


def test_promote_makes_a_target_once(client, observer):
    sky = factories.sky_object(images=False)
    for _ in range(2):
        response = client.post(url("promote", sky.pk))
        assert response.url == url("object", sky.pk)
    sky.refresh_from_db()
    assert Target.objects.get().pk == sky.target_id
    assert observer.has_perm("tom_targets.change_target", sky.target)
    assert f"{sky.target.name} is a target now." in said(response)


@pytest.mark.parametrize("copies", [1, 2])
def test_a_private_target_at_the_place_is_neither_named_nor_taken(client, observer, copies):
    for i in range(copies):
        factories.target(f"a secret {i}", permissions="PRIVATE")
    sky = factories.sky_object(images=False)
    (message,) = said(client.post(url("promote", sky.pk)))
    sky.refresh_from_db()
    assert sky.target is None
    assert message.startswith("Not done")
    assert "secret" not in message


def test_a_name_that_no_database_holds_is_no_object(client, observer):
    (message,) = said(client.post(url("link", factories.sky_object(images=False).pk), {"name": "ZTF\x00"}))
    assert message.startswith("Not done")


def test_link_and_unlink(client, observer):
    here, there = factories.sky_object(images=False), factories.sky_object(ra=150.0003, surveys=("lsst",), images=False)
    member = there.survey_objects.get()
    response = client.post(url("link", here.pk), {"name": f" LSST {member.object_id} "})
    assert response.url == url("object", here.pk)
    member.refresh_from_db()
    assert (member.sky_object, member.method, member.decided_by) == (here, "person", observer)
    assert not SkyObject.objects.filter(pk=there.pk).exists()
    client.post(url("unlink", member.pk))
    member.refresh_from_db()
    assert member.sky_object != here
    response = client.post(url("unlink", member.pk))
    assert "only member" in said(response)[-1]


def test_a_number_of_atlas_is_none_of_rubin(client, observer):
    """Both have nineteen digits: brokers would be asked for an object of Rubin."""
    sky, other = factories.sky_object(surveys=("atlas",), images=False), factories.sky_object(surveys=("lsst",), images=False)
    member = sky.survey_objects.get()
    member.object_id = "1174449111242733568"
    member.save()
    assert str(member) == "ATLAS 1174449111242733568"
    for text in (str(member), member.object_id, "atlas  1174449111242733568"):
        assert list(named_or_near(SkyObject.objects.all(), text, observer)) == [sky]
    client.post(url("promote", sky.pk))
    sky.refresh_from_db()
    assert LasairDataService().build_query_parameters_from_target(sky.target)["ids"]["lsst"] == []
    client.post(url("link", other.pk), {"name": str(member)})
    assert other.survey_objects.count() == 2


def test_what_is_refused_leads_back_to_where_it_was_asked(client, observer):
    sky = factories.sky_object(images=False)
    here = f"http://testserver{url('object', sky.pk)}"
    for referer, expected in ((here, here), ("https://evil.example/", url("board")), ("", url("board"))):
        assert client.post(url("link", sky.pk), {"name": "ZTF99none"}, headers={"Referer": referer}).url == expected


def test_a_name_that_nobody_has_cannot_be_linked(client, observer):
    sky = factories.sky_object(images=False)
    assert said(client.post(url("link", sky.pk), {"name": "nobody"})) == ["Not done: no survey has an object 'nobody' here"]


def test_an_ambiguous_match_is_decided(client, observer):
    sky, other = factories.sky_object(images=False), factories.sky_object(ra=150.0003, surveys=("lsst",), images=False)
    candidate = factories.candidate(other.survey_objects.get(), sky)
    assert "Same source" in client.get(url("object", sky.pk)).content.decode()
    assert "Same source" in client.get(url("object", other.pk)).content.decode()
    response = client.post(url("accept", candidate.pk), {"next": url("review")})
    assert response.url == url("review")
    assert sky.survey_objects.count() == 2
    assert client.post(url("accept", candidate.pk)).status_code == 404, "it is decided"


def test_a_match_with_somebody_elses_target_is_shown_by_the_surveys_name_and_not_decided(client, observer):
    sky = factories.sky_object()
    taken = factories.sky_object(target=factories.target("Secret", permissions="PRIVATE"), images=False)
    candidate = factories.candidate(sky.survey_objects.get(), taken)
    for page in (url("object", sky.pk), url("review")):
        text = client.get(page).content.decode()
        assert "Secret" not in text
        assert taken.survey_objects.get().object_id in text
        assert "may change both targets decide" in text
    assert "it is a target of others" in refused(client.post(url("accept", candidate.pk)))
    assert not MatchCandidate.objects.get().decided


def test_a_dry_run_says_what_became_of_it_and_makes_no_ranking(client, observer, settings):
    evening = 15.0 * (20.0 - (now_mjd() % 1.0) * 24.0)  # where the Sun has just set, whenever the test runs
    settings.TOM_ALERCE = {
        "SITE": {"name": "Here", "latitude": 30.0, "longitude": (evening + 180.0) % 360.0 - 180.0, "elevation": 0.0},
        "LIMITS": {"moon_separation": 0.0, "max_airmass": 2.9},
        "FACILITY": {"name": "lco", "proposal": "TEST2026"},
    }
    settings.FACILITIES = {"LCO": {"portal_url": "http://127.0.0.1:9", "api_key": ""}}
    bright = {"peak": 2e6, "images": False}
    up, down = (factories.sky_object(dec=dec, rng=np.random.default_rng(1), **bright) for dec in (80.0, -80.0))
    response = client.post(url("dry-run", down.pk))
    assert "cannot be requested for tonight" in said(response)[0]
    assert not FollowupRequest.objects.exists()
    response = client.post(url("dry-run", up.pk))
    (row,) = FollowupRequest.objects.all()
    assert (row.sky_object, row.user, row.state) == (up, observer, "draft"), row.message
    assert said(response)[-1].startswith("Dry run for LCO, nothing was sent.")
    assert not Ranking.objects.exists()
    text = client.get(url("object", up.pk)).content.decode()
    assert row.message in text


def test_the_tab_of_a_target(client, observer):
    target = factories.target("SN 2026abc")
    page = client.get(reverse("targets:detail", args=[target.pk]))
    assert page.content.decode().count(f'hx-get="{url("target", target.pk)}"') == 1
    assert "No alert stream" in client.get(url("target", target.pk)).content.decode()
    skies = [factories.sky_object(surveys=s, target=target) for s in (("ztf", "lsst"), ("atlas",))]
    factories.rank(factories.ranking(), skies[0])
    text = client.get(url("target", target.pk)).content.decode()
    for sky in skies:
        assert url("object", sky.pk) in text
    assert text.count("light-curve large") == 2
    private = factories.target("Secret", permissions="PRIVATE")
    assert client.get(url("target", private.pk)).status_code == 404


def test_the_navigation_bar_leads_to_the_board(client, observer):
    assert f'href="{url("board")}"' in client.get("/").content.decode()


def test_review_shows_dead_letters_to_the_staff_alone(client, observer):
    factories.dead_letter(reason="<b>truncated</b>")
    assert "truncated" not in client.get(url("review")).content.decode()
    observer.is_staff = True
    observer.save()
    assert "&lt;b&gt;truncated" in client.get(url("review")).content.decode()


def test_review_is_paged_and_of_few_queries(client, observer, django_assert_max_num_queries):
    observer.is_staff = True
    observer.save()
    for _ in range(30):
        factories.dead_letter()
        factories.candidate(factories.sky_object(n=1, images=False).survey_objects.get(), factories.sky_object(n=1, images=False))
    with django_assert_max_num_queries(16):
        first = client.get(url("review"))
    assert len(first.context["page_obj"]) == 25
    assert len(first.context["letters"]) == 25
    assert len(client.get(url("review"), {"page": 2, "letters": 2}).context["page_obj"]) == 5


def test_the_page_tells_how_odd_it_is_and_what_comes(client, observer):
    sky = factories.sky_object()
    now = now_mjd()
    family = {"flux": [[9e4, 1e5, 1.1e5]] * 2, "peak_mjd": [now + 1, now + 2, now + 4], "peak_mag": [18.7, 18.8, 18.9]}
    details = {"oddness": 0.973, "forecast": {"mjd": [now - 1, now + 13], "families": {"r": family}}}
    factories.classification(sky, "lightcurve", probabilities={"SNIa": 0.9, "SNII": 0.1}, details=details)
    response = client.get(url("object", sky.pk))
    text = " ".join(response.content.decode().split())
    assert "Odder than <b>97&thinsp;%</b> of its kind" in text
    assert '<b>18.9</b> <span class="quiet">18.8 to 19.0</span>' in text
    assert "± 1.5 d" in text
    assert any(trace["name"] == "r forecast" for trace in response.context["figures"]["flux"]["data"])
    (candidate,) = candidates(SkyObject.objects.all())
    assert candidate.oddness == 0.973


def test_a_page_without_a_forecast_has_no_place_for_it(client, observer):
    sky = factories.sky_object()
    factories.classification(sky)
    text = client.get(url("object", sky.pk)).content.decode()
    assert "Odder than" not in text
    assert 'id="forecast"' not in text


def test_a_target_that_is_off_is_offered_the_best_place(client, observer):
    observer.is_superuser = True
    observer.save()
    sky = factories.sky_object(ra=150.0, dec=2.0, target=factories.target(ra=150.0, dec=2.0 + 0.7 / 3600))
    page = client.get(url("object", sky.pk)).content.decode()
    assert "Target is 0.7″ off" in page
    client.post(url("place", sky.pk))
    sky.target.refresh_from_db()
    assert (sky.target.ra, sky.target.dec) == (150.0, 2.0)
    assert "off: take the best place" not in client.get(url("object", sky.pk)).content.decode()
