"""A person's decisions: what moves, what stays, and that nothing undoes them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters.records import BrokerLabel
from tests.tom_alerce.alerts import alert
from tom_alerce.models import Classification, FollowupRequest, MatchCandidate, Rank, Ranking, SkyObject, SurveyObject
from tom_alerce.store import alerts, linking, targets
from tom_alerce.store.errors import StoreError

ARCSEC = 1.0 / 3600.0
pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return User.objects.create(username="astronomer")


@pytest.fixture
def pair():
    """A ZTF object and a Rubin object six arcseconds from it."""
    batch = [alert(labels=(BrokerLabel("alerce", "lc", "1", "SN", 0.7),)), alert("lsst", "1", dec=2.0 + 6.0 * ARCSEC)]
    alerts.save(batch)
    return member("ZTF26aaaaaaa"), member("1"), batch


def member(name):
    return SurveyObject.objects.select_related("sky_object").get(object_id=name)


def test_linked_and_not_undone_by_later_alerts(pair, user):
    ztf, lsst, batch = pair
    sky = linking.link(lsst, ztf.sky_object, user)
    assert (sky.n_detections, SkyObject.objects.count()) == (6, 1)
    alerts.save([*batch, alert("lsst", "1", dec=2.0 + 6.0 * ARCSEC, n=1, first=7)])
    lsst = member("1")
    assert lsst.sky_object_id == member("ZTF26aaaaaaa").sky_object_id
    assert (lsst.method, lsst.decided_by) == ("person", user)
    assert lsst.separation == pytest.approx(6.0, abs=0.01)
    assert SkyObject.objects.get().n_detections == 7


def test_unlinked_and_not_undone_by_later_alerts(user):
    batch = [alert(), alert("lsst", "1", dec=2.0 + 0.3 * ARCSEC)]
    alerts.save(batch)
    new = linking.unlink(member("1"), user)
    assert new.pk != member("ZTF26aaaaaaa").sky_object_id
    assert (new.n_detections, member("ZTF26aaaaaaa").sky_object.n_detections) == (3, 3)
    alerts.save([*batch, alert("lsst", "1", dec=2.0 + 0.3 * ARCSEC, n=1, first=7)])
    assert member("1").sky_object_id == new.pk
    refusal = MatchCandidate.objects.get()
    assert (refusal.decided, refusal.decided_by, refusal.survey_object.object_id) == (True, user, "1")
    assert refusal.separation == pytest.approx(0.3, abs=0.01)


def test_link_and_unlink_end_where_they_began(pair):
    ztf, lsst, _ = pair
    before = {m.object_id: (m.sky_object.evidence, m.sky_object.ra, m.sky_object.dec) for m in (ztf, lsst)}
    linking.link(lsst, ztf.sky_object)
    linking.unlink(member("1"))
    after = {m.object_id: (m.sky_object.evidence, m.sky_object.ra, m.sky_object.dec) for m in (member("1"), member("ZTF26aaaaaaa"))}
    assert after == before


def test_a_lonely_object_cannot_be_unlinked(pair):
    with pytest.raises(StoreError, match="only member"):
        linking.unlink(pair[0])


def test_linking_to_where_it_is_changes_only_whose_decision_it_is(pair, user):
    ztf = pair[0]
    linking.link(ztf, ztf.sky_object, user)
    assert (SkyObject.objects.count(), member("ZTF26aaaaaaa").method) == (2, "person")


def test_what_hangs_on_an_emptied_object_comes_along(pair):
    ztf, lsst, _ = pair
    ranking, other = (Ranking.objects.create(site="x", night=night, now=61000.0, weights={}) for night in ("a", "b"))
    common = {"place": 1, "score": 0.5, "hours": 1.0}
    Rank.objects.create(ranking=ranking, sky_object=ztf.sky_object, **common)
    Rank.objects.create(ranking=ranking, sky_object=lsst.sky_object, **common)
    Rank.objects.create(ranking=other, sky_object=lsst.sky_object, **common)
    FollowupRequest.objects.create(key="k", sky_object=lsst.sky_object, facility="LCO", payload={})
    target = targets.promote(lsst.sky_object)
    sky = linking.link(lsst, ztf.sky_object)
    assert list(SkyObject.objects.all()) == [sky]
    assert sky.target == target
    assert sky.followup_requests.count() == 1
    assert sorted(sky.ranks.values_list("ranking__night", flat=True)) == ["a", "b"]
    assert PhotometryReducedDatum.objects.filter(target=target).count() == 6
    assert {a.name for a in target.aliases.all()} == {"ZTF26aaaaaaa"}


def test_a_brokers_word_follows_its_survey_object(pair):
    ztf, lsst, _ = pair
    sky = linking.link(ztf, lsst.sky_object)
    assert Classification.objects.get().sky_object == sky
    linking.unlink(member("ZTF26aaaaaaa"))
    assert Classification.objects.get().sky_object == member("ZTF26aaaaaaa").sky_object


def test_photometry_leaves_the_target_that_it_does_not_belong_to():
    alerts.save([alert(), alert("lsst", "1", dec=2.0 + 0.3 * ARCSEC)])
    target = targets.promote(SkyObject.objects.get())
    assert PhotometryReducedDatum.objects.filter(target=target).count() == 6
    linking.unlink(member("1"))
    assert {d.value["survey"] for d in PhotometryReducedDatum.objects.filter(target=target)} == {"ztf"}
    linking.link(member("1"), member("ZTF26aaaaaaa").sky_object)
    assert PhotometryReducedDatum.objects.filter(target=target).count() == 6


def test_of_two_targets_the_heir_keeps_its_own(pair):
    ztf, lsst, _ = pair
    mine, other = targets.promote(ztf.sky_object), targets.promote(lsst.sky_object)
    sky = linking.link(lsst, ztf.sky_object)
    assert sky.target == mine
    counted = {t.name: PhotometryReducedDatum.objects.filter(target=t).count() for t in (mine, other)}
    assert counted == {"ZTF26aaaaaaa": 6, "LSST 1": 0}


def test_what_is_gone_cannot_be_linked_to(pair):
    ztf, lsst, _ = pair
    gone = lsst.sky_object
    linking.link(lsst, ztf.sky_object)
    with pytest.raises(StoreError, match="does not exist any more"):
        linking.link(member("ZTF26aaaaaaa"), gone)


def test_ambiguous_matches_are_decided(user):
    alerts.save([alert("lsst", "1", dec=2.0 - 1.3 * ARCSEC), alert("lsst", "2", dec=2.0 + 1.3 * ARCSEC)])
    alerts.save([alert("atlas", "A1")])
    one, two = MatchCandidate.objects.order_by("pk")
    linking.dismiss(one, user)
    one.refresh_from_db()
    assert (one.decided, one.decided_by) == (True, user)
    assert SkyObject.objects.count() == 3
    linking.link(two.survey_object, two.sky_object, user)
    assert SkyObject.objects.count() == 2
    assert not MatchCandidate.objects.filter(decided=False).exists()


def test_matches_that_point_to_an_emptied_object_point_to_its_heir():
    alerts.save([alert("lsst", "1", dec=2.0 - 1.3 * ARCSEC), alert("lsst", "2", dec=2.0 + 1.3 * ARCSEC)])
    alerts.save([alert("atlas", "A1")])
    sky = linking.link(member("1"), member("2").sky_object)
    assert [c.sky_object for c in MatchCandidate.objects.filter(decided=False)] == [sky]
