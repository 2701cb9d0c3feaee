"""Which classification is current: that of the present evidence, whatever was classified before or since."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from broker_adapters.records import BrokerLabel
from classifiers import records
from tests.tom_alerce.alerts import alert
from tom_alerce.models import Classification, SkyObject, SurveyObject
from tom_alerce.store import alerts, classifications, linking, targets

ARCSEC = 1.0 / 3600.0
pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    """A ZTF object and a Rubin object six arcseconds from it."""
    batch = [alert(), alert("lsst", "1", dec=2.0 + 6.0 * ARCSEC)]
    alerts.save(batch)
    return member("ZTF26aaaaaaa"), member("1"), batch


def member(name):
    return SurveyObject.objects.select_related("sky_object").get(object_id=name)


class TestOurs:
    """What was classified before and after is not what counts: the present evidence is."""

    def classify(self, skies, label):
        result = records.Classification("stamp", "1", ("SN", "AGN"), np.tile([0.9, 0.1] if label == "SN" else [0.1, 0.9], (len(skies), 1)))
        return classifications.save(result, [SkyObject.objects.get(pk=sky.pk) for sky in skies])

    def label(self, name):
        sky = member(name).sky_object
        return [row.label for row in classifications.latest([sky.pk]).get(sky.pk, ()) if row.origin == "local"]

    def test_linked_and_unlinked_each_has_the_class_of_its_own_evidence(self, pair):
        ztf, lsst, _ = pair
        self.classify([ztf.sky_object], "SN")
        self.classify([lsst.sky_object], "AGN")
        both = linking.link(lsst, ztf.sky_object)
        assert self.classify([both], "AGN") == 1
        assert self.label("1") == ["AGN"]
        linking.unlink(member("1"))
        assert (self.label("ZTF26aaaaaaa"), self.label("1")) == (["SN"], ["AGN"])
        assert not classifications.unseen("stamp", "1").exists()

    def test_linked_and_unlinked_again_and_again(self, pair):
        for _ in range(3):
            self.classify([member("ZTF26aaaaaaa").sky_object], "SN")
            self.classify([member("1").sky_object], "AGN")
            linking.link(member("1"), member("ZTF26aaaaaaa").sky_object)
            self.classify([member("1").sky_object], "AGN")
            assert (self.label("ZTF26aaaaaaa"), SkyObject.objects.count()) == (["AGN"], 1)
            linking.unlink(member("1"))
            assert (self.label("ZTF26aaaaaaa"), self.label("1")) == (["SN"], ["AGN"])

    def test_the_evidence_of_an_undecided_answer_has_no_class(self, pair):
        ztf, lsst, _ = pair
        undecided = records.Classification("stamp", "1", ("SN", "AGN"), np.full((1, 2), np.nan))
        classifications.save(undecided, [ztf.sky_object])
        both = linking.link(lsst, ztf.sky_object)
        self.classify([both], "SN")
        linking.unlink(member("1"))
        assert self.label("ZTF26aaaaaaa") == []

    def test_the_api_and_the_class_filter_know_the_current_one(self, pair, client):
        ztf, lsst, _ = pair
        self.classify([ztf.sky_object], "SN")
        self.classify([linking.link(lsst, ztf.sky_object)], "AGN")
        linking.unlink(member("1"))
        client.force_login(User.objects.create_superuser("root"))
        sky = member("ZTF26aaaaaaa").sky_object_id
        rows = client.get(reverse("api:alerce-classifications-list"), {"sky_object": sky, "origin": "local"}).json()["results"]
        assert {row["label"]: row["current"] for row in rows} == {"SN": True, "AGN": False}
        rows = client.get(reverse("api:alerce-classifications-list"), {"current": True, "origin": "local"}).json()["results"]
        assert [row["label"] for row in rows] == ["SN"]

    def test_a_target_that_came_with_a_link_is_not_made_again_after_it_is_deleted(self, pair):
        ztf, lsst, _ = pair
        target = targets.promote(lsst.sky_object)
        both = linking.link(member("1"), ztf.sky_object)
        assert both.target == target
        target.delete()
        assert SkyObject.objects.get(pk=both.pk).promoted


class TestBrokers:
    """A broker's labels: that about the latest alert, and of several about one alert the last word."""

    def say(self, label, day=1, **fields):
        return alerts.save([alert(n=day, labels=(BrokerLabel("alerce", "lc", "2", label, 0.8),), **fields)]).labels

    def current(self, name="ZTF26aaaaaaa"):
        sky = member(name).sky_object_id
        return [(row.label, str(row.survey_object)) for row in classifications.latest([sky])[sky]]

    def test_taken_back(self):
        assert [self.say(label) for label in ("SN", "AGN", "SN")] == [1, 1, 1]
        assert self.current() == [("SN", "ZTF26aaaaaaa")]
        assert (self.say("SN"), Classification.objects.count()) == (0, 2)

    def test_taken_back_within_a_batch(self):
        self.say("SN")
        again = [alert(n=1, labels=(BrokerLabel("alerce", "lc", "2", label, 0.8),)) for label in ("AGN", "SN")]
        alerts.save(again)
        assert self.current() == [("SN", "ZTF26aaaaaaa")]
        assert alerts.save(again).labels == 0

    @pytest.mark.parametrize("days", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
    def test_that_of_the_latest_alert_in_whatever_order_they_come(self, days):
        for day in days:
            self.say({1: "SN", 2: "VS", 3: "AGN"}[day], day)
        assert self.current() == [("AGN", "ZTF26aaaaaaa")]

    def test_they_go_with_the_object_that_they_are_about(self, pair):
        self.say("SN")
        linking.link(member("1"), member("ZTF26aaaaaaa").sky_object)
        linking.unlink(member("ZTF26aaaaaaa"))
        assert self.current() == [("SN", "ZTF26aaaaaaa")]
        assert classifications.latest([member("1").sky_object_id]) == {}

    def test_of_two_members_that_with_the_later_alert_stands_last(self, pair):
        alerts.save([alert("ztf", "ZTF26b", n=2, dec=2.0 + 0.5 * ARCSEC, labels=(BrokerLabel("alerce", "lc", "2", "VS", 0.8),))])
        self.say("SN", 1)
        assert self.current() == [("SN", "ZTF26aaaaaaa"), ("VS", "ZTF26b")]
