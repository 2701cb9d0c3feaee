"""The replay of this TOM's own nights, and its command."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from followup import profiles
from tests.tom_alerce import factories
from tom_alerce.clock import now
from tom_alerce.models import Classification
from tom_alerce.pipeline import campaign
from tom_alerce.store import said

pytestmark = pytest.mark.django_db
SITE = {"name": "equator", "latitude": 0.0, "longitude": 0.0, "elevation": 0.0}


def run(*args):
    out = StringIO()
    call_command("alerce_replay_campaign", *args, stdout=out)
    return out.getvalue()


def test_only_what_was_said_by_an_evening_is_known():
    sky = factories.sky_object()
    rows = [
        Classification(
            sky_object=sky,
            classifier="stamp",
            version="1",
            evidence=str(i),
            label="SN",
            probability=p,
            probabilities={"SN": p},
            n_detections=1,
        )
        for i, p in enumerate((0.2, 0.9))
    ]
    Classification.objects.bulk_create(rows)
    Classification.objects.filter(evidence="0").update(created=timezone.now() - timedelta(days=5))
    words = said.history([sky.pk])[sky.pk]
    assert [one.probabilities["SN"] for one in words] == [0.2, 0.9]
    assert campaign._said(words, now() - 3.0)["probabilities"] == {"stamp": {"SN": 0.2}}
    assert campaign._said(words, now() + 1.0)["probabilities"] == {"stamp": {"SN": 0.9}}
    assert campaign._said(words, now() - 9.0)["probabilities"] == {}


def test_nights_are_replayed_and_nothing_is_stored():
    for ra in range(0, 360, 30):
        factories.sky_object(ra=float(ra), dec=0.0)
    before = Classification.objects.count()
    found = campaign.past(profiles.shipped()["default"], 10, slots=2, site=SITE)
    assert found.picks
    assert len({pick.key for pick in found.picks}) == len(found.picks) <= 20
    assert {pick.mjd % 1.0 for pick in found.picks} == {0.75}
    assert found.figures["hits_per_slot"] == 0.0  # nobody says of any that it is an SN Ia
    assert Classification.objects.count() == before


def test_the_command_prints_picks_and_figures():
    factories.sky_object(ra=0.0, dec=0.0)
    printed = run("--nights", "3", "--site", "Palomar")
    assert "of 30 slots of 3 nights used" in printed
    shown = json.loads(run("--nights", "3", "--profile", "young_supernovae", "--json"))
    assert shown["profile"] == "young_supernovae"
    assert {"hits_per_slot", "purity", "ratio_to_brightest", "ratio_to_random", "young_per_slot", "picks"} <= set(shown)


def test_a_tom_without_objects_has_nights_without_picks():
    assert json.loads(run("--json"))["picks"] == []


def test_a_profile_that_there_is_not_is_named():
    with pytest.raises(CommandError, match="there is no profile 'nobody'"):
        run("--profile", "nobody")
