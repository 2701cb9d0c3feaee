"""Calibration recovers a known distortion, and changes nothing where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from classifiers.calibration import Calibration
from classifiers.training.calibration import fit


@pytest.fixture(scope="module")
def drawn():
    """Logits, and truth drawn from their softmax."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (20_000, 4))
    truth = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((len(logits), 1))).argmax(axis=1)
    return logits, truth


def test_recovers_temperature_and_bias(drawn):
    logits, truth = drawn
    shift = np.array([0.5, -0.5, 0.2, -0.2])
    distorted = softmax((logits - shift) * 3, axis=1)
    found = fit(distorted, truth, penalty=0.0)
    assert found.temperature == pytest.approx(3, rel=0.05)
    assert np.asarray(found.bias) - np.mean(found.bias) == pytest.approx(shift, abs=0.08)
    assert fit(softmax(logits * 2, axis=1), truth, bias=False, penalty=0.0).temperature == pytest.approx(2, rel=0.05)


def test_temperature_keeps_the_order_and_nan(drawn):
    p = softmax(drawn[0][:100], axis=1)
    p[3] = np.nan
    calibrated = Calibration(2.5).apply(p)
    assert np.isnan(calibrated[3]).all()
    good = np.arange(100) != 3
    assert (calibrated[good].argmax(axis=1) == p[good].argmax(axis=1)).all()
    assert calibrated[good].sum(axis=1) == pytest.approx(1)
    assert Calibration(**Calibration(2.0, (0.1, 0.2)).as_dict()).temperature == 2.0


def test_identity():
    p = np.array([[0.2, 0.8], [0.5, 0.5]])
    assert Calibration().apply(p) == pytest.approx(p)
