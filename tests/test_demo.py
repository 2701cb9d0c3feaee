"""The demo's command: the whole chain in a fresh database, twice, and never in somebody's own."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from tom_alerce import models
from tom_alerce.requests import worth

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(tmp_path, settings):
    """Runs the command on a small sky, without classifiers, and returns what it printed."""
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "CLASSIFIERS": ()}
    settings.FACILITIES = {**settings.FACILITIES, "Fake": {"folder": str(tmp_path / "portal")}}

    def run():
        out = StringIO()
        call_command("alerce_demo", sources=14, seed=3, data=tmp_path, stdout=out)
        return out.getvalue()

    return run


def test_the_whole_chain_goes_through_and_a_second_run_adds_nothing(demo):
    from tom_targets.models import Target

    said = demo()
    assert "Log in as demo with the password" in said
    assert get_user_model().objects.get(username="demo").is_superuser
    assert models.DeadLetter.objects.count() >= 10
    several = [s for s in models.SkyObject.objects.all() if len(set(s.survey_objects.values_list("survey", flat=True))) == 3]
    assert several
    assert models.Rank.objects.exists()
    assert models.FollowupRequest.objects.exists()
    assert set(models.FollowupRequest.objects.values_list("facility", "state")) == {("Fake", "observed"), ("Fake", "scheduled")}
    assert [one.truth for one in worth.outcomes(models.FollowupRequest.objects.all()) if one.observed] == ["SN Ia"]
    assert "This observation is valid with a duration of" in said
    found = {t.name.rsplit(" ", 1)[-1] for t in Target.objects.filter(sky_objects__isnull=False)}
    assert {"alias", "position"} <= found
    assert "round 1: it was observed, and is again 3 d later; round 2 from" in models.Series.objects.get().message
    tables = (models.SkyObject, models.SurveyObject, models.Detection, models.DeadLetter, models.FollowupRequest, models.Series)
    before = [table.objects.count() for table in tables]
    again = demo()
    assert "password that was printed" in again
    assert [table.objects.count() for table in tables] == before


def test_a_classifier_that_fails_fails_the_demo_but_not_the_ranking(demo, settings):
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "CLASSIFIERS": ("no.such.classifier",)}
    with pytest.raises(CommandError, match=r"not everything was classified.*no\.such\.classifier"):
        demo()
    assert models.Rank.objects.exists()


def test_a_database_in_use_is_refused(demo):
    from tom_targets.models import Target

    Target.objects.create(name="mine", type="SIDEREAL", ra=1.0, dec=1.0)
    with pytest.raises(CommandError, match="in use"):
        demo()
    assert not get_user_model().objects.filter(username="demo").exists()


def test_requests_stay_drafts_where_lcos_portal_does_not_answer(demo, settings):
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "FACILITY": {"name": "lco", "proposal": "DEMO"}}
    settings.FACILITIES = {"LCO": {"portal_url": "http://127.0.0.1:9", "archive_url": "http://127.0.0.1:9", "api_key": "x"}}
    assert "drafted and pass our own check" in demo()
    assert set(models.FollowupRequest.objects.values_list("facility", "state")) == {("LCO", "draft")}


def test_a_night_that_is_long_past_is_said_to_be(demo, tmp_path):
    demo()
    (tmp_path / "night" / "now.txt").write_text("60000.0")
    assert "days old" in demo()
