"""The stamp classifier watched: nights against what it was trained on, maps of what it looked at, and the pages that show them."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse
from PIL import Image

from classifiers.simulate.stamps import simulate
from tests.tom_alerce import factories
from tom_alerce.models import Drift, Explanation, Stamps
from tom_alerce.pages import images
from tom_alerce.pages.figures import nights
from tom_alerce.pipeline import drift, explain
from tom_alerce.store import drift as drift_store
from tom_alerce.store import explanations

pytestmark = pytest.mark.django_db


def night(day, psi, classes=None):
    return drift_store.save("stamp", "1.0", dt.date(2026, 11, day), {"n": 312, "psi": psi, "classes": classes or {"SN": 0.25, "VS": 0.75}})


def explained(sky):
    (row,) = explain.explainable([sky.pk])
    weights = np.zeros((63, 63))
    weights[3:10, 3:10], weights[53:60, 3:10] = 0.5, -0.4
    return explanations.save(row, "stamp", "1.0", ("SN", 0.81), weights)


def said(response):
    *_, last = response.wsgi_request._messages
    return str(last)


def url(name, *args):
    return reverse(f"tom_alerce:{name}", args=args)


@pytest.mark.parametrize(("mjd", "day"), [(61000.82, 20), (61000.84, 21), (61001.2, 21), (61001.8, 21)])
def test_a_night_runs_from_noon_to_noon_at_palomar(mjd, day):
    found = drift.night_of(mjd)
    assert found == dt.date(2025, 11, day)  # MJD 61000 is 2025-11-21
    assert 0 <= mjd - drift.start_of(found) < 1


def test_a_night_is_compared_and_an_alert_explained_once(capsys):
    drawn = simulate(["SN", "VS", "asteroid"] * 12, np.random.default_rng(1))
    mjd = drift.start_of(dt.date(2026, 11, 20)) + 0.3
    for stamps, metadata in zip(drawn.stamps, drawn.metadata, strict=True):
        sky = factories.sky_object(images=False)
        files = dict(zip(images.KINDS, (factories.fits_gz(s) for s in stamps), strict=True))
        Stamps.objects.create(survey_object=sky.survey_objects.get(), slot="first", source_id="1", mjd=mjd, metadata=metadata, **files)
    call_command("alerce_drift", nights=3)
    row = Drift.objects.get()
    assert (row.night, row.n) == (dt.date(2026, 11, 20), 36)
    assert sum(row.classes.values()) == pytest.approx(1, abs=0.01)
    assert {"confidence", "embedding 1", "magpsf"} <= set(row.psi)
    call_command("alerce_drift")
    assert Drift.objects.count() == 1
    call_command("alerce_explain", str(sky.pk))
    call_command("alerce_explain", str(sky.pk))
    said = capsys.readouterr().out
    assert "night of 2026-11-20: 36 alerts" in said
    assert said.endswith("1 new maps of 1 objects\n0 new maps of 1 objects\n")
    found = explanations.weights(Explanation.objects.get())
    assert found.shape == (63, 63)
    assert np.abs(found).max() > 0


def test_few_alerts_are_no_night(capsys):
    factories.sky_object()
    call_command("alerce_drift")
    assert "no night has 30" in capsys.readouterr().out
    call_command("alerce_explain")
    assert "0 new maps of 0 objects" in capsys.readouterr().out


def test_the_page_says_whether_to_trust(client, observer, settings):
    assert "alerce_drift" in client.get(url("drift")).content.decode()
    night(20, {"p(SN)": 0.1, "magpsf": 0.02})
    text = client.get(url("drift")).content.decode()
    assert "as trained" in text
    night(21, {"embedding 1": 0.62, "science noise": 0.3, "p(SN)": 0.1}, {"SN": 0.5, "VS": 0.5})
    text = client.get(url("drift")).content.decode()
    assert "2 of 3 quantities" in text
    assert "most of all <b>embedding 1</b>" in text
    assert '<td class="n">50 %</td><td class="n quiet">25 %</td>' in text
    settings.TOM_ALERCE = {"DRIFT_ALARM": 0.7}
    assert "as trained" in client.get(url("drift")).content.decode()


def test_the_plot_groups_quantities():
    rows = [night(1, {"p(SN)": 0.3, "difference noise": 0.1}), night(5, {"confidence": 0.2, "embedding 2": 9.0, "g-r": 0.4})]
    plot = nights.drift(rows, 0.25)
    assert [name for name, _ in plot.names] == ["answers", "images", "embedding", "metadata"]
    assert plot.y_ticks[0].label == "0"
    assert nights.drift([], 0.25) is None
    assert nights.drift(rows[:1], 0.25) is not None


def test_an_object_shows_what_was_looked_at(client, observer):
    sky = factories.sky_object()
    page = client.get(url("object", sky.pk)).content.decode()
    assert "not computed yet" in page
    made = explained(sky)
    page = client.get(url("object", sky.pk)).content.decode()
    assert "Why SN" in page
    assert "0.81 by the images alone" in page
    picture = client.get(url("explanation", made.pk))
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (images.LARGER * (3 * images.SIDE + 2 * images.GAP), images.LARGER * images.SIDE)
        pixels = np.asarray(image.convert("RGB"))
    for colour, corner in ((images.FOR, pixels[-60:, :60]), (images.AGAINST, pixels[:60, :60])):  # first row at the bottom
        assert (corner == colour).all(axis=-1).any()
    assert not (pixels[:60, :60] == images.FOR).all(axis=-1).any()


def test_stamps_of_another_alert_make_a_map_stale(client, observer):
    sky = factories.sky_object()
    made = explained(sky)
    Stamps.objects.filter(pk=made.stamps_id).update(source_id="another")
    assert "not computed yet" in client.get(url("object", sky.pk)).content.decode()


def test_a_map_is_seen_by_those_who_see_the_object(client, observer):
    made = explained(factories.sky_object(target=factories.target(permissions="PRIVATE")))
    assert client.get(url("explanation", made.pk)).status_code == 404
    assert client.post(url("explain", made.stamps.survey_object.sky_object_id)).status_code == 404
    client.logout()
    assert client.get(url("drift")).status_code == 302


def test_an_experimental_word_is_marked(client, observer):
    sky = factories.sky_object()
    factories.classification(sky, "stamp")
    assert "experimental" not in client.get(url("object", sky.pk)).content.decode()
    factories.classification(sky, "stamp_lsst", version="0.1 experimental")
    assert '<span class="tag warn">experimental</span>' in client.get(url("object", sky.pk)).content.decode()


def test_no_web_process_explains(client, observer, settings):
    sky = factories.sky_object()
    response = client.post(url("explain", sky.pk))
    assert "manage.py alerce_explain" in said(response)
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.database.DatabaseBackend", "ENQUEUE_ON_COMMIT": False}}
    response = client.post(url("explain", sky.pk))
    assert "a worker does it" in said(response)
    assert not Explanation.objects.exists()
    code = "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'demo.settings'; django.setup(); import tom_alerce.urls"
    subprocess.run([sys.executable, "-c", f"{code}; sys.exit('tensorflow' in sys.modules)"], check=True)
