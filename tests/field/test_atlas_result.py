"""Results of the ATLAS server: a bad row is left out, and what cannot be read is let go (row 15)."""

from __future__ import annotations

import logging

import pytest
from tom_dataproducts.models import PhotometryReducedDatum
from tom_targets.models import Target, TargetExtra

from broker_adapters.brokers.atlas_forced import read
from tests.field import DATA
from tom_alerce.dataservices.atlas import KEY, AtlasDataService
from tom_alerce.dataservices.base import BrokerError


@pytest.mark.parametrize(
    ("name", "days"), [("06-atlas-fp-two-tables-joined.txt", [60300, 60301]), ("07-atlas-fp-one-bad-row.txt", [60300, 60302])]
)
def test_row_15_a_bad_row_or_a_second_header_is_left_out_and_told(name, days, caplog):
    with caplog.at_level(logging.WARNING):
        rows = read((DATA / name).read_text(), trusted=False)
    assert rows["mjd"].astype(int).tolist() == days
    assert ("1 (no time)" in caplog.text) == ("bad" in name)


@pytest.fixture
def service(settings, httpserver):
    """The data service, and a target of which the task is finished."""
    settings.TOM_ALERCE = {"BROKERS": {"atlas_forced": {"token": "t" * 40, "url": httpserver.url_for("/forcedphot"), "retries": 0}}}
    target = Target.objects.create(name="x", type="SIDEREAL", ra=150.0, dec=2.2)
    url = httpserver.url_for("/forcedphot/queue/7/")
    TargetExtra.objects.create(target=target, key=KEY, value=url)
    task = {"url": url, "starttimestamp": "x", "finishtimestamp": "y", "result_url": httpserver.url_for("/forcedphot/static/7.txt")}
    httpserver.expect_request("/forcedphot/queue/7/").respond_with_json(task)
    made = AtlasDataService()
    return made, made.build_query_parameters_from_target(target)


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "result"), [(200, "<html>Server Error</html>"), (200, ""), (200, "###MJD m\n1 2\n"), (404, "gone")])
def test_row_15_a_finished_result_that_cannot_be_read_is_let_go(service, httpserver, status, result):
    httpserver.expect_request("/forcedphot/static/7.txt").respond_with_data(result, status=status)
    with pytest.raises(BrokerError, match="cannot be read and is given up"):
        service[0].query_photometry(service[1])
    assert not TargetExtra.objects.filter(key=KEY).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_row_15_a_result_that_is_not_delivered_now_is_asked_for_again(service, httpserver, status):
    httpserver.expect_request("/forcedphot/static/7.txt").respond_with_data("later", status=status)
    with pytest.raises(BrokerError):
        service[0].query_photometry(service[1])
    assert TargetExtra.objects.filter(key=KEY).exists()


@pytest.mark.django_db
def test_row_03_a_measurement_in_the_future_does_not_move_the_start_of_a_new_task(service, httpserver):
    made, parameters = service
    target = Target.objects.get()
    TargetExtra.objects.all().delete()
    for i, mjd in enumerate((61000.0, 83000.0, "soon")):
        PhotometryReducedDatum.objects.create(
            target=target,
            timestamp="2026-01-01T00:00Z",
            bandpass="ATLAS-o",
            brightness=20.0 + i,
            value={"survey": "atlas", "source_id": str(i), "mjd": mjd},
        )
    httpserver.expect_request("/forcedphot/queue/").respond_with_json({"url": httpserver.url_for("/forcedphot/queue/8/")}, status=201)
    with pytest.raises(BrokerError, match="The task was sent"):
        made.query_photometry(parameters)
    assert float(httpserver.log[-1][0].form["mjd_min"]) == 61000.0 - 30.0
