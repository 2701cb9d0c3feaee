"""Rankings by profile, what is vetoed in them, and how objects are read for them."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from followup.batch import Batch
from followup.profiles import shipped
from followup.records import Candidate, FollowupError
from tests.followup.build import outlook
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Mark, Outlook, Rank, Ranking, SkyObject
from tom_alerce.pipeline import rank
from tom_alerce.store import lightcurves, marks, outlooks, rankings
from tom_alerce.store.candidates import candidates

#: A site at which the south celestial pole is up all night.
SOUTH = {"name": "South", "latitude": -45.0, "longitude": 0.0}

pytestmark = pytest.mark.django_db


@pytest.fixture
def skies(db):
    made = [factories.sky_object(ra=20.0 * i, dec=-30.0, surveys=("ztf", "atlas")[: 1 + i % 2], images=False) for i in range(6)]
    for i, sky in enumerate(made):
        sky.evidence = f"{i:064d}"
        sky.save()
    return made


def everybody():
    return SkyObject.objects.all()


def test_a_ranking_knows_its_profile_and_each_profile_has_a_current_one(skies):
    default, young = rank.rank().row, rank.rank(profile="young_supernovae").row
    assert (default.profile, young.profile) == ("default", "young_supernovae")
    assert young.version == shipped()["young_supernovae"].version
    assert set(young.weights) == set(shipped()["young_supernovae"].merits)
    assert rankings.current() == default
    assert rankings.current(profile="young_supernovae") == young
    assert rankings.current(profile="anomalies") is None
    assert rankings.offered()[:2] == [default, young]
    with pytest.raises(FollowupError, match="no profile 'nonsense'"):
        rank.rank(profile="nonsense")


def test_several_profiles_and_sites_read_the_objects_once(skies, django_assert_max_num_queries):
    with django_assert_max_num_queries(100):
        made = rank.several(["default", "snia_near_peak"], ["Paranal", "Siding Spring"])
    assert [(one.row.profile, one.row.site) for one in made] == [
        ("default", "Paranal"),
        ("default", "Siding Spring"),
        ("snia_near_peak", "Paranal"),
        ("snia_near_peak", "Siding Spring"),
    ]
    assert made[0].candidates is made[1].candidates


def test_what_is_vetoed_is_stored_last_with_reason_and_date(skies):
    ada = factories.user("ada")
    for sky in skies:
        sky.ra, sky.dec = 0.0, -89.0  # up all night
        sky.save()
    marks.add(skies[0], "veto", ada, "a star")
    snoozed = marks.add(skies[1], "snooze", ada)
    row = rank.rank(SOUTH).row
    ranks = {one.sky_object_id: one for one in rankings.ranks(row)}
    never, later = ranks[skies[0].pk], ranks[skies[1].pk]
    assert never.vetoed
    assert never.vetoes["person"] == {"reason": "vetoed by ada: a star", "until": None}
    assert later.vetoes["person"]["until"] == pytest.approx(marks.of([skies[1].pk], now_mjd())[skies[1].pk][0].until)
    assert not any(one.vetoes.get("person") for key, one in ranks.items() if key not in (skies[0].pk, skies[1].pk))
    assert {one.score for one in ranks.values() if one.vetoed} == {0.0}
    assert Mark.objects.get(pk=snoozed.pk).kind == "snooze"


def test_room_is_kept_for_what_may_be_observed_later(skies, settings):
    settings.TOM_ALERCE = {"RANK_LIMIT": 5}
    ada = factories.user("ada")
    for sky in skies:
        sky.ra, sky.dec = 0.0, -89.0
        sky.save()
    for sky in skies[:3]:
        marks.add(sky, "veto", ada, "a star")
    marks.add(skies[3], "snooze", ada)
    people = replace(shipped()["default"], vetoes={"person": {}})
    stored = list(rankings.ranks(rank.rank(SOUTH, profile=people).row))
    assert len(stored) == 5
    assert [one.vetoed for one in stored] == [False, False, True, True, True]
    assert skies[3].pk in {one.sky_object_id for one in stored}


def test_candidates_are_read_as_they_are(skies):
    batch = candidates(everybody())
    now = now_mjd()
    states = batch.at(now)
    for i, one in enumerate(batch):
        members = [m.pk for m in SkyObject.objects.get(pk=int(one.key)).survey_objects.all()]
        rows = lightcurves.merged(lightcurves.split(lightcurves.read(members)), members)
        assert one.detections.tobytes() == rows.tobytes()
        alone = Candidate(one.key, one.name, one.ra, one.dec, rows).history(now)
        assert alone is not None
        assert repr(states.trend(i)) == repr(alone.trend), "NaN is not equal to itself"
        assert states.seen_by(i) == alone.surveys
        np.testing.assert_array_equal(states.history(i).times, alone.times)
    assert [one.name for one in batch] == [sky.name for sky in everybody().order_by("pk")]


def test_no_objects_are_no_candidates(db):
    batch = candidates(everybody())
    assert len(batch) == 0
    assert batch.at(now_mjd()).numbers.shape == (0, 9)


def test_outlooks_are_kept_by_evidence(skies):
    now = now_mjd()
    made = type(outlook()).stack([outlook(float(i), now=now) for i in range(2)])
    outlooks.save(skies[:2], made, "1")
    assert set(outlooks.unseen("1").values_list("pk", flat=True)) == {sky.pk for sky in skies[2:]}
    assert set(outlooks.unseen("2").values_list("pk", flat=True)) == {sky.pk for sky in skies}
    batch = candidates(everybody(), now)
    assert batch.has_outlook.tolist() == [0, 1]
    assert batch.outlooks.mjd.tolist() == [now, now]
    assert batch[1].outlook.peak()[0, 1] == pytest.approx(now + 1.0, abs=0.01)
    assert batch[2].outlook is None
    assert len(candidates(everybody(), now - 0.1).has_outlook) == 0, "nothing from the future"
    skies[0].evidence = "f" * 64
    skies[0].save()
    assert candidates(everybody(), now).has_outlook.tolist() == [1]
    outlooks.save(skies[:1], outlook(3.0, now=now), "1")
    assert Outlook.objects.count() == 2


def test_an_outlook_that_says_nothing_is_kept_as_that(skies):
    nothing = outlook(peak_cdf=np.full((1, 4, 91), np.nan))
    outlooks.save(skies[:1], nothing, "1")
    row = Outlook.objects.get()
    assert (row.mjd, bytes(row.packed)) == (None, b"")
    assert skies[0] not in outlooks.unseen("1")
    assert len(candidates(everybody()).has_outlook) == 0


def test_waiting_is_stored_with_its_date(skies):
    now = now_mjd()
    for sky in skies:
        sky.ra, sky.dec, sky.n_detections = 0.0, -89.0, 9
        sky.save()
        factories.classification(sky, evidence=sky.evidence)
    outlooks.save(skies, type(outlook()).stack([outlook(8.0, now=now)] * 6), "1")
    profile = shipped()["snia_near_peak"]
    waiting = {"waiting": profile.vetoes["waiting"]}
    ranked = rank.compute(SOUTH, now, profile=replace(profile, vetoes=waiting))
    row = rankings.save(ranked.ranking, ranked.night, ranked.candidates, 10)
    first = rankings.ranks(row).first()
    assert first.vetoes["waiting"]["reason"].startswith("better on ")
    assert now < first.vetoes["waiting"]["until"] < now + 8.0


def test_the_command_ranks_by_a_profile(skies):
    out = StringIO()
    call_command("alerce_rank", "--profile", "anomalies", stdout=out)
    assert "profile anomalies: 6 objects ranked" in out.getvalue()
    assert "?ranking=" in out.getvalue()
    with pytest.raises(CommandError, match="no profile 'nonsense'"):
        call_command("alerce_rank", "--profile", "nonsense")


def test_the_command_ranks_by_the_profiles_of_the_settings_and_the_board_has_the_first(skies, settings):
    settings.TOM_ALERCE = {"PROFILES": ["anomalies", "default"]}
    call_command("alerce_rank", "--show", "0", stdout=StringIO())
    assert sorted(Ranking.objects.values_list("profile", flat=True)) == ["anomalies", "default"]
    assert rankings.current().profile == "anomalies"
    assert rankings.offered()[0] == rankings.current()
    _, row = rank.tonight()
    assert row.profile == "anomalies"


def test_every_profile_in_use(skies):
    call_command("alerce_rank", "--all-profiles", "--show", "0", stdout=StringIO())
    assert set(Ranking.objects.values_list("profile", flat=True)) == set(shipped())


def test_a_profile_that_cannot_be_used_ends_no_other(skies, settings):
    settings.TOM_ALERCE = {"PROFILES": ["nonsense", "default"]}
    with pytest.raises(CommandError, match=r"^nonsense: there is no profile 'nonsense'$"):
        call_command("alerce_rank", stdout=StringIO())
    assert Ranking.objects.get().profile == "default"


def test_rankings_of_before_have_no_vetoes(skies):
    row = factories.ranking()
    factories.rank(row, skies[0], 1)
    assert Rank.objects.get().vetoes == {}
    assert Ranking.objects.get().profile == "default"
    assert isinstance(Batch.of([]), Batch)
