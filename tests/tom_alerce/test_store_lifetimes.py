"""Age and count of objects: from what surveys state, in any order, through any broker, and never twice."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broker_adapters.records import Lifetime
from broker_adapters.significance import alerts as alert_rows
from broker_adapters.sources import files
from followup.plugged import term as load
from tests.followup.build import night
from tests.tom_alerce.alerts import MJD, alert
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.pipeline import ingest, promotion
from tom_alerce.store import alerts, linking
from tom_alerce.store.candidates import candidates

ARCSEC = 1.0 / 3600.0
LSST, OTHER = "170028526513684557", "ZTF26bbbbbbb"


def stated(first=58430.0, last=MJD, n=112, images=906):
    return Lifetime(first, last, n, images)


def age_and_count():
    """Age and count of every object, in the order of their members' names."""
    skies = sorted(SkyObject.objects.all(), key=lambda s: sorted(s.survey_objects.values_list("object_id")))
    return [(s.first_seen_mjd, s.n_seen, s.survey_first_mjd, s.survey_n_detections) for s in skies]


def test_what_a_survey_states_is_kept_beside_what_is_here(db):
    alerts.save([alert(lifetime=stated())])
    o, s = SurveyObject.objects.get(), SkyObject.objects.get()
    assert o.lifetime == stated()
    for one in (o, s):
        assert (one.first_seen_mjd, one.n_seen) == (58430.0, 112)
        assert (one.first_mjd, one.last_mjd, one.n_detections) == (MJD, MJD + 2, 3)


def test_where_nothing_is_stated_the_measurements_here_tell(db):
    alerts.save([alert(), alert("atlas", "1032155561403819520", dec=3.0, lifetime=Lifetime(None, None, None, 7))])
    assert [(s.first_seen_mjd, s.n_seen) for s in SkyObject.objects.all()] == [(MJD, 3), (MJD, 3)]


def test_an_object_without_a_measurement_has_the_age_that_is_stated(db):
    alerts.save([alert(n=0, mjd=MJD, lifetime=stated())])
    s = SkyObject.objects.get()
    assert (s.first_mjd, s.n_detections, s.first_seen_mjd, s.n_seen) == (None, 0, 58430.0, 112)


def test_fewer_than_are_here_are_not_believed(db):
    alerts.save([alert(lifetime=stated(n=1))])
    assert SkyObject.objects.get().n_seen == 3


def test_two_objects_of_a_survey_that_counts_places_are_counted_once(db):
    alerts.save([alert(lifetime=stated(n=112)), alert(object_id=OTHER, dec=2.0 + 0.5 * ARCSEC, lifetime=stated(58400.0, n=90))])
    assert age_and_count() == [(58400.0, 112, 58400.0, 112)]


def test_counts_of_two_objects_of_rubin_and_of_two_surveys_are_added(db):
    lsst = {"lifetime": Lifetime(60900.0, MJD, 24)}
    alerts.save([alert("lsst", LSST, **lsst), alert("lsst", LSST[:-1] + "8", dec=2.0 + 0.3 * ARCSEC, lifetime=Lifetime(60950.0, MJD, 7))])
    assert age_and_count() == [(60900.0, 31, 60900.0, 31)]
    alerts.save([alert(lifetime=stated(n=112))])
    assert age_and_count() == [(58430.0, 143, 58430.0, 143)]
    alerts.save([alert("atlas", "1032155561403819520")])
    assert age_and_count() == [(58430.0, 146, 58430.0, 146)]


def test_unlinked_each_has_its_own_age_and_linked_again_both(db):
    alerts.save([alert(lifetime=stated()), alert("lsst", LSST, lifetime=Lifetime(60990.0, MJD, 5))])
    whole = age_and_count()
    lsst = SurveyObject.objects.get(survey="lsst")
    new = linking.unlink(lsst)
    assert (new.first_seen_mjd, new.n_seen) == (60990.0, 5)
    assert [a[:2] for a in age_and_count()] == [(60990.0, 5), (58430.0, 112)]
    linking.link(SurveyObject.objects.get(survey="lsst"), SurveyObject.objects.get(survey="ztf").sky_object)
    assert age_and_count() == whole


@pytest.mark.parametrize(
    ("lifetime", "text"),
    [
        (stated(first=MJD + 2.5, last=None), "2025-11-23 is later than the alert that states it"),
        (stated(first=88000.0), "2099-10-24 is in the future"),
        (stated(first=12.0), "1858-11-29 is before the survey began"),
        (stated(first=1e20), "MJD 100000000000000000000 is in the future"),
        (stated(first=60900.0, last=60800.0), "2025-08-13 is later than the latest detection it states"),
        (stated(first=MJD + 1, last=MJD + 2), "2025-11-22 is later than the first detection here"),
    ],
)
def test_a_date_that_contradicts_itself_is_not_believed_and_is_reported(db, caplog, lifetime, text):
    report = ingest.ingest_alerts([alert(lifetime=lifetime)])
    s, o = SkyObject.objects.get(), SurveyObject.objects.get()
    assert (s.first_seen_mjd, s.survey_first_mjd, s.n_seen) == (MJD, None, 112)
    assert o.doubts == [text]
    assert "dates of 1 survey objects not believed" in str(report)
    assert f"such as of ZTF26aaaaaaa: {text}" in caplog.text


