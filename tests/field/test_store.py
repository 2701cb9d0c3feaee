"""Rows of the field whose root was identity or order in place of content: what the store keeps, and what is current."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from broker_adapters.packets import read
from classifiers.records import Classification
from tests.field import DATA
from tests.tom_alerce.alerts import alert, curve
from tom_alerce.models import Detection, SkyObject, Stamps, SurveyObject
from tom_alerce.pipeline import promotion
from tom_alerce.store import alerts, classifications, linking
from tom_alerce.store.candidates import candidates

pytestmark = pytest.mark.django_db


def packets(*names):
    return [read((DATA / f"{name}.avro").read_bytes()) for name in names]


def save_apart(batch):
    for one in batch:
        alerts.save([one])


def evidence():
    return SkyObject.objects.get().evidence


def test_row_09_unlinked_objects_have_the_class_of_their_own_evidence_again():
    alerts.save([alert(), alert("lsst", "1", dec=2.0 + 6.0 / 3600.0)])

    def classify(name, label):
        sky = SurveyObject.objects.get(object_id=name).sky_object
        probabilities = np.array([[0.9, 0.1] if label == "SN" else [0.1, 0.9]])
        classifications.save(Classification("stamp", "1", ("SN", "AGN"), probabilities), [sky])

    def current():
        by_sky = {s.pk: s.sky_object_id for s in SurveyObject.objects.all()}
        latest = classifications.latest(by_sky.values())
        return [latest[SurveyObject.objects.get(object_id=name).sky_object_id][0].label for name in ("ZTF26aaaaaaa", "1")]

    classify("ZTF26aaaaaaa", "SN")
    classify("1", "SN")
    linking.link(SurveyObject.objects.get(object_id="1"), SurveyObject.objects.get(object_id="ZTF26aaaaaaa").sky_object)
    classify("1", "AGN")
    assert current() == ["AGN", "AGN"]
    linking.unlink(SurveyObject.objects.get(object_id="1"))
    assert current() == ["SN", "SN"]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("deliver", [alerts.save, save_apart])
def test_row_10_an_alert_without_images_never_stands_before_one_with(deliver, order):
    without, with_ = packets("05a-ztf-first-alert-no-cutouts", "05b-ztf-second-alert-with-cutouts")
    deliver([without, with_][::order])
    row = Stamps.objects.get()
    assert (row.slot, row.source_id, bytes(row.science)) == ("first", with_.source_id, with_.cutouts.science)


def test_row_11_images_that_come_later_are_new_evidence():
    without, with_ = packets("11a-same-alert-without-cutouts", "11b-same-alert-with-cutouts")
    assert without.source_id == with_.source_id
    alerts.save([without])
    before = evidence()
    alerts.save([with_])
    assert evidence() != before
    assert bytes(Stamps.objects.get().difference) == with_.cutouts.difference


def test_row_11_the_evidence_does_not_depend_on_the_order_of_the_copies():
    both, seen = packets("11a-same-alert-without-cutouts", "11b-same-alert-with-cutouts"), set()
    for order in ([0, 1], [1, 0], [1], [0, 1, 0]):
        Detection.objects.all().delete()
        Stamps.objects.all().delete()
        save_apart([both[i] for i in order])
        seen.add(evidence())
    assert len(seen) == 1


def test_row_12_a_measurement_without_flux_is_completed_and_is_new_evidence():
    first, later = packets("04a-lsst-history-nan-first", "04b-lsst-same-sources-with-flux")
    alerts.save([first])
    before = evidence()
    alerts.save([later])
    assert evidence() != before
    assert not Detection.objects.filter(kind=0, flux=None).exists()
    known = dict(zip(later.detections["source_id"].tolist(), later.detections["flux"].tolist(), strict=True))
    for source_id, flux in Detection.objects.filter(source_id__in=known).values_list("source_id", "flux"):
        assert flux == pytest.approx(known[source_id])


def test_row_12_the_completed_evidence_is_that_of_any_order():
    both, seen = packets("04a-lsst-history-nan-first", "04b-lsst-same-sources-with-flux"), set()
    for order in itertools.permutations(both):
        Detection.objects.all().delete()
        Stamps.objects.all().delete()
        save_apart(order)
        seen.add(evidence())
    assert len(seen) == 1


ASTEROID = ("01a-first-alert-near-asteroid", "01b-later-alert-four-nights")


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("deliver", [alerts.save, save_apart])
def test_row_04_a_transient_that_an_asteroid_passed_is_fixed(deliver, order):
    deliver(packets(*ASTEROID)[::order])
    sky = SkyObject.objects.get()
    assert (sky.moving, SurveyObject.objects.get().moving) == (False, False)
    assert promotion.wanted(sky, []) is False
    assert [one.key for one in candidates(SkyObject.objects.filter(moving=False))] == [str(sky.pk)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_row_04_it_is_matched_to_the_other_surveys_in_any_order(order):
    near, later = packets(*ASTEROID)
    other = alert("lsst", "1", ra=later.ra, dec=later.dec + 0.3 / 3600.0)
    save_apart([[near, later, other][i] for i in order])
    assert SkyObject.objects.count() == 1
    assert set(SurveyObject.objects.values_list("method", flat=True)) == {"position", "new"}


def test_row_04_it_becomes_a_target_by_a_rule(settings):
    settings.TOM_ALERCE = {"PROMOTION": [{"n_detections": 2}]}
    save_apart(packets(*ASTEROID))
    assert promotion.promote([SkyObject.objects.get().pk]) == ["ZTF26abcdefg"]


def test_row_04_an_asteroid_stays_one():
    (near,) = packets(ASTEROID[0])
    alerts.save([near])
    assert SkyObject.objects.get().moving
    again = curve("ztf", near.object_id, ra=near.ra, dec=near.dec, n=1, mjd=near.mjd + 0.05, source_id=["7"])
    alerts.save([alert("ztf", near.object_id, rows=again, mjd=near.mjd + 0.05)])  # the same night, half an hour later
    assert SkyObject.objects.get().moving
