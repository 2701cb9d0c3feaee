"""Drift tells a changed night from another draw of the same sky; an occlusion map points at the source; the card is told as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from broker_adapters.records import SkyObject
from classifiers import __main__ as cli
from classifiers import population_stability
from classifiers.models import stamp_lsst
from classifiers.models.stamp import drift, explain, storage
from classifiers.models.stamp.preprocess import from_table
from classifiers.models.stamp.training import card, data, simulated_only
from classifiers.simulate.stamps import simulate
from classifiers.taxonomy import STAMP

CARDS = Path(__file__).resolve().parents[2] / "docs" / "model-cards"


def same(n):
    """Answers of a model that gives every alert the same probabilities."""
    return np.full((n, 5), 0.2)


def test_stability_of_the_same_and_of_another_distribution():
    rng = np.random.default_rng(4)
    trained = {"a": rng.normal(0, 1, 5000), "b": np.where(rng.random(5000) < 0.3, np.nan, rng.normal(size=5000))}
    reference = population_stability.Reference(**population_stability.reference(trained, same(5000)).arrays())
    again = {"a": rng.normal(0, 1, 400), "b": np.where(rng.random(400) < 0.3, np.nan, rng.normal(size=400))}
    assert all(abs(psi) < 0.05 for psi in population_stability.stability(again, same(400), reference).values())
    moved = {"a": again["a"] + 1, "b": np.where(rng.random(400) < 0.7, np.nan, again["b"])}
    found = population_stability.stability(moved, same(400), reference)
    # of two normal distributions one sigma apart the symmetric divergence is 1; the deciles lose some of it
    assert 0.5 < found["a"] < 1.2
    assert found["b"] > population_stability.ALARM
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_other_shares_of_classes_are_no_drift_and_odd_ones_of_a_class_are():
    rng = np.random.default_rng(7)
    truth = rng.random(6000) < 0.5
    answers = np.eye(5)[np.where(truth, 0, 3)]
    reference = population_stability.reference({"a": rng.normal(np.where(truth, 3, 0), 1)}, answers)
    night = rng.random(800) < 0.05
    said = np.eye(5)[np.where(night, 0, 3)]
    assert population_stability.stability({"a": rng.normal(np.where(night, 3, 0), 1)}, said, reference)["a"] < 0.1
    assert population_stability.stability({"a": rng.normal(1.5, 1, 800)}, said, reference)["a"] > population_stability.ALARM


def test_a_constant_or_missing_quantity_does_not_drift():
    reference = population_stability.reference({"a": np.zeros(50), "b": np.full(50, np.nan)}, same(50))
    found = population_stability.stability({"a": np.zeros(30), "b": np.full(30, np.nan)}, same(30), reference)
    assert all(abs(v) < 0.05 for v in found.values())


def test_the_map_points_at_the_source():
    model, _, _ = storage.load()
    drawn = simulate(["asteroid"] * 4, np.random.default_rng(3))
    inputs = from_table(drawn.stamps, drawn.columns)
    maps = [explain.occlusion(model, inputs.take([i])) for i in range(4)]
    mean = np.mean(maps, axis=0)
    assert mean.shape == (63, 63)
    assert mean[28:35, 28:35].mean() > 3 * np.abs(mean[:21]).mean()
    blank = from_table(np.full((1, 3, 63, 63), np.nan, np.float32), {})
    assert np.isnan(explain.occlusion(model, blank)).all()


def test_the_readable_card_is_that_of_the_shipped_model():
    assert (CARDS / "stamp.md").read_text() == card.markdown(storage.read_card())


@pytest.mark.parametrize("survey", ["atlas", "lsst"])
def test_the_readable_cards_of_other_surveys_say_that_they_are_experimental(survey):
    told = (CARDS / f"stamp_{survey}.md").read_text()
    assert told == simulated_only.markdown(storage.read_card(storage.shipped(survey)))
    assert "not known" in told


FAULTS = {
    "template lost": lambda i: replace(i, stamps=i.stamps[:, [0, 0, 2]]),
    "sign of the difference": lambda i: replace(i, stamps=i.stamps * np.array([1, 1, -1], np.float32)[:, None, None]),
    "cut elsewhere": lambda i: replace(i, stamps=np.roll(i.stamps, 8, axis=3)),
    "zero point": lambda i: replace(i, metadata={**i.metadata, "magpsf": i.metadata["magpsf"] + 2}),
    "catalogue lost": lambda i: replace(i, metadata={**i.metadata, "sgscore1": np.full(len(i), np.nan)}),
}


@pytest.mark.real_data
def test_a_fault_raises_the_alarm_and_a_sound_mixture_does_not(real_data):
    table = data.read(real_data / "dev")
    table = table.take(table.inputs.usable)
    inputs = table.inputs.take(table.first(labelled=False)[::4])
    assert max(drift.of_inputs(inputs)["beyond"].values()) < population_stability.ALARM
    for name, fault in FAULTS.items():
        assert max(drift.of_inputs(fault(inputs))["beyond"].values()) > population_stability.ALARM, name


@pytest.mark.real_data
def test_what_rubin_flags_as_a_dipole_is_mostly_bogus(real_data):
    alerts = simulated_only.packets(real_data / "dev/alerts/lsst")
    p = stamp_lsst.Model().predict([SkyObject(a.ra, a.dec, 0.1, a.detections, (a,)) for a in alerts]).probabilities
    assert np.isfinite(p).all()
    dipole = np.array([bool(a.metadata.get("isDipole")) for a in alerts])
    bogus = p[:, STAMP.index("bogus")]
    assert np.median(bogus[dipole]) > 0.5 > np.median(bogus[~dipole])


@pytest.mark.real_data
def test_the_training_alerts_have_not_drifted(real_data, capsys):
    assert cli.main(["drift", "stamp", "--data", str(real_data / "dev"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["n"] > 1000
    assert {"confidence", "embedding 1", "difference noise"} <= set(result["psi"])
    assert sum(result["classes"].values()) == pytest.approx(1, abs=1e-3)
    told = {name: psi for name, psi in result["psi"].items() if not name.startswith(("p(", "confidence"))}
    assert max(told.values()) < population_stability.ALARM  # the unlabelled half of them looks as the labelled one does


@pytest.mark.parametrize("survey", ["ztf", "atlas", "lsst"])
def test_the_reference_is_among_the_arrays_and_not_in_the_card(survey):
    model, _, shipped = storage.load(storage.shipped(survey))
    assert {"confidence", "embedding 1", "difference noise"} <= set(model.reference.names.tolist())
    for _, edges, shares in model.reference.bins():
        assert (np.diff(edges) > 0).all()
        assert shares.sum(axis=1) == pytest.approx(1, abs=1e-3)
    assert "drift_reference" not in shipped
