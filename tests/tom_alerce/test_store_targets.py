"""Targets of the TOM: found by name, alias or place, made once, kept up to date."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import override_settings
from guardian.shortcuts import get_objects_for_user
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget, TargetList, TargetName
from tom_targets.permissions import targets_for_user

from tests.tom_alerce.alerts import alert, curve
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.store import alerts, linking, targets
from tom_alerce.store.errors import StoreError

ARCSEC = 1.0 / 3600.0
pytestmark = pytest.mark.django_db


def make(name="SN 2026asx", ra=150.0, dec=2.0, **fields):
    return BaseTarget.objects.create(name=name, type="SIDEREAL", ra=ra, dec=dec, **fields)


def points(target):
    return PhotometryReducedDatum.objects.filter(target=target).count()


class TestFound:
    """A target that is there is linked when its object first appears, and never doubled."""

    def test_by_place(self):
        target = make("my favourite", dec=2.0 + 0.5 * ARCSEC)
        alerts.save([alert()])
        assert SkyObject.objects.get().target == target
        assert points(target) == 3
        assert [a.name for a in target.aliases.all()] == ["ZTF26aaaaaaa"]
        assert targets.promote(SkyObject.objects.get()) == target
        assert BaseTarget.objects.count() == 1

    @pytest.mark.parametrize(("ra", "dec"), [(359.9999, 0.0), (0.0001, 80.0), (10.0, 89.99995), (10.0, -90.0)])
    def test_by_place_anywhere(self, ra, dec):
        target = make(ra=(ra + 0.0003) % 360.0, dec=dec)
        alerts.save([alert(ra=ra, dec=dec)])
        assert SkyObject.objects.get().target == target

    def test_a_target_that_is_made_later(self):
        """By hand, by a query page, by a merge of two: the next alert of the object finds it."""
        alerts.save([alert()])
        target = make("made by hand", dec=2.0 + 0.5 * ARCSEC)
        alerts.save([alert(n=1, first=5)])
        assert SkyObject.objects.get().target == target
        assert points(target) == 4

    def test_what_a_person_has_taken_apart_stays_apart(self):
        target = make("the other one")
        alerts.save([alert(), alert("lsst", "1", dec=2.0 + 0.4 * ARCSEC)])
        linking.unlink(SurveyObject.objects.get(survey="lsst"))
        alerts.save([alert("lsst", "1", dec=2.0 + 0.4 * ARCSEC, first=5)])
        assert SurveyObject.objects.get(survey="lsst").sky_object.target is None
        assert SkyObject.objects.get(target=target).survey_objects.get().survey == "ztf"

    def test_by_name_whatever_its_place(self):
        target = make("ztf26aaaaaaa", ra=10.0)
        alerts.save([alert()])
        assert SkyObject.objects.get().target == target
        assert SurveyObject.objects.get().method == "name"

    def test_by_alias(self):
        target = make("AT 2026asx", ra=10.0)
        TargetName.objects.create(target=target, name="LSST 170028526513684557")
        alerts.save([alert("lsst", "170028526513684557")])
        assert SkyObject.objects.get().target == target

    def test_by_the_name_that_a_broker_gives(self):
        target = make("SN2026asx", ra=10.0)
        alerts.save([alert(names=("AT 2026asx",))])
        assert SkyObject.objects.get().target == target

    def test_two_objects_of_one_name_share_a_sky_object(self):
        target = make("SN 2026asx", ra=10.0)
        TargetName.objects.create(target=target, name="ZTF26aaaaaaa")
        alerts.save([alert(), alert("lsst", "1", dec=2.1, names=("SN 2026asx",))])
        assert SkyObject.objects.get().target == target
        assert points(target) == 6

    def test_a_name_outweighs_a_place(self):
        make("a neighbour")
        named = make("ZTF26aaaaaaa", ra=10.0)
        alerts.save([alert()])
        assert SkyObject.objects.get().target == named

    def test_of_two_at_one_place_none_is_guessed(self):
        make("one", dec=2.0 + 0.5 * ARCSEC)
        two = make("two", dec=2.0 - 0.5 * ARCSEC)
        alerts.save([alert()])
        sky = SkyObject.objects.get()
        assert sky.target is None
        with pytest.raises(StoreError, match="one, two"):
            targets.promote(sky)
        assert targets.promote(sky, target=two) == two
        assert BaseTarget.objects.count() == 2

    def test_a_moving_target_has_no_place(self):
        BaseTarget.objects.create(name="comet", type="NON_SIDEREAL", ra=150.0, dec=2.0)
        alerts.save([alert()])
        assert SkyObject.objects.get().target is None

    def test_an_object_that_moves_is_no_target(self):
        make()
        alerts.save([alert("lsst", "ss1", moving=True)])
        assert SkyObject.objects.get().target is None
        with pytest.raises(StoreError, match="orbital elements"):
            targets.promote(SkyObject.objects.get())

    def test_one_that_came_after_the_object(self):
        alerts.save([alert()])
        target = make()
        assert targets.promote(SkyObject.objects.get()) == target
        assert points(target) == 3


class TestMade:
    def test_once_with_names_and_photometry(self):
        alerts.save([alert(names=("AT 2026asx",)), alert("lsst", "170028526513684557", dec=2.0 + 0.2 * ARCSEC)])
        sky = SkyObject.objects.get()
        target = targets.promote(sky)
        assert target.name == "AT 2026asx"
        assert {a.name for a in target.aliases.all()} == {"ZTF26aaaaaaa", "LSST 170028526513684557"}
        assert (target.ra, target.dec) == pytest.approx((sky.ra, sky.dec))
        bands = PhotometryReducedDatum.objects.filter(target=target).values_list("bandpass", flat=True)
        assert set(bands) == {"ZTF-g", "ZTF-r", "LSST-r", "LSST-i"}
        assert targets.promote(SkyObject.objects.get()) == target
        assert (BaseTarget.objects.count(), points(target)) == (1, 6)

    def test_new_detections_reach_the_target(self):
        alerts.save([alert()])
        target = targets.promote(SkyObject.objects.get())
        alerts.save([alert(n=2, first=3), alert("atlas", "A1", dec=2.0 + 1.0 * ARCSEC)])
        assert points(target) == 8
        assert "A1" in {a.name for a in target.aliases.all()}

    def test_a_name_that_is_taken_is_left_where_it_is(self):
        other = make("SN 2020aaa", ra=10.0)
        TargetName.objects.create(target=other, name="AT 2026asx")
        alerts.save([alert()])
        SurveyObject.objects.update(names=["AT 2026asx", "x" * 300])
        sky = SkyObject.objects.get()
        target = targets.promote(sky, target=make("mine", ra=20.0))
        assert "AT 2026asx" not in {a.name for a in target.aliases.all()}

    @override_settings(TOM_ALERCE={"TARGET_LIST": "from alerts", "GROUPS": ["transients"]}, TARGET_PERMISSIONS_ONLY=False)
    def test_list_and_permissions(self):
        group = Group.objects.create(name="transients")
        owner, colleague, stranger = (User.objects.create(username=name) for name in ("owner", "colleague", "stranger"))
        colleague.groups.add(group)
        alerts.save([alert()])
        with override_settings(TARGET_DEFAULT_PERMISSION="PRIVATE"):
            target = targets.promote(SkyObject.objects.get(), owner)
        seen = {u.username: targets_for_user(u, type(target).objects.all(), "view_target").count() for u in (owner, colleague, stranger)}
        assert seen == {"owner": 1, "colleague": 1, "stranger": 0}
        assert list(TargetList.objects.get(name="from alerts").targets.all()) == [target]
        alerts.save([alert(n=2, first=5)])
        assert points(target) == 5
        seen = {
            u.username: get_objects_for_user(u, "tom_dataproducts.view_photometryreduceddatum").count()
            for u in (owner, colleague, stranger)
        }
        assert seen == {"owner": 5, "colleague": 5, "stranger": 0}

    def test_a_deleted_target_leaves_its_object(self):
        alerts.save([alert()])
        targets.promote(SkyObject.objects.get()).delete()
        assert SkyObject.objects.get().target is None
        alerts.save([alert(n=1, first=9)])
        assert targets.promote(SkyObject.objects.get()).name == "ZTF26aaaaaaa"


def test_many_targets_cost_no_more_queries(django_assert_max_num_queries):
    BaseTarget.objects.bulk_create(BaseTarget(name=f"t{i}", type="SIDEREAL", ra=i / 3.0, dec=i / 20.0) for i in range(1000))
    batch = [
        alert(object_id=f"ZTF{i}", ra=i / 3.0 + 0.1, dec=i / 20.0, rows=curve(object_id=f"ZTF{i}", ra=i / 3.0 + 0.1, dec=i / 20.0))
        for i in range(60)
    ]
    with django_assert_max_num_queries(40):
        alerts.save(batch)


def test_alerts_about_many_targets_ask_as_often_as_about_few(django_assert_max_num_queries):
    def batch(n, first):
        return [alert(object_id=f"ZTF{i}", ra=i / 3.0, dec=i / 20.0, n=1, first=first) for i in range(n)]

    alerts.save(batch(60, 0))
    for sky in SkyObject.objects.all():
        targets.promote(sky)
    counted = []
    for n, first in ((3, 1), (60, 2)):
        with django_assert_max_num_queries(50) as asked:
            alerts.save(batch(n, first))
        counted.append(len(asked))
    assert counted[1] <= counted[0] + 8  # SQLite writes 999 values in one statement
    assert PhotometryReducedDatum.objects.count() == 60 * 2 + 3


def test_only_what_is_new_of_a_light_curve_is_written():
    alerts.save([alert()])
    target = targets.promote(SkyObject.objects.get())
    before = set(PhotometryReducedDatum.objects.values_list("pk", flat=True))
    same = curve(n=2, first=3)
    same["mjd"][1] = same["mjd"][0] - 1e-5  # two kinds of one exposure: each is its own point, the earlier of two alerts stands
    same["band"][1] = same["band"][0]
    alerts.save([alert(rows=same[:1])])
    alerts.save([alert(rows=same[1:])])
    after = PhotometryReducedDatum.objects.filter(target=target)
    assert before < set(after.values_list("pk", flat=True))
    assert {datum.value["source_id"] for datum in after.exclude(pk__in=before)} == {"ZTF26aaaaaaa-4"}
