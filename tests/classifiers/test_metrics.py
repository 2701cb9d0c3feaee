"""Metrics against hand-made cases and scikit-learn, folds against their promise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, recall_score

from classifiers import __main__ as cli
from classifiers.training import metrics
from classifiers.training.folds import disjoint_folds

CLASSES = ("a", "b", "c")


def one_hot(labels, confidence=1.0):
    k = len(CLASSES)
    p = np.full((len(labels), k), (1 - confidence) / (k - 1))
    p[np.arange(len(labels)), [CLASSES.index(x) for x in labels]] = confidence
    return p


def test_hand_made_case():
    truth = ["a", "a", "a", "b"]
    result = metrics.metrics(truth, one_hot(["a", "a", "b", "b"]), CLASSES, subsets={"first": ["a"]})
    assert result["recall"] == {"a": pytest.approx(2 / 3, abs=1e-5), "b": 1.0, "c": None}
    assert result["precision"]["b"] == 0.5
    assert result["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-5)
    assert result["balanced_accuracy_first"] == pytest.approx(2 / 3, abs=1e-5)
    assert result["ece"] == pytest.approx(0.25)  # confidence 1, accuracy 3/4
    assert result["ece_balanced"] == pytest.approx(1 / 6, abs=1e-5)  # a: two of three right, b: one of one, each with half the weight
    json.dumps(result, allow_nan=False)
    assert "cannot" not in metrics.table(result)


def test_silence_is_not_rewarded():
    p = one_hot(["a", "b", "c"])
    p[1] = np.nan
    result = metrics.metrics(["a", "b", "c"], p, CLASSES)
    assert result["n_cannot_say"] == 1
    assert result["recall"]["b"] == 0.0


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=60))
def test_agrees_with_sklearn(pairs):
    truth, winner = zip(*pairs, strict=True)
    present = sorted(set(truth))
    result = metrics.metrics(truth, one_hot(winner, 0.8), CLASSES, resamples=2)
    expected = recall_score(truth, winner, labels=present, average="macro", zero_division=0)
    assert result["balanced_accuracy"] == pytest.approx(expected, abs=1e-5)
    expected = f1_score(truth, winner, labels=present, average="macro", zero_division=0)
    assert result["macro_f1"] == pytest.approx(expected, abs=1e-5)


def test_bootstrap_interval_is_the_binomial_one():
    truth = ["a"] * 400 + ["b"] * 400
    winner = ["a"] * 320 + ["b"] * 80 + ["b"] * 400
    low, high = metrics.metrics(truth, one_hot(winner), CLASSES)["ci"]["recall a"]
    sigma = np.sqrt(0.8 * 0.2 / 400)
    assert low == pytest.approx(0.8 - 1.96 * sigma, abs=0.4 * sigma)
    assert high == pytest.approx(0.8 + 1.96 * sigma, abs=0.4 * sigma)


def test_calibrated_predictions_have_no_calibration_error():
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(3), 40_000)
    truth = [CLASSES[i] for i in (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)]
    diagram = metrics.reliability(truth, p, CLASSES)
    assert metrics.expected_calibration_error(diagram) < 0.01
    assert metrics.expected_calibration_error(metrics.reliability(truth, one_hot(["a"] * len(p)), CLASSES)) > 0.5


@given(st.integers(0, 1000))
def test_folds_share_neither_objects_nor_nights(seed):
    rng = np.random.default_rng(seed)
    n = 120
    labels = rng.choice(CLASSES, n)
    nights, objects = rng.integers(0, 15, n), rng.integers(0, 60, n)
    tested = []
    for train, test in disjoint_folds(labels, nights, objects, n_folds=4, seed=seed):
        assert not set(nights[train]) & set(nights[test])
        assert not set(objects[train]) & set(objects[test])
        tested.extend(test)
    assert sorted(tested) == list(range(n))


def test_command_line_says_what_is_wrong(tmp_path, capsys):
    kind = "stamp"
    assert kind in cli.kinds()
    assert cli.main(["evaluate", kind, "--data", str(tmp_path / "nowhere")]) == 1
    assert "not a folder" in capsys.readouterr().err