def test_a_date_within_an_exposure_of_the_first_detection_is_no_contradiction(db):
    report = ingest.ingest_alerts([alert(lifetime=stated(first=MJD + 0.0005, n=3))])
    assert SurveyObject.objects.get().doubts == []
    assert "not believed" not in str(report)
    assert SkyObject.objects.get().survey_first_mjd is None


def test_a_doubtful_date_does_not_hide_one_that_is_believed(db):
    alerts.save([alert(lifetime=stated(first=12.0))])
    alerts.save([alert(lifetime=stated())])
    o = SurveyObject.objects.get()
    assert (o.first_seen_mjd, o.doubts) == (58430.0, ["1858-11-29 is before the survey began"])


def test_a_candidate_has_age_and_count_as_numbers(db):
    alerts.save([alert(lifetime=stated()), alert("lsst", LSST, dec=3.0, n=0, mjd=MJD)])
    old, unknown = sorted(candidates(SkyObject.objects.all()), key=lambda c: -c.n_seen)
    assert (old.first_seen, old.n_seen) == (58430.0, 112)
    assert math.isnan(unknown.first_seen)
    assert unknown.n_seen == 0


def test_a_rule_counts_what_surveys_have_seen(db, settings):
    settings.TOM_ALERCE = {**getattr(settings, "TOM_ALERCE", {}), "PROMOTION": [{"n_detections": 16}]}
    alerts.save([alert(lifetime=stated(n=16)), alert(object_id=OTHER, dec=3.0, lifetime=stated(n=15))])
    promoted = promotion.promote(SkyObject.objects.values_list("pk", flat=True))
    assert promoted == ["ZTF26aaaaaaa"]


@pytest.mark.real_data
def test_real_packets_of_old_objects_make_old_objects(db, real_data):
    """140 of 285 objects began over 30 days before their packets do; those that say so an hour before their own packet do not count."""
    ingest.ingest(files.packets([real_data / "dev" / "alerts" / "ztf"]))
    skies = SkyObject.objects.filter(moving=False, n_detections__gt=0)
    assert skies.count() == 285
    assert sum(s.first_mjd - s.first_seen_mjd > 30 for s in skies) == 140
    found = {c.name: c for c in candidates(skies)}
    for name, days, times in (("ZTF19acvsfip", 1805, 112), ("ZTF19acyrpry", 1796, 16)):
        one = found[name]
        tonight = night([one], now=float(one.detections["mjd"].max()) + 0.04)
        ranked = {term: load(term, 1.0)[0]([one], tonight) for term in ("youth", "confirmation")}
        assert ranked["youth"].values[0] == 0.05
        assert ranked["youth"].reasons[0].startswith(f"first seen {days}.")
        assert ranked["confirmation"].values[0] > 0.99
        assert ranked["confirmation"].reasons[0].startswith(f"seen {times} times since 2018-11-")
    for one in found.values():  # no candidate is younger, or seen less often, than its own measurements
        assert one.first_seen <= one.detections["mjd"][alert_rows(one.detections)].min()


NUMBERS = st.one_of(st.none(), st.sampled_from([12.0, 88000.0, 1e20, MJD + 0.5, MJD + 2]), st.floats(58100, MJD))
STATED = st.one_of(st.none(), st.builds(Lifetime, NUMBERS, NUMBERS, st.one_of(st.none(), st.integers(1, 50)), st.none()))
OBJECTS = (("ztf", "ZTF26aaaaaaa", 0.0), ("ztf", OTHER, 0.3), ("lsst", LSST, 0.2), ("lsst", LSST[:-1] + "8", 500.0))
ALERTS = st.lists(
    st.tuples(st.sampled_from(OBJECTS), st.integers(0, 2), STATED, st.sampled_from(["stream", "alerce", "lasair"])), min_size=1, max_size=6
)


def _alerts(drawn):
    return [
        alert(survey, oid, dec=2.0 + apart * ARCSEC, n=1, first=day, mjd=MJD + day, lifetime=lifetime, broker=broker, images=False)
        for (survey, oid, apart), day, lifetime, broker in drawn
    ]


class AnyOrder(TestCase):
    """Laws over random histories."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(drawn=ALERTS, data=st.data())
    def test_any_order_split_and_repetition_gives_the_same_age_and_count(self, drawn, data):
        everything = _alerts(drawn)
        alerts.save(everything)
        expected, doubts = age_and_count(), [o.doubts for o in SurveyObject.objects.order_by("object_id")]
        for model in (SurveyObject, SkyObject):
            model.objects.all().delete()
        order = data.draw(st.permutations([*everything, *everything]))
        cut = data.draw(st.integers(0, len(order)))
        for batch in (order[:cut], order[cut:]):
            alerts.save(batch)
        assert age_and_count() == expected
        assert [o.doubts for o in SurveyObject.objects.order_by("object_id")] == doubts

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(drawn=ALERTS)
    def test_an_object_is_as_old_as_the_oldest_that_is_believed_and_never_younger_than_what_is_here(self, drawn):
        alerts.save(_alerts(drawn))
        for sky in SkyObject.objects.all():
            members = list(sky.survey_objects.all())
            assert sky.first_seen_mjd <= sky.first_mjd
            assert sky.first_seen_mjd == pytest.approx(min(m.first_seen_mjd for m in members), abs=0.01)
            assert max(m.n_seen for m in members) <= sky.n_seen <= sum(m.n_seen for m in members)
            assert sky.n_seen >= sky.n_detections
