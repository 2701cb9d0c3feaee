"""What is kept, for how long, and what is never removed."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.tom_alerce import factories
from tests.tom_alerce.alerts import alert
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Classification, DeadLetter, Detection, PassedAlert, Rank, Ranking, SkyObject, Stamps
from tom_alerce.pipeline import rank
from tom_alerce.store import passed, retention

pytestmark = pytest.mark.django_db


def age(model, days, **which):
    """Make rows older by some days."""
    model.objects.filter(**which).update(created=timezone.now() - timedelta(days=days))


def prune(*options):
    out = StringIO()
    call_command("alerce_prune", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def aged(db):
    """Rankings, letters, stamps and classifications, old and new."""
    sky, gone = factories.sky_object(), factories.sky_object()
    for site, days in (("Cerro Pachon", 50), ("Cerro Pachon", 40), ("Cerro Pachon", 1), ("Siding Spring", 60)):
        row = factories.ranking(site)
        factories.rank(row, sky)
        age(Ranking, days, pk=row.pk)
    for days in (100, 1):
        age(DeadLetter, days, pk=factories.dead_letter().pk)
    SkyObject.objects.filter(pk=gone.pk).update(last_mjd=now_mjd() - 800)
    gone.survey_objects.update(last_mjd=now_mjd() - 800)
    for days in (900, 800, 790):
        age(Classification, days, pk=factories.classification(sky).pk)
    age(Classification, 900, pk=factories.classification(sky, "other").pk)
    return sky, gone


def kept():
    return Ranking.objects.count(), Rank.objects.count(), DeadLetter.objects.count(), Stamps.objects.count(), Classification.objects.count()


def test_by_default_it_only_counts(aged):
    before = kept()
    text = prune()
    for line in ("2 rankings to remove (older than 7 days)", "1 dead letters to", "2 stamps of", "2 outdated class", "give --delete"):
        assert line in text
    assert kept() == before


def test_it_removes_what_is_old_and_leaves_what_is_current(aged):
    sky, gone = aged
    measurements = Detection.objects.count()
    assert "2 rankings removed" in prune("--delete")
    assert kept() == (2, 2, 1, 2, 2)
    assert {row.site for row in Ranking.objects.all()} == {"Cerro Pachon", "Siding Spring"}, "the current one of each site"
    assert not Stamps.objects.filter(survey_object__sky_object=gone).exists()
    assert {row.classifier for row in sky.classifications.all()} == {"stamp", "other"}
    assert (SkyObject.objects.count(), Detection.objects.count()) == (2, measurements)
    assert "0 rankings removed" in prune("--delete")


def test_what_belongs_to_a_target_and_to_the_present_evidence_stays(aged):
    sky, gone = aged
    SkyObject.objects.filter(pk=gone.pk).update(target=factories.target())
    first = sky.classifications.order_by("pk").first()
    SkyObject.objects.filter(pk=sky.pk).update(evidence=first.evidence)
    prune("--delete")
    assert Stamps.objects.count() == 4
    assert sky.classifications.filter(pk=first.pk).exists()


def test_none_keeps_for_ever(aged, settings):
    settings.TOM_ALERCE = {"KEEP_DAYS": dict.fromkeys(("rankings", "stamps", "history"))}
    prune("--delete")
    assert kept()[2] == 1, "not named: the default"
    assert (kept()[0], kept()[3], kept()[4]) == (4, 4, 4)


def test_each_ranking_removes_some(aged, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 100)
    rank.rank()
    assert Ranking.objects.filter(created__lt=timezone.now() - timedelta(days=30), site="Cerro Pachon").count() == 1
    rank.rank()
    assert not Ranking.objects.filter(created__lt=timezone.now() - timedelta(days=30), site="Cerro Pachon").exists()


def test_the_pipeline_looks_at_a_window_alone(aged):
    """The classification of 900 days ago is for the command; that of 800 is too; one of 733 is in the window of a week."""
    sky, _ = aged
    assert retention.prune()["history"] == 0
    age(Classification, 733, pk=sky.classifications.order_by("pk")[1].pk)
    assert retention.prune()["history"] == 1


def test_light_rows_go_by_age_and_the_pipeline_looks_at_the_first_alone(db, settings, monkeypatch):
    for name, days in (("ZTF26aaaaaaa", 200.0), ("ZTF26aaaaaab", 1.0), ("ZTF26aaaaaac", 200.0)):
        passed.save([passed.Passed(alert(object_id=name, mjd=now_mjd() - days))])
    settings.TOM_ALERCE = {"KEEP_DAYS": {"passed": 100.0}}
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "_MORE", {"passed": 1.0})
    assert [retention.prune()["passed"], retention.prune()["passed"]] == [1, 1]
    assert PassedAlert.objects.get().object_id == "ZTF26aaaaaab"
