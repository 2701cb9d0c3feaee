"""Rows of the field about what is shown and published of a measurement, and about targets of the TOM."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from guardian.shortcuts import get_groups_with_perms, get_users_with_perms
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import Target, TargetName

from broker_adapters.brokers import _lasair
from broker_adapters.packets import read
from followup.records import Candidate
from tests.field import DATA
from tests.tom_alerce.alerts import alert
from tom_alerce.match_manager import TransientMatchManager
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.pages import photometry
from tom_alerce.pages.figures.series import series
from tom_alerce.pipeline import classify, promotion
from tom_alerce.store import alerts, linking, targets
from tom_alerce.store.candidates import candidates
from tom_alerce.store.errors import HookError, StoreError

pytestmark = pytest.mark.django_db
SEEN: list[tuple[str, bool, list[str], list[str]]] = []


def packet(name):
    return read((DATA / f"{name}.avro").read_bytes())


def published(target):
    rows = PhotometryReducedDatum.objects.filter(target_id=target.pk).order_by("timestamp")
    return [(row.brightness, row.limit) for row in rows]


def remember(target, created):
    groups = [group.name for group in get_groups_with_perms(target)]
    SEEN.append((target.name, created, sorted(a.name for a in target.aliases.all()), groups))


def fail(target, created):
    if target.name == "ZTF26aaaaaab":
        raise ConnectionError("a catalogue is down")


class TestBelowSignificance:
    def test_row_18_the_target_gets_a_limit(self):
        alerts.save([packet("15-lsst-dipole-no-flux")])
        target = targets.promote(SkyObject.objects.get())
        *bright, (brightness, limit) = published(target)
        assert all(10 < mag < 25 and depth is None for mag, depth in bright)
        assert (brightness, limit) == (None, pytest.approx(31.4 - 2.5 * np.log10(5 * 2000.0)))

    def test_row_18_figures_and_tables_have_no_magnitude_of_it(self):
        rows = packet("15-lsst-dipole-no-flux").detections
        assert {one.style: len(one.rows) for one in series(rows[-1:], "difference")} == {"limit": 1}
        assert max(one.values.max() for one in series(rows, "difference") if one.style == "detection") < 25
        assert [row["magnitude"] is None for row in photometry.light_curve(rows, star=False)] == [False, False, True]
        assert all(band["magmax"] < 25 for band in photometry.statistics(rows)["bands"])


class TestOneExposure:
    def test_row_20_two_candids_are_one_detection_and_one_point(self):
        both = packet("18-ztf-one-exposure-two-candids")
        assert len(both.detections) == 2
        alerts.save([both])
        sky = SkyObject.objects.get()
        assert (sky.n_detections, SurveyObject.objects.get().n_detections) == (1, 1)
        assert len(published(targets.promote(sky))) == 1
        assert [len(one.rows) for one in series(both.detections, "difference")] == [1]
        assert len(candidates(SkyObject.objects.all())[0].history(both.mjd).times) == 1

    def test_row_20_a_rule_for_two_detections_does_not_hold(self, settings):
        settings.TOM_ALERCE = {"PROMOTION": [{"n_detections": 2}]}
        alerts.save([packet("18-ztf-one-exposure-two-candids")])
        assert promotion.promote([SkyObject.objects.get().pk]) == []

    def test_row_20_two_objects_of_one_survey_in_one_exposure_are_one_too(self):
        alerts.save([alert(n=3), alert("ztf", "ZTF26b", n=3, dec=2.0 + 0.5 / 3600.0)])
        sky = SkyObject.objects.get()
        assert sky.n_detections == 3
        target = targets.promote(sky)
        assert len(published(target)) == 3
        linking.unlink(SurveyObject.objects.get(object_id="ZTF26b"))
        assert SkyObject.objects.get(pk=sky.pk).n_detections == 3
        assert len(published(target)) == 3

    def test_row_20_a_second_source_that_comes_later_replaces_no_point_by_two(self):
        both = packet("18-ztf-one-exposure-two-candids")
        rows = both.detections
        alerts.save([alert("ztf", both.object_id, rows=rows[1:], ra=both.ra, dec=both.dec)])
        target = targets.promote(SkyObject.objects.get())
        alerts.save([both])
        assert len(published(target)) == 1
        assert Candidate("1", "", 0.0, 0.0, rows).history(both.mjd).times.shape == (1,)


class TestAsteroidOfThatName:
    """The TOM has the asteroid 2026 AB, and a transient is called AT 2026ab."""

    @pytest.fixture
    def asteroid(self):
        return Target.objects.create(name="2026 AB", type="NON_SIDEREAL", scheme="MPC_MINOR_PLANET", epoch_of_elements=61000.0)

    @pytest.fixture
    def matches(self):
        manager = TransientMatchManager()
        manager.model = Target
        return manager

    def message(self):
        return _lasair.read((DATA / "17-lasair-message-tns-2026ab.json").read_bytes())

    @pytest.mark.parametrize("later", [False, True])
    def test_row_06_a_transient_is_not_linked_to_it(self, asteroid, later):
        alerts.save([self.message()])
        if later:
            alerts.save([alert("lsst", self.message().object_id, ra=150.0, dec=2.2)])
        sky = SkyObject.objects.get()
        assert sky.target is None
        target = targets.promote(sky)
        assert target.pk != asteroid.pk
        assert not PhotometryReducedDatum.objects.filter(target_id=asteroid.pk).exists()
        assert "2026ab" in TargetName.objects.filter(target=target).values_list("name", flat=True)

    def test_row_06_a_transient_that_was_linked_to_it_writes_nothing_there(self, asteroid):
        alerts.save([alert()])
        SkyObject.objects.update(target=asteroid.pk)
        alerts.save([alert(n=4)])
        assert published(asteroid) == []
        assert not asteroid.aliases.exists()

    def test_row_06_nobody_can_link_them_by_hand(self, asteroid):
        alerts.save([alert()])
        with pytest.raises(StoreError, match="2026 AB is a target that moves"):
            targets.promote(SkyObject.objects.get(), target=asteroid)

    @pytest.mark.parametrize("name", ["AT 2026ab", "AT2026ab", "SN 2026ab", "2026ab", "sn2026AB"])
    def test_row_06_the_match_manager_keeps_them_apart(self, asteroid, matches, name):
        assert not matches.match_name(name).exists()
        assert not matches.match_target(Target(name=name, type="SIDEREAL", ra=10.0, dec=10.0)).exists()
        assert targets.named([[name]]) == [None]

    @pytest.mark.parametrize("name", ["2026 AB", "2026AB", "(2026 AB)"])
    def test_row_06_the_asteroid_is_known_by_its_own_name(self, asteroid, matches, name):
        assert matches.match_name(name).get().pk == asteroid.pk
        assert matches.match_target(Target(name=name, type="NON_SIDEREAL")).get().pk == asteroid.pk
        assert not matches.match_target(Target(name=name, type="SIDEREAL", ra=10.0, dec=10.0)).exists()

    def test_row_06_a_new_asteroid_is_not_a_transient(self, matches):
        Target.objects.create(name="AT 2026ab", type="SIDEREAL", ra=10.0, dec=10.0)
        assert not matches.match_target(Target(name="2026 AB", type="NON_SIDEREAL")).exists()


class TestHooks:
    """``HOOKS`` and signal handlers of the TOM run when a target is saved."""

    @pytest.fixture
    def three(self, settings):
        settings.TOM_ALERCE = {"PROMOTION": [{"n_detections": 2}], "GROUPS": ["team"], "CLASSIFIERS": []}
        settings.HOOKS = {"target_post_save": "tests.field.test_points.fail"}
        alerts.save([alert(object_id=f"ZTF26aaaaaa{letter}", ra=10.0 + i) for i, letter in enumerate("abc")])

    def test_row_16_the_object_at_which_a_hook_fails_is_named_and_the_others_are_promoted(self, three):
        done = classify.classify(SkyObject.objects.values_list("pk", flat=True))
        assert sorted(done.promoted) == ["ZTF26aaaaaaa", "ZTF26aaaaaac"]
        assert list(done.refused) == ["ZTF26aaaaaab"]
        assert "not promoted: ZTF26aaaaaab" in str(done)
        assert "ConnectionError: a catalogue is down" in str(done)
        assert sorted(Target.objects.values_list("name", flat=True)) == ["ZTF26aaaaaaa", "ZTF26aaaaaac"]
        assert len(done.failures) == 1

    def test_row_16_signal_handlers_too(self, three, settings):
        from django.db.models.signals import post_save

        settings.HOOKS = {}

        def handler(instance, **kwargs):
            fail(instance, True)

        post_save.connect(handler, sender=Target)
        try:
            assert len(classify.classify(SkyObject.objects.values_list("pk", flat=True)).promoted) == 2
        finally:
            post_save.disconnect(handler, sender=Target)

    def test_row_16_a_person_is_told(self, three):
        with pytest.raises(HookError, match=r"ZTF26aaaaaab.*a catalogue is down"):
            targets.promote(SurveyObject.objects.get(object_id="ZTF26aaaaaab").sky_object)

    def test_row_17_a_hook_finds_names_and_permissions(self, three, settings):
        settings.HOOKS = {"target_post_save": "tests.field.test_points.remember"}
        Group.objects.create(name="team")
        user = User.objects.create_user("observer")
        alerts.save([alert(object_id="ZTF26named", ra=40.0, names=("AT 2026xyz",))])
        SEEN.clear()
        target = targets.promote(SurveyObject.objects.get(object_id="ZTF26named").sky_object, user)
        assert SEEN == [("AT 2026xyz", True, ["ZTF26named"], ["team"])]
        assert user in get_users_with_perms(Target.objects.get(pk=target.pk))


class TestBetterPlace:
    def place(self, target):
        return tuple(Target.objects.values_list("ra", "dec").get(pk=target.pk))

    def test_row_21_a_target_of_ours_takes_the_better_place_and_the_log_says_so(self, caplog):
        caplog.set_level("INFO")
        alerts.save([packet("16a-atlas-first")])
        target = targets.promote(SkyObject.objects.get())
        later = packet("16b-lsst-later")
        alerts.save([later])
        assert SkyObject.objects.count() == 1
        assert self.place(target) == pytest.approx((later.ra, later.dec), abs=0.05 / 3600)
        assert "moved by" in caplog.text

    def test_row_21_what_a_person_has_put_elsewhere_stays(self):
        alerts.save([packet("16a-atlas-first")])
        target = targets.promote(SkyObject.objects.get())
        Target.objects.filter(pk=target.pk).update(ra=150.0001)
        alerts.save([packet("16b-lsst-later")])
        assert self.place(target)[0] == 150.0001

    def test_row_21_so_does_a_target_of_somebody_else(self):
        first = packet("16a-atlas-first")
        target = Target.objects.create(name="mine", type="SIDEREAL", ra=first.ra, dec=first.dec)
        alerts.save([first])
        targets.promote(SkyObject.objects.get())
        alerts.save([packet("16b-lsst-later")])
        sky = SkyObject.objects.get()
        assert sky.target_id == target.pk
        assert self.place(target) == (first.ra, first.dec)
        assert targets.displacement(sky.target, sky) > 1.0

    def test_row_21_a_person_can_take_the_better_place(self):
        first = packet("16a-atlas-first")
        target = Target.objects.create(name="mine", type="SIDEREAL", ra=first.ra, dec=first.dec)
        alerts.save([first, packet("16b-lsst-later")])
        sky = SkyObject.objects.get()
        targets.place(sky.target or target, sky)
        assert self.place(target) == (sky.ra, sky.dec)
