"""A survey is one file: WINTER, in a package of a third party that the settings name, goes all the way from bytes to the pages.

Nothing but that file knows of WINTER; the same file passes the contract of surveys (``tests/contracts``).
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.urls import reverse

from broker_adapters import plugins, surveys
from broker_adapters.sources.files import Packet
from classifiers.models.lightcurve.series import light_curve
from tests.tom_alerce import factories
from tom_alerce.models import Detection, Rank, SkyObject, SurveyObject
from tom_alerce.pages.figures import interactive, svg
from tom_alerce.pages.summaries import summarise
from tom_alerce.pipeline import ingest, rank
from tom_alerce.store import sky, targets

pytestmark = pytest.mark.django_db
HERE = Path(__file__).parent
NAME = "observatory_of_the_test.winter"
SITE = {"name": "equator", "latitude": 0.0, "longitude": 0.0, "elevation": 0.0}
LATEST = 61107.3 + 60 / 86400


@pytest.fixture(autouse=True)
def winter(tmp_path, monkeypatch, settings):
    """A package of one file, named in the settings."""
    package = tmp_path / NAME.partition(".")[0]
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(HERE / "contracts" / "third_party" / "winter.py", package)
    monkeypatch.syspath_prepend(tmp_path)
    settings.TOM_ALERCE = {"SURVEYS": ["ztf", NAME], "CLASSIFIERS": [], "SITE": SITE, "FACILITY": {"name": "fake"}}
    yield
    for module in [m for m in sys.modules if m.startswith(package.name)]:
        del sys.modules[module]


@pytest.fixture
def packets():
    """One packet of WINTER, and one of ZTF of the same source, 0.1 arcsec away."""
    return [
        Packet("night", "winter", (HERE / "contracts" / "third_party" / "data" / "winter" / "night.packet").read_bytes()),
        Packet("night", "ztf", (HERE / "data" / "ztf" / "4.02" / "history.avro").read_bytes()),
    ]


@pytest.fixture
def source(packets):
    """The sky object that both packets are about."""
    report = ingest.ingest(packets)
    assert (report.read, report.refused) == ({"winter": 1, "ztf": 1}, 0)
    return SkyObject.objects.get()


def test_it_is_known_while_the_settings_name_it(settings):
    assert run_checks(tags=["tom_alerce"]) == []
    assert surveys.about("winter").telescope == "Palomar 1-m"
    assert [survey.name for survey in surveys.known()] == ["ztf", "atlas", "lsst", "winter"]
    settings.TOM_ALERCE = {}
    assert "winter" not in [survey.name for survey in surveys.known()]
    assert plugins.every("broker_adapters.surveys") == plugins.names("broker_adapters.surveys")


def test_packets_become_rows_with_the_whole_name_and_whole_bands(source):
    member = SurveyObject.objects.get(survey="winter")
    assert (member.object_id, str(member), member.sky_object, member.method) == ("WNTR26abcde", "WNTR26abcde", source, "position")
    rows = Detection.objects.filter(survey_object=member).order_by("mjd").values_list("survey", "band", "source_id", "flux", "flux_err")
    assert list(rows) == [
        ("winter", "Y", "9007199254740993121", None, 5000.0),
        ("winter", "Hs", "9007199254740993122", -40000.0, 4000.0),
        ("winter", "J", "9007199254740993123", 60000.0, 3000.0),
    ]


def test_the_merged_object_keeps_both_surveys_and_the_light_curve_its_families(source):
    (merged,) = sky.load([source.pk])
    assert merged.members == (("winter", "WNTR26abcde"), ("ztf", "ZTF26abcdefg"))
    assert set(merged.detections["survey"].tolist()) == {"winter", "ztf"}
    curve = light_curve(merged.detections)
    assert curve.surveys == ("ztf",)  # infrared bands are neither g nor r
    assert curve.n_detections == 4


def test_figures_have_its_bands_symbol_and_colours(source):
    rows = summarise([source], factories.user())[source.pk].detections
    traces = {trace["name"]: trace for trace in interactive.figures(rows)["flux"]["data"]}
    assert {"WINTER-J", "WINTER-Hs", "WINTER-Y limit", "ZTF-g"} <= set(traces)
    assert traces["WINTER-J"]["marker"]["symbol"] == "triangle-up"
    assert traces["WINTER-Hs"]["meta"] == {"band": "Hs"}
    plot = svg.light_curve(rows, LATEST + 1.0)
    assert {"WINTER-J", "WINTER-Hs", "WINTER-Y"} <= {name for name, _ in plot.names}
    assert "detection survey-winter band-J" in {layer.css for layer in plot.layers}


def test_pages_show_it(client, source):
    client.force_login(factories.user())
    page = client.get(reverse("tom_alerce:object", args=[source.pk])).content.decode()
    for text in ("https://example.org/winter/WNTR26abcde", "WINTER-J", "--band-Hs:color-mix(in oklab, #8c510a 85%", ".band-Y{--band:"):
        assert text in page
    rank.rank(at=LATEST)
    assert Rank.objects.get().terms["confirmation"]["reason"].startswith("seen 7 times in 5 nights by WINTER, ZTF")
    board = client.get(reverse("tom_alerce:board"), {"ranking": Rank.objects.get().ranking_id}).content.decode()
    assert "band-J" in board
    assert "WINTER 2" in client.get(reverse("tom_alerce:rank-more", args=[Rank.objects.get().pk])).content.decode()


def test_the_api_lists_it_and_finds_it_by_survey(client, source):
    client.force_login(factories.user())
    (found,) = client.get(reverse("api:alerce-objects-list"), {"survey": "winter"}).json()["results"]
    assert found["name"] == "ZTF26abcdefg"
    members = {one["survey"]: one["object_id"] for one in found["survey_objects"]}
    assert members == {"ztf": "ZTF26abcdefg", "winter": "WNTR26abcde"}


def test_a_target_of_it_has_its_photometry(source):
    from tom_dataproducts.models import PhotometryReducedDatum

    target = targets.promote(source)
    datums = PhotometryReducedDatum.objects.filter(target=target, value__survey="winter")
    assert {(d.bandpass, d.telescope, d.instrument) for d in datums} == {
        (f"WINTER-{band}", "Palomar 1-m", "WINTER") for band in ("Y", "J", "Hs")
    }
    assert datums.get(bandpass="WINTER-J").brightness == pytest.approx(31.4 - 2.5 * np.log10(60000.0))


def test_the_command_reads_it_and_the_fake_broker_relays_it(packets, tmp_path, settings):
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "one").write_bytes(packets[0].data)
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "BROKERS": {"fake": {"folder": str(tmp_path / "night")}}}
    call_command("alerce_poll", since=61000.0)
    assert SurveyObject.objects.get().survey == "winter"
    before = Detection.objects.count()
    call_command("alerce_ingest", str(tmp_path / "night"))
    assert Detection.objects.count() == before == 3


def test_pages_still_work_when_it_is_gone(client, source, settings):
    settings.TOM_ALERCE = {"CLASSIFIERS": [], "SITE": SITE}
    client.force_login(factories.user())
    page = client.get(reverse("tom_alerce:object", args=[source.pk]))
    assert page.status_code == 200
    assert "WINTER-J" in page.content.decode()
    assert json.dumps(interactive.figures(summarise([source], factories.user("other"))[source.pk].detections))
    assert surveys.about("winter").bands == ()
