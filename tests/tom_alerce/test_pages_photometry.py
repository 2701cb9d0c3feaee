"""Corrected light curves and statistics: the numbers of the page and of the API are those of `broker_adapters`, and plain JSON."""

import json

import numpy as np
import pytest
from django.urls import reverse

from broker_adapters import magstats
from broker_adapters.correction import correct
from broker_adapters.records import Kind
from tests.tom_alerce.alerts import alert, curve
from tom_alerce.models import SkyObject
from tom_alerce.pages import photometry
from tom_alerce.pages.figures.series import series
from tom_alerce.store import alerts

STAR = {"distnr": 0.4, "distpsnr1": 0.5, "sgscore1": 0.99, "chinr": 1.0, "sharpnr": 0.0}


@pytest.fixture
def variable():
    """Four measurements of one band on a reference source, one of them a limit, one below the reference."""
    rows = curve(n=4)
    rows["band"] = "r"
    rows["flux"], rows["ref_flux"], rows["ref_flux_err"] = [50_000.0, -20_000.0, 80_000.0, np.nan], 300_000.0, 1000.0
    rows["kind"][3], rows["ref_flux"][3] = Kind.LIMIT, np.nan
    return rows


def stored(rows, metadata):
    alerts.save([alert(rows=rows, metadata=metadata)])
    return SkyObject.objects.get()


def test_a_light_curve_is_plain_json_with_difference_and_total(variable):
    listed = json.loads(json.dumps(photometry.light_curve(variable, star=True), allow_nan=False))
    expected = correct(variable)
    assert [row["kind"] for row in listed] == ["alert", "alert", "alert", "limit"]
    assert [row["total_magnitude"] for row in listed[:3]] == pytest.approx(expected.magnitude[:3])
    assert [row["total_magnitude_err"] for row in listed[:3]] == pytest.approx(expected.error[:3])
    assert listed[0]["magnitude"] == pytest.approx(31.4 - 2.5 * np.log10(50_000.0))
    assert listed[1]["magnitude"] == pytest.approx(31.4 - 2.5 * np.log10(20_000.0))
    assert (listed[3]["flux"], listed[3]["total_magnitude"], listed[3]["dubious"]) == (None, None, False)


def test_the_error_of_a_total_is_smaller_for_a_star(variable):
    point, extended = (photometry.light_curve(variable, star)[0]["total_magnitude_err"] for star in (True, False))
    assert point < extended
    assert series(variable, "total", star=True)[0].errors[0] == pytest.approx(point)
    assert series(variable, "total")[0].errors[0] == pytest.approx(extended)


@pytest.mark.parametrize(("metadata", "star"), [(STAR, True), (STAR | {"sgscore1": 0.01}, False), ({}, False)])
def test_what_lies_under_the_object_is_read_from_its_alerts(db, variable, metadata, star):
    assert photometry.on_star(stored(variable, metadata)) is star


def test_the_api_gives_both(db, client, observer, variable):
    sky = stored(variable, STAR)
    listed = client.get(reverse("api:alerce-objects-light-curve", args=[sky.pk])).json()
    assert listed == json.loads(json.dumps(photometry.light_curve(variable, star=True)))
    told = client.get(reverse("api:alerce-objects-statistics", args=[sky.pk])).json()
    (band,) = magstats.by_band(variable)
    assert (told["object"]["ndet"], told["bands"][0]["survey"], told["bands"][0]["ndet"]) == (3, "ztf", 3)
    assert told["bands"][0]["magmean_corr"] == pytest.approx(float(band["magmean_corr"]))


def test_hidden_objects_have_no_light_curve_in_the_api(db, client, observer):
    for name in ("light-curve", "statistics"):
        assert client.get(reverse(f"api:alerce-objects-{name}", args=[999])).status_code == 404


def test_the_page_shows_the_statistics_of_each_band(db, client, observer, variable):
    sky = stored(variable, STAR)
    text = client.get(reverse("tom_alerce:object", args=[sky.pk])).content.decode()
    assert "Statistics by band" in text
    assert "<b>ZTF-r</b>" in text
    assert f"{31.4 - 2.5 * np.log10(80_000.0):.2f}" in text  # the brightest


def test_without_a_detection_there_are_no_statistics(db):
    assert photometry.statistics(curve(n=0)) == {"object": None, "bands": []}
