from datetime import datetime, timezone

import numpy as np
import pytest
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import BaseTarget

from broker_adapters.records import Kind, blank
from tom_alerce.store.photometry import save_photometry

pytestmark = pytest.mark.django_db


@pytest.fixture
def target():
    return BaseTarget.objects.create(name="SN 2026asx", type="SIDEREAL", ra=187.0, dec=6.9)


@pytest.fixture
def rows():
    """A detection of 20 mag (at 31.4 for 1 nJy: 10**4.56 nJy), a limit, a faint and a bright forced point, a negative detection."""
    rows = blank(5)
    rows["survey"], rows["band"], rows["source_id"] = "ztf", "r", ["1", "2", "3", "4", "5"]
    rows["kind"] = [Kind.ALERT, Kind.LIMIT, Kind.FORCED, Kind.FORCED, Kind.ALERT]
    rows["mjd"] = 51544.5 + np.arange(5)
    rows["flux"] = [10**4.56, np.nan, 2000.0, -9000.0, -5000.0]
    rows["flux_err"] = [3000.0, 1000.0, 1000.0, 1000.0, 1000.0]
    rows["reliability"] = np.float32(0.9)
    return rows


def shown():
    return {d.value["source_id"]: (d.brightness, d.brightness_error, d.limit) for d in PhotometryReducedDatum.objects.all()}


def test_what_the_toolkit_shows(target, rows):
    assert save_photometry(target, rows, "a service") == 5
    datum = PhotometryReducedDatum.objects.get(value__source_id="1")
    assert datum.timestamp == datetime(2000, 1, 1, 12, tzinfo=timezone.utc)
    assert (datum.bandpass, datum.instrument, datum.source_name) == ("ZTF-r", "ZTF", "a service")
    assert datum.brightness == pytest.approx(20.0, abs=1e-9)
    assert datum.brightness_error == pytest.approx(1.0857362 * 3000 / 10**4.56, rel=1e-6)
    assert datum.value["flux"] == 10**4.56
    assert datum.value["kind"] == "alert"
    assert "ref_flux" not in datum.value
    limit = 31.4 - 2.5 * np.log10(5000.0)
    assert shown()["2"] == (None, None, pytest.approx(limit))
    assert shown()["3"] == (None, None, pytest.approx(limit))
    assert shown()["4"] == shown()["5"] == (None, None, None)
    assert PhotometryReducedDatum.objects.get(value__source_id="5").value["flux"] == -5000.0


def test_the_same_again_changes_nothing(target, rows):
    save_photometry(target, rows)
    before = set(PhotometryReducedDatum.objects.values_list("pk", flat=True))
    assert save_photometry(target, rows[::-1]) == 0
    assert set(PhotometryReducedDatum.objects.values_list("pk", flat=True)) == before


def test_a_revised_measurement_replaces_the_old_one(target, rows):
    save_photometry(target, rows, "first")
    rows["flux_err"][0] *= 2
    rows["flux"][3] = 9000.0
    assert save_photometry(target, rows, "second") == 2
    assert PhotometryReducedDatum.objects.count() == 5
    assert shown()["1"][1] == pytest.approx(2 * 1.0857362 * 3000 / 10**4.56, rel=1e-6)
    assert shown()["4"][0] == pytest.approx(31.4 - 2.5 * np.log10(9000.0))
    assert set(PhotometryReducedDatum.objects.values_list("source_name", flat=True)) == {"first"}


def test_a_point_that_another_service_brought_is_no_error(target, rows):
    save_photometry(target, rows[:1])
    PhotometryReducedDatum.objects.update(value={})
    save_photometry(target, rows[:1])
    assert PhotometryReducedDatum.objects.count() == 1


def test_two_objects_of_one_target_may_share_a_limit(target, rows):
    rows = rows[[1, 1]]
    rows["source_id"] = ["a", "b"]
    save_photometry(target, rows)
    save_photometry(target, rows)
    assert PhotometryReducedDatum.objects.count() == 1


def test_surveys_with_equal_ids_are_told_apart_and_targets_too(target, rows):
    rows = rows[[0, 0]]
    rows["survey"] = ["ztf", "atlas"]
    other = BaseTarget.objects.create(name="other", type="SIDEREAL", ra=1.0, dec=6.9)
    assert save_photometry(target, rows) == save_photometry(other, rows) == 2


def test_queries_do_not_grow_with_the_light_curve(target, rows, django_assert_max_num_queries):
    many = rows[np.arange(400) % 5]
    many["source_id"] = np.arange(400).astype(str)
    many["mjd"] += np.arange(400)
    with django_assert_max_num_queries(12):
        assert save_photometry(target, many) == 400


def test_nothing_is_nothing(target):
    assert save_photometry(target, blank(0)) == 0
