import io
import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from broker_adapters import healpix
from broker_adapters.catalogues import _answers
from tests.tom_alerce import factories
from tom_alerce.models import SkyCell
from tom_alerce.store import context

pytestmark = pytest.mark.django_db

RA, DEC = 150.0, 2.0


def answer(ra=RA, dec=DEC):
    names = ("objID", "raStack", "decStack", "iKronMag", "iPSFMag", "rKronRad")
    return json.dumps({"info": [{"name": n} for n in names], "data": [["123", ra, dec, 17.5, 18.5, 4.0]]})


@pytest.fixture
def service(httpserver, monkeypatch):
    monkeypatch.setattr(_answers, "budget", lambda *_: None)
    with override_settings(TOM_ALERCE={"CATALOGUES": {"galaxies": {}, "panstarrs": {"url": httpserver.url_for("/"), "timeout": 1.0}}}):
        yield httpserver


def test_what_is_packaged_needs_no_network():
    found = context.around([159.447266], [-27.08124], 60.0)
    assert "IC 2597" in found.sources["id"]
    assert found.unknown == {}


def test_a_place_is_asked_about_once_in_a_month(service):
    service.expect_request("/").respond_with_data(answer())
    assert context.around(RA, DEC, 60.0).unknown == {"panstarrs": "not asked about this place yet"}
    assert not service.log
    assert "123" in context.around(RA, DEC, 60.0, remote=True).sources["id"]
    found = context.around([RA + 3 / 3600, 10.0], [DEC, np.nan], 60.0, remote=True)
    assert found.sources["separation"][found.sources["id"] == "123"] == pytest.approx(3.0, abs=0.01)
    assert found.unknown == {}
    assert len(service.log) == 1
    SkyCell.objects.update(fetched=timezone.now() - timedelta(days=context.FRESH + 1))
    context.around(RA, DEC, 60.0, remote=True)
    assert len(service.log) == 2
    assert SkyCell.objects.count() == 1


def test_services_learn_of_cells_and_not_of_places(service):
    service.expect_request("/").respond_with_data(answer())
    context.around(RA, DEC, 60.0, remote=True)
    asked = service.log[0][0].args
    middle = healpix.centres([healpix.cell(RA, DEC)])
    assert float(asked["ra"]) == pytest.approx(middle[0][0], abs=1e-6)
    assert float(asked["radius"]) == pytest.approx(48.0 / 3600.0, abs=1e-6)


def test_a_failure_is_unknown_and_everything_else_answers(service):
    service.expect_request("/").respond_with_data("down", 501)
    found = context.around([159.447266], [-27.08124], 60.0, remote=True)
    assert "501" in found.unknown["panstarrs"]
    assert "IC 2597" in found.sources["id"]


def test_wrong_settings_are_unknown_too():
    with override_settings(TOM_ALERCE={"CATALOGUES": {"nonsense": {}, "galaxies": {"size": 1}, "stars": {}}}):
        found = context.around([200.981], [54.925], 60.0)
    assert set(found.unknown) == {"nonsense", "galaxies"}
    assert len(found.sources) > 0


def test_the_command_asks_about_the_latest_objects(service):
    service.expect_request("/").respond_with_data(answer())
    factories.sky_object(ra=RA, dec=DEC)
    out = io.StringIO()
    call_command("alerce_catalogues", "ask", stdout=out)
    assert "1 objects: 1 sources" in out.getvalue()
    call_command("alerce_catalogues", "ask", stdout=out)
    assert len(service.log) == 1


def test_the_command_names_the_catalogue_that_did_not_answer(service):
    service.expect_request("/").respond_with_data("down", 501)
    factories.sky_object(ra=RA, dec=DEC)
    with pytest.raises(CommandError, match="panstarrs"):
        call_command("alerce_catalogues", "ask", stdout=io.StringIO())


def test_the_command_asks_about_nothing_where_there_is_nothing(service):
    out = io.StringIO()
    call_command("alerce_catalogues", "ask", stdout=out)
    assert "0 objects" in out.getvalue()
    with pytest.raises(CommandError, match="what is to be fetched"):
        call_command("alerce_catalogues", "fetch")
