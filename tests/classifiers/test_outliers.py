"""Isolation forests: the arrays give scikit-learn's order, and what was never seen is odd."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from classifiers import outliers
from classifiers.trees import from_isolation


@pytest.fixture(scope="module")
def known():
    return np.random.default_rng(0).normal(size=(600, 4))


def test_path_lengths_are_those_of_scikit_learn(known):
    x = known.astype(np.float32)
    grown = IsolationForest(n_estimators=50, max_samples=128, random_state=0).fit(x)
    ours = from_isolation(grown).mean(x)[:, 0]
    normal = 2 * (np.log(127) + np.euler_gamma) - 2 * 127 / 128
    assert 2 ** (-ours / normal) == pytest.approx(-grown.score_samples(x), rel=1e-4)


def test_scores_are_shares_of_the_known_and_far_objects_are_odd(known):
    forest = outliers.fit(known)
    score = forest.score(known)
    assert score.mean() == pytest.approx(0.5, abs=0.05)
    assert ((score >= 0) & (score <= 1)).all()
    assert forest.score(np.full((1, 4), 8.0))[0] > 0.99
    assert forest.score(np.full((1, 4), np.nan))[0] < 0.5  # nothing measured is nothing odd


def test_storage_keeps_the_scores(known):
    forest = outliers.fit(known)
    assert outliers.from_arrays(forest.arrays()).score(known) == pytest.approx(forest.score(known))


def test_a_class_left_out_is_told_where_it_differs(known):
    labels = np.repeat(["a", "b", "c"], 200)
    x = known.copy()
    x[labels == "c"] += 5
    areas = outliers.leave_one_out(x, labels)
    assert areas["c"] > 0.95
    assert set(areas) == {"a", "b", "c"}
    assert outliers.leave_one_out(x[:10], labels[:10]) == {}
