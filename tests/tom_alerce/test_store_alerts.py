"""What `store.alerts.save` keeps, and what it keeps apart."""

from __future__ import annotations

import json
import math
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broker_adapters import healpix
from broker_adapters.records import DETECTION, BrokerLabel, Kind
from tests.tom_alerce.alerts import MJD, alert, counts, curve
from tom_alerce.models import Classification, Detection, MatchCandidate, SkyObject, Stamps, SurveyObject
from tom_alerce.store import alerts, lightcurves, sky, stamps
from tom_alerce.store.classifications import latest
from tom_alerce.store.sanitize import json_safe

ARCSEC = 1.0 / 3600.0


def test_one_alert_becomes_one_object(db):
    saved = alerts.save([alert()])
    assert (saved.survey_objects, saved.sky_objects, saved.detections, saved.ambiguous) == (1, 1, 3, 0)
    o = SurveyObject.objects.get()
    assert (o.n_detections, o.first_mjd, o.last_mjd, o.method, o.separation) == (3, MJD, MJD + 2, "new", None)
    s = SkyObject.objects.get()
    assert saved.sky_object_ids == {s.pk}
    assert (s.n_detections, s.first_mjd, s.last_mjd) == (3, MJD, MJD + 2)
    assert (s.ra, s.dec) == pytest.approx((150.0, 2.0), abs=1e-9)
    assert s.healpix == o.healpix == healpix.cell(150.0, 2.0)


def test_nothing_is_nothing(db):
    assert alerts.save([]) == alerts.Saved()


