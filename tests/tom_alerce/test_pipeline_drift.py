"""Drift of the stamp classifier: nights against its training set, and the page that shows them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse

from classifiers.simulate.stamps import simulate
from tests.tom_alerce import factories
from tom_alerce.models import Drift, Explanation, Stamps
from tom_alerce.pages import images
from tom_alerce.pages.figures import nights
from tom_alerce.pipeline import drift
from tom_alerce.store import drift as drift_store
from tom_alerce.store import explanations

pytestmark = pytest.mark.django_db


def night(day, psi, classes=None):
    return drift_store.save("stamp", "1.0", dt.date(2026, 11, day), {"n": 312, "psi": psi, "classes": classes or {"SN": 0.25, "VS": 0.75}})


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


def test_values_beyond_the_scale_are_drawn_as_such():
    rows = [night(day, {"colour": value}) for day, value in ((1, 0.1), (2, 5.9), (3, 1.0))]
    plot = nights.drift(rows, 0.25)
    assert [note.label for note in plot.notes] == ["5.9"]
    dots, beyond = (layer.d for layer in plot.layers if layer.css.startswith("detection"))
    assert dots.count("M") == 2
    assert beyond.count("M") == 1
    assert "1 nights beyond" not in plot.summary
    assert "up to 5.9" in plot.summary
    assert not nights.drift([rows[0], rows[2]], 0.25).notes


@pytest.mark.parametrize(("psi", "warns"), [(0.1, False), (0.9, True)])
def test_the_board_warns_when_the_drift_page_does(client, psi, warns):
    client.force_login(factories.user())
    night(1, {"colour": 0.9 - psi})
    night(2, {"colour": psi})
    assert ("drifted" in client.get(url("drift")).content.decode()) is warns
    assert ("unlike those on which the stamp classifier was trained" in client.get(url("board")).content.decode()) is warns


def test_the_demo_says_that_its_night_is_simulated(client):
    client.force_login(factories.user("demo", is_superuser=True))
    night(1, {"colour": 5.9})
    for page in ("drift", "board"):
        text = client.get(url(page)).content.decode()
        assert "simulated" in text
        assert "tag warn" not in text
