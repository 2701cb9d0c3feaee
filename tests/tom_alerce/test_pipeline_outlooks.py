"""Outlooks are worked out of the light curves of recent objects with new evidence."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.management import call_command

from classifiers import posterior
from classifiers.records import ClassifierError
from tests.followup.build import outlook
from tests.tom_alerce import factories
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import Outlook, SkyObject
from tom_alerce.pipeline import outlooks
from tom_alerce.pipeline.classify import classify
from tom_alerce.store import outlooks as stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch):
    """Light curves that the posterior was asked about; it says that all peak tomorrow, but nothing of an empty one."""
    curves = []

    def infer(batch):
        curves.extend(batch)
        parts = [outlook(1.0, now=now_mjd(), **({} if len(rows) else {"mjd": [np.nan]})) for rows in batch]
        return type(parts[0]).stack(parts)

    monkeypatch.setattr(posterior, "infer", infer)
    monkeypatch.setattr(posterior, "version", lambda: "7")
    return curves


@pytest.fixture
def skies(db):
    made = [factories.sky_object(ra=20.0 * i, dec=-30.0, surveys=("ztf", "atlas"), images=False) for i in range(4)]
    for i, sky in enumerate(made):
        sky.evidence = f"{i:064d}"
        sky.save()
    return made


def test_each_evidence_is_asked_about_once(skies, asked):
    assert outlooks.work_out() == 4
    assert outlooks.work_out() == 0
    assert [len(rows) for rows in asked] == [36] * 4
    assert all((np.diff(rows["mjd"]) >= 0).all() for rows in asked)
    assert set(Outlook.objects.values_list("version", flat=True)) == {"7"}
    skies[2].evidence = "f" * 64
    skies[2].save()
    assert outlooks.work_out() == 1


def test_those_seen_last_come_first_within_a_bound(skies, asked):
    skies[2].last_mjd = now_mjd() + 1.0
    skies[2].save()
    done = []
    assert outlooks.work_out(most=1, progress=done.append) == sum(done) == 1
    assert Outlook.objects.get().sky_object == skies[2]
    assert outlooks.waiting() == 3


def test_a_ranking_works_out_what_is_missing(skies, asked, capsys):
    call_command("alerce_rank", "--outlooks", "0")
    assert not asked
    call_command("alerce_rank", "--outlooks", "3")
    assert "3 outlooks worked out" in capsys.readouterr().out
    call_command("alerce_rank")
    assert len(asked) == 4


def test_without_weights_it_ranks_nevertheless(skies, monkeypatch, capsys):
    def infer(batch):
        raise ClassifierError("the weights are missing")

    monkeypatch.setattr(posterior, "infer", infer)
    call_command("alerce_rank")
    captured = capsys.readouterr()
    assert "no outlooks: the weights are missing" in captured.err
    assert "4 objects ranked" in captured.out


def test_only_recent_objects_and_only_those_asked_for(skies, asked):
    skies[0].last_mjd -= 100.0
    skies[0].save()
    skies[1].moving = True
    skies[1].save()
    assert outlooks.work_out([sky.pk for sky in skies[:3]]) == 1
    assert Outlook.objects.get().sky_object == skies[2]


def test_nothing_can_be_said_of_an_object_without_measurements(skies, asked):
    skies[0].survey_objects.get(survey="ztf").detections.all().delete()
    skies[0].survey_objects.get(survey="atlas").detections.all().delete()
    outlooks.work_out()
    assert Outlook.objects.get(sky_object=skies[0]).mjd is None


def test_classifying_works_them_out_and_says_what_went_wrong(skies, asked, settings, monkeypatch):
    settings.TOM_ALERCE = {"CLASSIFIERS": ()}
    assert classify().outlooks == 4
    assert "4 outlooks" in str(classify([sky.pk for sky in skies])) or Outlook.objects.count() == 4

    def broken():
        raise ClassifierError("no weights")

    monkeypatch.setattr(posterior, "version", broken)
    assert classify().problems == {"posterior": "no weights"}


def test_an_outlook_of_another_layout_is_left_out(skies, asked):
    outlooks.work_out()
    row = Outlook.objects.get(sky_object=skies[0])
    Outlook.objects.filter(pk=row.pk).update(packed=b"\x01" + bytes(row.packed)[1:], mjd=now_mjd() - 1.0)
    Outlook.objects.exclude(pk=row.pk).update(mjd=now_mjd() - 1.0)
    found = stored.of(SkyObject.objects.all(), now_mjd())
    assert sorted(found) == sorted(sky.pk for sky in skies[1:])
    assert len(found.stacked(found)) == 3
