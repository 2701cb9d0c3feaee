"""Dense networks: what numpy computes is what Keras does, a seed gives the same again, and what is not known does no harm."""

import numpy as np
import pytest

from classifiers import networks, quantiles
from classifiers.keras_loader import keras
from classifiers.training.networks import fit


@pytest.fixture(scope="module")
def data():
    """Two classes that one of three features tells apart, with values missing."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 600)
    x = np.stack([np.exp(rng.normal(2.0 * target)), rng.normal(size=600), np.full(600, np.nan)], axis=1)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, target


@pytest.fixture(scope="module")
def fitted(data):
    return fit(*data, np.ones(600), 2, range(2))


def test_a_network_learns_and_says_probabilities(data, fitted):
    x, target = data
    p = fitted.probabilities(x)
    assert p.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    known = np.isfinite(x[:, 0])
    assert (p.argmax(axis=1) == target)[known].mean() > 0.8


def test_of_nothing_known_a_network_says_something_finite(fitted):
    assert np.isfinite(fitted.probabilities(np.full((1, 3), np.nan))).all()


def test_storage_keeps_every_digit(data, fitted):
    again = networks.from_arrays(fitted.arrays())
    assert (again.probabilities(data[0]) == fitted.probabilities(data[0])).all()


def test_the_same_seeds_give_the_same(data, fitted):
    again = fit(*data, np.ones(600), 2, range(2)).arrays()
    assert all(np.array_equal(again[name], value, equal_nan=True) for name, value in fitted.arrays().items())


def test_numpy_computes_what_keras_does(data, fitted):
    k = keras()
    layers = [k.layers.Dense(256, activation="relu"), k.layers.Dense(128, activation="relu"), k.layers.Dense(2, activation="softmax")]
    told = []
    shown = networks.shown(data[0], fitted.quantiles)
    for i in range(2):
        model = k.Sequential([k.Input((6,)), *(type(layer).from_config(layer.get_config()) for layer in layers)])
        model.set_weights([getattr(fitted, name)[i] if "bias" not in name else getattr(fitted, name)[i, 0] for name in networks.ARRAYS[1:]])
        told.append(np.asarray(model(shown)))
    assert fitted.probabilities(data[0]) == pytest.approx(np.mean(told, axis=0), abs=1e-5)


def test_weights_count(data):
    x, target = data
    one_sided = fit(x, target, np.where(target == 1, 1.0, 1e-3), 2, range(1))
    assert one_sided.probabilities(x)[:, 1].mean() > 0.8


def test_deviates_do_not_know_units_and_tails():
    x = np.random.default_rng(1).normal(size=(500, 1))
    plain, stretched = quantiles.deviates(x, quantiles.of(x)), quantiles.deviates(np.exp(3 * x), quantiles.of(np.exp(3 * x)))
    assert np.corrcoef(plain[:, 0], stretched[:, 0])[0, 1] > 0.99
    assert plain.std() == pytest.approx(1.0, abs=0.1)
    assert np.abs(plain).max() < 3


def test_deviates_of_values_that_many_share_lie_in_their_middle():
    x = np.concatenate([np.zeros(300), np.ones(100)])[:, None]
    found = quantiles.deviates(x, quantiles.of(x))[:, 0]
    assert len(np.unique(found)) == 2
    assert found[0] < 0 < found[-1]


def test_what_is_hardly_ever_known_has_no_quantiles():
    x = np.full((100, 1), np.nan)
    x[:5] = 3.0
    assert np.isnan(quantiles.of(x)).all()
    assert (quantiles.deviates(x, quantiles.of(x)) == 0).all()