def test_the_same_again_adds_no_row(db):
    batch = [alert(), alert("lsst", "170028526513684557", labels=(BrokerLabel("alerce", "stamp", "1", "SN", 0.9),))]
    alerts.save(batch)
    before, skies = counts(), list(SkyObject.objects.values("pk", "evidence", "ra", "dec"))
    again = alerts.save(batch)
    assert counts() == before
    assert list(SkyObject.objects.values("pk", "evidence", "ra", "dec")) == skies
    assert (again.survey_objects, again.sky_objects, again.detections, again.labels) == (0, 0, 0, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_measurement_through_two_brokers_the_more_complete_copy_is_kept(db, order):
    whole, poor = curve(), curve(flux=1.0, ref_flux=np.nan, reliability=np.nan)  # the same candids
    new = [alerts.save([alert(rows=rows, broker=broker)]).detections for broker, rows in [("ztf", whole), ("lasair", poor)][::order]]
    assert new == [3, 0]
    assert sorted(Detection.objects.values_list("flux", flat=True)) == sorted(whole["flux"].tolist())


def test_nan_is_stored_as_null_and_read_as_nan(db):
    rows = curve(n=2, flux=[np.nan, 5.0], kind=[Kind.LIMIT, Kind.ALERT], ref_flux=np.nan, reliability=np.nan)
    alerts.save([alert(rows=rows)])
    assert Detection.objects.filter(flux__isnull=True).count() == 1
    back = lightcurves.split(lightcurves.read([SurveyObject.objects.get().pk]))
    (found,) = back.values()
    for name in DETECTION.names:
        np.testing.assert_array_equal(found[name], rows[name])


def test_two_surveys_of_one_source_share_a_sky_object_within_a_batch(db):
    saved = alerts.save([alert(), alert("lsst", "1", dec=2.0 + 0.5 * ARCSEC), alert("atlas", "A1", ra=150.0 + 1.0 * ARCSEC)])
    assert (saved.survey_objects, saved.sky_objects) == (3, 1)
    assert sorted(SurveyObject.objects.values_list("method", flat=True)) == ["position", "position", "position"]


@pytest.mark.parametrize(("ra", "dec"), [(150.0, 2.0), (359.99999, -30.0), (0.0, 0.0), (123.0, 89.9999), (45.0, -90.0), (200.0, 41.8103)])
def test_association_with_the_database_anywhere(db, ra, dec):
    """0.9 arcseconds along each axis, at RA 0/360, at the poles and where HEALPix cells meet."""
    alerts.save([alert(ra=ra, dec=dec)])
    shift = 0.9 * ARCSEC
    alerts.save([alert("lsst", "north", ra=ra, dec=dec + shift if dec < 89 else dec - shift)])
    if abs(dec) < 89.9:
        alerts.save([alert("ztf", "east", ra=(ra + shift / math.cos(math.radians(dec))) % 360.0, dec=dec)])
    assert SkyObject.objects.count() == 1
    assert SurveyObject.objects.get(object_id="north").separation == pytest.approx(0.9, abs=0.01)


def test_sources_apart_stay_apart(db):
    assert alerts.save([alert(), alert("lsst", "1", dec=2.0 + 4.0 * ARCSEC)]).sky_objects == 2
    assert alerts.save([alert("lsst", "2", dec=2.0 + 60.0 * ARCSEC)]).sky_objects == 1


def test_an_ambiguous_match_is_left_to_a_person(db):
    alerts.save([alert("lsst", "1", dec=2.0 - 1.3 * ARCSEC), alert("lsst", "2", dec=2.0 + 1.3 * ARCSEC)])
    saved = alerts.save([alert("atlas", "A1")])
    assert (saved.ambiguous, saved.sky_objects) == (1, 1)
    candidates = MatchCandidate.objects.filter(survey_object__object_id="A1", decided=False)
    assert sorted(c.sky_object.survey_objects.get().object_id for c in candidates) == ["1", "2"]
    assert [c.separation for c in candidates] == pytest.approx([1.3, 1.3], abs=0.01)


def test_moving_objects_are_never_matched(db):
    saved = alerts.save([alert(), alert("lsst", "ss1", moving=True), alert("lsst", "ss2", moving=True)])
    assert saved.sky_objects == 3
    assert alerts.save([alert("lsst", "3")]).sky_objects == 0
    assert SurveyObject.objects.get(object_id="3").sky_object.survey_objects.filter(survey="ztf").exists()


def test_a_moving_object_is_where_it_was_seen_last(db):
    rows = curve("lsst", "ss1", n=3, ra=[10.0, 11.0, 12.0])
    alerts.save([alert("lsst", "ss1", ra=12.0, rows=rows, moving=True)])
    assert SkyObject.objects.get().ra == pytest.approx(12.0)


def test_positions_are_weighted_means_of_detections_alone(db):
    rows = curve(n=3, dec=[2.0, 2.0 + 3 * ARCSEC, 80.0], position_err=[0.1, 0.2, 0.1], kind=[Kind.ALERT, Kind.ALERT, Kind.FORCED])
    alerts.save([alert(rows=rows, dec=2.0)])
    s = SkyObject.objects.get()
    assert (s.dec - 2.0) / ARCSEC == pytest.approx(3.0 * 25 / 125, abs=1e-6)
    assert s.position_err == pytest.approx(0.1)
    assert s.n_detections == 2


def test_an_object_without_detections_is_where_its_alert_says(db):
    alerts.save([alert(rows=curve(n=1, kind=Kind.LIMIT, flux=np.nan, ra=np.nan, dec=np.nan), ra=33.0, dec=-5.0)])
    s = SkyObject.objects.get()
    assert (s.ra, s.dec, s.n_detections, s.first_mjd) == (pytest.approx(33.0), pytest.approx(-5.0), 0, None)


class TestStamps:
    def slots(self):
        return {s.slot: (s.source_id.split("-")[1], bytes(s.science or b"")) for s in Stamps.objects.all()}

    def test_first_and_latest_whatever_the_order(self, db):
        one, two, three = (alert(n=1, first=i) for i in range(3))
        alerts.save([two])
        assert set(self.slots()) == {"first"}
        alerts.save([three])
        alerts.save([one])
        assert {slot: source for slot, (source, _) in self.slots().items()} == {"first": "0", "latest": "2"}
        assert self.slots()["first"][1] == b"ZTF26aaaaaaa-0 science"

    def test_an_alert_without_images_replaces_none_with_them(self, db):
        alerts.save([alert(n=1)])
        alerts.save([alert(n=1, first=5, images=False)])
        assert set(self.slots()) == {"first"}

    def test_images_that_come_later_are_taken(self, db):
        alerts.save([alert(n=1, images=False)])
        assert self.slots()["first"][1] == b""
        alerts.save([alert(n=1)])
        assert self.slots() == {"first": ("0", b"ZTF26aaaaaaa-0 science")}

    def test_metadata_is_what_json_can_hold(self, db):
        alerts.save([alert(metadata={"nan": math.nan, "text": "a\x00b", "number": np.float32(0.5), "big": 2**60, "many": (1, None)})])
        assert Stamps.objects.get().metadata == {"nan": None, "text": "ab", "number": 0.5, "big": 2**60, "many": [1, None]}


class TestLabels:
    def test_the_latest_word_counts_and_earlier_ones_stay(self, db):
        for day, label in enumerate(("SN", "AGN", "SN")):
            alerts.save(
                [alert(n=day + 1, labels=(BrokerLabel("alerce", "lc", "2", label, 0.8), BrokerLabel("alerce", "lc", "2", "VS", 0.1)))]
            )
        assert Classification.objects.count() == 3
        (word,) = latest([SkyObject.objects.get().pk])[SkyObject.objects.get().pk]
        assert (word.origin, word.label, word.probability, word.probabilities) == ("alerce", "SN", 0.8, {"SN": 0.8, "VS": 0.1})

    def test_hostile_texts_harm_no_database(self, db):
        hostile = "S\x00N\ud800<b>"
        alerts.save([alert(names=(hostile,), labels=(BrokerLabel("a\x00", hostile, hostile, hostile, 0.5),), metadata={hostile: hostile})])
        assert SurveyObject.objects.get().names == ["SN?<b>"]
        assert Classification.objects.get().label == "SN?<b>"
        assert Stamps.objects.get().metadata == {"SN?<b>": "SN?<b>"}

    def test_long_and_odd_ones_are_bounded(self, db):
        alerts.save([alert(labels=(BrokerLabel("b" * 99, "c" * 99, "v" * 99, "l" * 99, math.nan),))])
        word = Classification.objects.get()
        word.full_clean()
        assert word.probability == 0.0


class TestLoad:
    def test_a_merged_light_curve_in_order(self, db):
        alerts.save([alert(), alert("lsst", "1", n=2)])
        (loaded,) = sky.load([SkyObject.objects.get().pk], stamps=True)
        assert loaded.members == (("lsst", "1"), ("ztf", "ZTF26aaaaaaa"))
        assert len(loaded.detections) == 5
        assert (np.diff(loaded.detections["mjd"]) >= 0).all()
        assert not loaded.detections.flags.writeable
        assert [a.cutouts.science for a in loaded.alerts] == [b"1-1 science", b"ZTF26aaaaaaa-2 science"]
        assert loaded.alerts[0].metadata["rb"] == 0.9

    def test_without_stamps_no_image_is_read(self, db):
        alerts.save([alert()])
        (loaded,) = sky.load([SkyObject.objects.get().pk])
        assert [a.cutouts for a in loaded.alerts] == [None]

    def test_few_queries_however_many(self, db, django_assert_max_num_queries):
        alerts.save([alert(object_id=f"ZTF{i}", ra=10.0 + i) for i in range(50)])
        ids = list(SkyObject.objects.order_by("-pk").values_list("pk", flat=True))
        with django_assert_max_num_queries(4):
            loaded = sky.load(ids, stamps=True)
        assert [o.ra for o in loaded] == pytest.approx(list(SkyObject.objects.order_by("-pk").values_list("ra", flat=True)))

    def test_an_unknown_key_is_an_error(self, db):
        with pytest.raises(KeyError):
            sky.load([1])


def test_few_queries_in_steady_state(db, django_assert_max_num_queries):
    batch = [alert(object_id=f"ZTF{i}", ra=10.0 + i, n=20) for i in range(100)]
    alerts.save(batch)
    with django_assert_max_num_queries(25) as asked:
        alerts.save(batch)
    assert not [q["sql"] for q in asked.captured_queries if q["sql"].startswith("INSERT")]  # nothing has changed, and nothing is written


class TestOrder(TestCase):
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(st.permutations(range(7)), st.lists(st.integers(1, 6), max_size=4))
    def test_order_and_batches_do_not_matter(self, order, cuts):
        sources = [
            alert(n=2),
            alert(n=3, first=1),
            alert("lsst", "1", dec=2.0 + 0.4 * ARCSEC),
            alert("atlas", "A1", ra=150.0 + 1.1 * ARCSEC),
            alert("lsst", "2", dec=3.0),
            alert("ztf", "ZTF26b", dec=3.0 - 0.7 * ARCSEC),
            alert(rows=curve(n=2, flux=1.0, reliability=np.nan), broker="lasair"),  # poorer copies of the first
        ]
        pieces = np.split(np.array(order), sorted(cuts))
        for piece in pieces:
            alerts.save([sources[i] for i in piece])
        skies = SkyObject.objects.order_by("pk")
        found = {
            tuple(sorted(str(m) for m in s.survey_objects.all())): (
                round(s.ra, 8),
                round(s.dec, 8),
                s.n_detections,
                s.evidence,
                light_curve.detections.tobytes(),
            )
            for s, light_curve in zip(skies, sky.load([s.pk for s in skies]), strict=True)
        }
        assert set(found) == {("A1", "LSST 1", "ZTF26aaaaaaa"), ("LSST 2", "ZTF26b")}
        assert [f[2] for f in found.values()] == [10, 6] or [f[2] for f in found.values()] == [6, 10]
        if not hasattr(type(self), "seen"):
            type(self).seen = found
        assert found == type(self).seen


@pytest.mark.parametrize(
    "value", [1, 2.5, None, True, float("nan"), np.int64(3), np.float64(0.1), "x\x00y", "\ud800", "😀", (1, 2), {"z": b"x"}]
)
def test_metadata_that_is_plain_already_has_the_digest_of_the_cleaned(value):
    plain, text = stamps._plain(MappingProxyType({"b": value, "a": 1}))
    assert text == json.dumps(json_safe({"b": value, "a": 1}), sort_keys=True) == json.dumps(plain, sort_keys=True)


def test_a_repeat_does_not_touch_the_sky_object(db):
    alerts.save([alert()])
    before = SkyObject.objects.get().modified
    alerts.save([alert()])
    assert SkyObject.objects.get().modified == before
    alerts.save([alert(n=1, first=5)])
    assert SkyObject.objects.get().modified > before
