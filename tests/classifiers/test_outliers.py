"""Oddness: what lies between the known classes and what lies beyond them is odd, and shares are those of the known."""

import numpy as np
import pytest

from classifiers.outliers import from_arrays
from classifiers.training import outliers

N = 500


def drawn(seed):
    """Features, classes and names of three classes that touch."""
    x = np.random.default_rng(seed).normal(size=(3 * N, 4))
    x[:N, 0] += 4
    x[N : 2 * N, 1] += 4
    return x, np.repeat(["a", "b", "c"], N), np.arange(3 * N).astype(str)


@pytest.fixture(scope="module")
def known():
    return drawn(0)


@pytest.fixture(scope="module")
def fitted(known):
    return outliers.fit(*known)


def test_scores_are_shares_of_known_objects_that_were_held_out(fitted):
    score = fitted.score(drawn(1)[0])
    assert ((score >= 0) & (score <= 1)).all()
    assert score.mean() == pytest.approx(0.45, abs=0.1)  # a little less than half: the model that is kept has learnt from more
    assert (np.diff(fitted.quantiles, axis=1) >= 0).all()


def test_what_lies_between_classes_or_beyond_them_is_odd(fitted):
    between, beyond, usual = [2.0, 2.0, 0, 0], [-3.0, -3.0, 4, -4], [4.0, 0, 0, 0]
    odd, far, plain = fitted.score(np.array([between, beyond, usual]))
    assert odd > 0.7
    assert far > 0.6
    assert plain < 0.5


def test_of_a_sure_classifier_the_distance_alone_counts(fitted):
    doubt, distance = fitted.raw(np.array([[4.0, 0, 0, 0], [7.0, -2, 3, 3]]))
    assert doubt[1] < 0.3
    assert distance[1] > 2 * distance[0]


def test_what_is_not_known_is_at_no_distance(fitted):
    assert fitted.raw(np.full((1, 4), np.nan))[1, 0] == pytest.approx(0)


def test_a_feature_that_is_hardly_ever_known_tells_nothing(known):
    x, labels, objects = known
    x = np.column_stack([x, np.full(len(x), np.nan)])
    x[:3, 4] = 1e6
    fitted = outliers.fit(x, labels, objects)
    strange = x[300:301].copy()
    strange[0, 4] = -1e6
    assert fitted.raw(strange)[1] == pytest.approx(fitted.raw(x[300:301])[1])


def test_the_same_seed_gives_the_same(known):
    first, second = (outliers.fit(*known, seed=3).arrays() for _ in range(2))
    assert all(np.array_equal(first[name], second[name], equal_nan=True) for name in first)


def test_storage_keeps_the_scores(known, fitted):
    again = from_arrays(fitted.arrays())
    assert again.score(known[0]) == pytest.approx(fitted.score(known[0]))


def test_a_class_left_out_is_told_where_it_differs(known):
    x, labels, objects = known
    real = np.arange(len(x)) % 2 == 0
    areas = outliers.leave_one_out(x, labels, objects, real)
    assert set(areas) == {"a", "b", "c"}
    assert min(found["area"] for found in areas.values()) > 0.7
    assert areas["a"]["real"] == pytest.approx(areas["a"]["area"], abs=0.1)
    few = np.r_[0:5, N : N + 5]
    assert outliers.leave_one_out(x[few], labels[few], objects[few], real[few]) == {}
